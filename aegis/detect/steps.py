"""The costly steps of a scan, which a store or several machines can stand in for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from aegis.core.runtime import Report, silent
from aegis.core.types import Applicability, Dataset, Embedding, Evidence
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig


@runtime_checkable
class Assess(Protocol):
    """Measures whether the method applies to a model, as ``detect.assess.assess``."""

    def __call__(
        self,
        classifier: Any,  # noqa: ANN401 - a store passes on what it does not know
        data: Dataset,
        config: AssessConfig,
        *,
        report: Report = silent,
    ) -> Applicability:
        """Applicability of the model."""


@runtime_checkable
class Gather(Protocol):
    """Collects the evidence of one class, as ``detect.gather.gather``."""

    def __call__(
        self,
        classifier: Any,  # noqa: ANN401
        data: Any,  # noqa: ANN401 - None where a store has the evidence
        label: int,
        config: GatherConfig,
        *,
        report: Report = silent,
    ) -> Evidence:
        """Evidence of the class."""


@runtime_checkable
class Embed(Protocol):
    """Draws features in the plane, as ``detect.embed.embed``."""

    def __call__(self, evidence: Evidence, config: EmbedConfig, *, report: Report = silent) -> tuple[Embedding, ...]:
        """One embedding for each budget."""


@dataclass(frozen=True)
class Steps:
    """What a scan spends its time on.

    Args:
        assess: as ``detect.assess.assess``.
        gather: as ``detect.gather.gather``.
        embed: as ``detect.embed.embed``.
    """

    assess: Assess
    gather: Gather
    embed: Embed
