"""Tells a mistake in the labels of the images from a weakness of the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64
from scipy.optimize import linear_sum_assignment

from aegis.core.errors import DataError
from aegis.core.text import class_called

# Renaming the classes must put right at least half the images of one class, and most images of each that it renames.
GAIN = 0.5
MOST = 0.5
# A class without images whose name a model gives to so many of another's is merged with that one.
MERGED = 0.25
# Of a class with fewer images nothing is known: two mistakes of a model of a hundred classes would be an exchange.
FEWEST = 5
# The message names no more classes than this.
NAMED = 4


def check_labels(confusion: Int64[np.ndarray, "k k"], class_names: Sequence[str]) -> None:
    """Refuses images whose labels the model would get right if classes were exchanged, shifted or not merged.

    A model that takes every image of one class for another would otherwise look as if it had a backdoor between them.

    Args:
        confusion: entry (i, j) counts test images labelled i that the model predicts as j, shape (k, k).
        class_names: of all classes, in label order.

    Raises:
        DataError: with the classes that seem to be mislabelled.
    """
    counts = confusion.sum(axis=1)
    rates = np.where(counts >= FEWEST, 1, 0)[:, None] * confusion / np.maximum(counts, 1)[:, None]
    rows, columns = linear_sum_assignment(-rates)
    moved = [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if i != j and rates[i, j] >= MOST]
    if not moved or rates[rows, columns].sum() - np.trace(rates) < GAIN:
        unseen = np.flatnonzero(counts == 0).tolist()
        moved = [(i, j) for j in unseen for i in np.flatnonzero(rates[:, j] >= MERGED).tolist()]
    if moved:
        said = [
            f"{rates[i, j]:.0%} of those of {_called(i, class_names)} are predicted as {_called(j, class_names)}"
            for i, j in moved[:NAMED]
        ]
        more = f" and {len(moved) - NAMED} classes more like this" if len(moved) > NAMED else ""
        raise DataError(
            "test images labelled as the model was trained",
            f"images that it seems to know by other labels: {', '.join(said)}{more}",
            "Check the labels of --data and the order of its classes.",
        )


def _called(label: int, class_names: Sequence[str]) -> str:
    return class_called(label, class_names[label])
