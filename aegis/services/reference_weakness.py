"""Notices a reference model that its training has left without knowledge of the classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aegis.core.errors import CheckpointError, DataError
from aegis.core.runtime import Runtime
from aegis.core.types import Dataset


def weakness(checkpoint: Path, images: Dataset, runtime: Runtime) -> str:
    """Says why a model that was just trained cannot stand for its data.

    Args:
        checkpoint: of the model.
        images: the data set that it was trained on.
        runtime: where it runs.

    Returns:
        Words such as *an accuracy of 10.0%, near the 10.0% of guessing*; empty for a model that is of use.
    """
    from aegis.detect.assess import ABOVE_CHANCE
    from aegis.detect.labels import check_labels
    from aegis.metrics import confusion_matrix, predict
    from aegis.models.load import load_checkpoint

    try:
        model = load_checkpoint(checkpoint).classifier.frozen(runtime)
    except CheckpointError:
        # Weights that are no numbers any more are refused.
        return "a training that diverged"
    confusion = confusion_matrix(images.test, predict(model, images.test.pixels))
    # Where classes differ in size, a model that knows the largest one alone is right often enough, but not on average.
    of_classes = confusion.diagonal() / confusion.sum(axis=1)
    right = min(float(np.trace(confusion) / len(images.test)), float(of_classes.mean()))
    chance = 1 / len(images.class_names)
    if right < chance + ABOVE_CHANCE * (1 - chance):
        return f"an accuracy of {right:.1%}, near the {chance:.1%} of guessing"
    try:
        check_labels(confusion, images.class_names)
    except DataError as error:
        return error.got
    return ""
