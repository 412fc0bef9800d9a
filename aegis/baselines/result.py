"""What every detector returns, and what each checks first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import Report, silent
from aegis.core.types import Dataset, LabelledImages, VerdictName

if TYPE_CHECKING:
    import torch

    from aegis.models.classifier import Classifier

Measure = Literal["anomaly index", "p-value"]
# Fewer values have no outlier: with two, both are equally far from their median.
MIN_CLASSES = 3
# A trigger that was made on fewer images works on them and says nothing of others.
MIN_IMAGES = 30


@dataclass(frozen=True, eq=False, kw_only=True)
class DetectorResult:
    """Holds what a detector says about every class.

    Args:
        scores: what the detector measured of each class, shape (k,).
        values: anomaly index or p-value of each class, shape (k,); NaN where there is none.
        measure: which of the two.
        cut: the value that is compared with: flagged are anomaly indices above it, or p-values up to it.
        threshold: the same in the unit of the scores; NaN where there is none.
        flagged: labels of the flagged classes, the most suspicious first.
        patterns: reverse-engineered image of each class in [0, 1], shape (k, c, h, w).
        masks: how much each pixel takes part, in [0, 1], shape (k, h, w); None where patterns are whole images.
        successes: share of the images that the pattern leads to the class, in [0, 1], shape (k,); NaN where that was
            not measured.
    """

    scores: Float32[np.ndarray, " k"]
    values: Float32[np.ndarray, " k"]
    measure: Measure
    cut: float
    threshold: float
    flagged: tuple[int, ...]
    patterns: Float32[np.ndarray, "k c h w"]
    masks: Float32[np.ndarray, "k h w"] | None
    successes: Float32[np.ndarray, " k"]

    @property
    def verdict(self) -> VerdictName:
        """*infected* with a flagged class; *inconclusive* if a value could not be computed; else *clean*."""
        if self.flagged:
            return "infected"
        return "clean" if np.isfinite(self.values).all() else "inconclusive"

    @property
    def value(self) -> float:
        """The value of the most suspicious class: the largest anomaly index, or the smallest p-value."""
        return float(self.values.max() if self.measure == "anomaly index" else self.values.min())


@runtime_checkable
class Detect(Protocol):
    """Type of every detector's ``detect``."""

    def __call__(
        self,
        classifier: Classifier,
        data: Dataset,
        config: Any,  # noqa: ANN401 - each detector has settings of its own
        *,
        generator: torch.Generator,
        report: Report = silent,
    ) -> DetectorResult:
        """Looks for a backdoor.

        Args:
            classifier: the model, prepared by ``Classifier.frozen``.
            data: images that the model was made for.
            config: settings of this detector.
            generator: CPU generator of every random draw.
            report: receives events; may raise ``Cancelled``.

        Returns:
            What it found.

        Raises:
            AegisError: if the detector cannot take this model or these images.
        """


def check(classifier: Classifier, data: Dataset, title: str, images: LabelledImages | None = None) -> None:
    """Checks that a detector can take a model and images.

    Args:
        classifier: the model.
        data: the images.
        title: of the detector, for the message.
        images: the split that it needs, or None.

    Raises:
        ConfigError: if there are too few classes.
        DataError: if there are too few images, or images and model do not fit together.
    """
    if classifier.classes < MIN_CLASSES:
        raise ConfigError(
            f"a model of at least {MIN_CLASSES} classes for {title}, which looks for one unlike the rest",
            f"{classifier.classes} classes",
            "Leave this detector out: --with aegis.",
        )
    if classifier.classes != len(data.class_names) or classifier.shape != data.shape:
        raise DataError(
            f"images of shape {classifier.shape} in {classifier.classes} classes, as the model has",
            f"{data.shape} in {len(data.class_names)} classes",
            "Give the data set the model was made for with --data.",
        )
    if images is not None and len(images) < MIN_IMAGES:
        split = "test" if images is data.test else "training"
        raise DataError(
            f"at least {MIN_IMAGES} {split} images for {title}",
            str(len(images)),
            "Give more images with --data, or leave this detector out of --with.",
        )
