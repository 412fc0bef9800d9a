"""The detectors by name; each is imported when it is first used, since that needs torch."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Literal, cast

from aegis.baselines.config import DetectorConfig, MaximumMarginConfig, NeuralCleanseConfig, PgdNormsConfig
from aegis.baselines.result import Detect
from aegis.core.runtime import Precision


@dataclass(frozen=True)
class Baseline:
    """One detector.

    Args:
        title: its name for people.
        paper: authors and year.
        module: where its ``detect`` is.
        config: its default settings.
        statistic: what its scores are, in words.
        split: the images that it needs; None for none.
        precision: that it needs; None where any will do.
    """

    title: str
    paper: str
    module: str
    config: DetectorConfig
    statistic: str
    split: Literal["train", "test"] | None
    precision: Precision | None = None

    @property
    def detect(self) -> Detect:
        """Imports the detector."""
        return cast("Detect", import_module(self.module).detect)


BASELINES = {
    "nc": Baseline(
        "Neural Cleanse",
        "Wang et al. 2019",
        "aegis.baselines.neural_cleanse",
        NeuralCleanseConfig(),
        "L1 norm of the smallest mask",
        "test",
    ),
    "nc-pgd": Baseline(
        "Neural Cleanse by PGD",
        "Soremekun et al., RQ3",
        "aegis.baselines.neural_cleanse_pgd",
        PgdNormsConfig(),
        "mean L1 norm of changes by PGD",
        "train",
    ),
    "mmbd": Baseline(
        "MM-BD",
        "Wang et al. 2024",
        "aegis.baselines.mm_bd",
        MaximumMarginConfig(),
        "maximum margin of the logit",
        None,
        # It stops when margins differ by a hundred-thousandth, which bfloat16 cannot tell.
        "fp32",
    ),
}
