"""Types of the costly steps of a scan, which a store replaces by functions that reuse saved results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from aegis.core.runtime import Report, silent
from aegis.core.types import Applicability, Dataset, Embedding, Evidence
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig


@runtime_checkable
class Assess(Protocol):
    """Type of ``detect.assess.assess``."""

    def __call__(
        self,
        classifier: Any,  # noqa: ANN401 - a store passes on what it does not know
        data: Dataset,
        config: AssessConfig,
        *,
        report: Report = silent,
    ) -> Applicability:
        """Measures accuracy and robustness of a model.

        Args:
            classifier: the model.
            data: the data set.
            config: settings of the measurement.
            report: receives events; may raise ``Cancelled``.

        Returns:
            The measurements.
        """


@runtime_checkable
class Gather(Protocol):
    """Type of ``detect.gather.gather``."""

    def __call__(
        self,
        classifier: Any,  # noqa: ANN401
        data: Any,  # noqa: ANN401 - None where a store has the evidence
        label: int,
        config: GatherConfig,
        *,
        report: Report = silent,
    ) -> Evidence:
        """Gathers the evidence of one class.

        Args:
            classifier: the model.
            data: the data set.
            label: the class under test.
            config: settings.
            report: receives events; may raise ``Cancelled``.

        Returns:
            The evidence.
        """


@runtime_checkable
class Embed(Protocol):
    """Type of ``detect.embed.embed``."""

    def __call__(self, evidence: Evidence, config: EmbedConfig, *, report: Report = silent) -> tuple[Embedding, ...]:
        """Embeds the features of one class in the plane.

        Args:
            evidence: the evidence of the class.
            config: settings.
            report: receives events; may raise ``Cancelled``.

        Returns:
            One embedding for each budget.
        """


@runtime_checkable
class Screen(Protocol):
    """Type of ``detect.screen.screen``."""

    def __call__(
        self,
        classifier: Any,  # noqa: ANN401
        data: Dataset,
        *,
        report: Report = silent,
    ) -> tuple[float, ...]:
        """Estimates how small a change leads images into each class.

        Args:
            classifier: the model.
            data: the data set.
            report: receives events; may raise ``Cancelled``.

        Returns:
            Sizes as shares of the median class's, by label.
        """


@dataclass(frozen=True)
class Steps:
    """Holds the functions that do the costly steps of a scan.

    Args:
        assess: a function like ``detect.assess.assess``.
        gather: a function like ``detect.gather.gather``.
        embed: a function like ``detect.embed.embed``.
        look: a function like ``detect.early.first_look``, for scans of many classes or large images.
        screen: a function like ``detect.screen.screen``, for triage among many classes.
    """

    assess: Assess
    gather: Gather
    embed: Embed
    look: Assess
    screen: Screen
