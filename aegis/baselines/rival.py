"""One detector on one suspect, as a record."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aegis.baselines.catalogue import BASELINES, Baseline
from aegis.baselines.config import DetectorConfig
from aegis.baselines.result import DetectorResult, check
from aegis.core.runtime import Report, Runtime, silent
from aegis.core.types import Dataset
from aegis.records.builders import runtime_record
from aegis.records.detectors import DetectorRecord
from aegis.records.record import RuntimeRecord

if TYPE_CHECKING:
    from aegis.models.load import Suspect


@dataclass(frozen=True, eq=False, kw_only=True)
class Rival:
    """One detector on one suspect.

    Args:
        name: one of ``BASELINES``.
        suspect: the model.
        images: the data set.
        seed: of every random draw.
        device, precision: as in ``choose_runtime``; a detector that needs float32 gets it.
        config: settings of the detector; None for its defaults.
    """

    name: str
    suspect: Suspect
    images: Dataset
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    config: DetectorConfig | None = None

    @property
    def baseline(self) -> Baseline:
        """The detector."""
        return BASELINES[self.name]

    def runtime(self) -> Runtime:
        """Chooses where and at which precision it runs.

        Raises:
            ConfigError: for a device that this machine does not have.
        """
        from aegis.core.runtime import choose_runtime

        return self.suspect.classifier.fitted(choose_runtime(self.device, self.baseline.precision or self.precision))

    def check(self) -> None:
        """Checks that the detector can take the model and the images.

        Raises:
            AegisError: if it cannot.
        """
        split = self.baseline.split
        images = None if split is None else getattr(self.images, split)
        check(self.suspect.classifier, self.images, self.baseline.title, images)

    def detect(self, report: Report = silent) -> DetectorResult:
        """Runs the detector.

        Args:
            report: receives events; may raise ``Cancelled``.

        Raises:
            AegisError: if it cannot take the model or the images.
        """
        from aegis.core.runtime import torch_generator

        model, one = self.suspect.classifier.frozen(self.runtime()), self.baseline
        config = self.config or one.config
        return one.detect(model, self.images, config, generator=torch_generator(self.seed), report=report)

    def record(self, result: DetectorResult, seconds: float) -> DetectorRecord:
        """Converts a result to a record.

        Args:
            result: the result.
            seconds: time that it took.
        """
        return detector_record(self.name, result, seconds, runtime_record(self.runtime()))


def detector_record(name: str, result: DetectorResult, seconds: float, runtime: RuntimeRecord) -> DetectorRecord:
    """Converts a detector's result to a record.

    Args:
        name: of the detector.
        result: the result.
        seconds: time that it took.
        runtime: the machine.
    """
    baseline = BASELINES[name]
    return DetectorRecord(
        name=name,
        title=baseline.title,
        verdict=result.verdict,
        flagged_classes=result.flagged,
        statistic=baseline.statistic,
        scores=tuple(_short(value) for value in result.scores.tolist()),
        measure=result.measure,
        values=tuple(_short(value) for value in result.values.tolist()),
        cut=result.cut,
        threshold=_short(result.threshold),
        successes=tuple(_short(value) for value in result.successes.tolist()),
        seconds=round(seconds, 2),
        runtime=runtime,
    )


def _short(value: float) -> float | None:
    # Six digits: more would be noise in a file that people read.
    return None if math.isnan(value) else float(f"{value:.6g}")
