"""Activations of the last hidden layer, class by class, as filters of training images take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from aegis.core.errors import DataError
from aegis.core.runtime import Event, Report
from aegis.core.types import LabelledImages
from aegis.models.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Activations:
    """Holds the activations of the images of one label.

    Args:
        label: the label.
        index: positions of the images, shape (m,), at least one.
        centred: their activations minus the mean, shape (m, d).
    """

    label: int
    index: Int64[np.ndarray, " m"]
    centred: Float32[np.ndarray, "m d"]


def activations_by_label(
    classifier: Classifier, images: LabelledImages, *, title: str, stage: str, least: int, report: Report
) -> Iterator[Activations]:
    """Computes the activations of each label's images.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: labelled images.
        title: of the filter, for messages.
        stage: of the events.
        least: the fewest images of a label, where there are any.
        report: receives an event before each class and one at the end; may raise ``Cancelled``.

    Returns:
        Activations label by label, without those that no image has.

    Raises:
        DataError: if model and images do not fit together, or there are too few images of a label.
    """
    _check(classifier, images, title, least)
    for label in classifier.labels:
        report(Event(stage=stage, step=label, total=classifier.classes, label=label))
        index = np.flatnonzero(images.labels == label)
        if len(index):
            features = classifier.features(torch.from_numpy(images.pixels[index]), pooled=True).numpy()
            yield Activations(label, index, features - features.mean(axis=0))
    report(Event(stage=stage, step=classifier.classes, total=classifier.classes))


def _check(classifier: Classifier, images: LabelledImages, title: str, least: int) -> None:
    names = images.class_names
    if classifier.classes != len(names) or classifier.shape != images.shape:
        raise DataError(
            f"images of shape {classifier.shape} in {classifier.classes} classes, as the model has",
            f"{images.shape} in {len(names)} classes",
            "Give the images that the model was trained on.",
        )
    counts = np.bincount(images.labels, minlength=len(names))
    for name, count in zip(names, counts, strict=True):
        if 0 < count < least:
            raise DataError(
                f"at least {least} images of each class for {title}",
                f"{count} of class {name}",
                "Give more of the training images.",
            )
