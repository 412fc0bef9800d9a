"""Reads class numbers as people write them: integers, whole floats, a column, one-hot, or counted from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aegis.core.errors import DataError
from aegis.core.types import Labels

if TYPE_CHECKING:
    from aegis.data.arrays import Array


def to_labels(raw: Array, what: str = "labels") -> Labels:
    """Converts class numbers to int64.

    Args:
        raw: integers or whole floats of shape (n,) or (n, 1), or one-hot rows of shape (n, classes).
        what: name of the array in messages.

    Returns:
        Labels, int64, of shape (n,).

    Raises:
        DataError: for rows with several classes, fractions, negative numbers and empty arrays.
    """
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    if is_one_hot(raw):
        places: Labels = raw.argmax(axis=1).astype(np.int64)
        return places
    if raw.ndim == 2:
        raise DataError(
            f"{what} as one class number per image, shape (n,), or one-hot",
            f"shape {raw.shape}, with other rows than a single 1 among zeros",
            f"Save {what}.argmax(axis=1) if the largest value marks the class; images of several classes cannot be "
            "used.",
        )
    if raw.ndim != 1 or raw.size == 0:
        raise DataError(
            f"{what} of shape (n,) with n at least 1", f"shape {raw.shape}", "Save one class number per image."
        )
    if raw.dtype.kind not in "iuf" or (raw.dtype.kind == "f" and not (np.isfinite(raw) & (raw == np.floor(raw))).all()):
        raise DataError(
            f"{what} as integers",
            f"type {raw.dtype}" + (" with fractions or values that are not finite" if raw.dtype.kind == "f" else ""),
            "Save class numbers 0, 1, 2, ... as integers.",
        )
    if int(raw.min()) < 0 or int(raw.max()) > 2**31:
        raise DataError(
            f"{what} from 0 to the number of classes - 1",
            f"labels from {raw.min()} to {raw.max()}",
            "Number the classes 0, 1, 2, ...",
        )
    return raw.astype(np.int64)


def is_one_hot(raw: Array) -> bool:
    """Tells whether every row is zeros and a single 1.

    Args:
        raw: labels of any kind.
    """
    if raw.ndim != 2 or raw.dtype.kind not in "biuf" or raw.shape[1] < 2 or raw.size == 0:
        return False
    ones = raw == 1
    return bool(((raw == 0) | ones).all() and (ones.sum(axis=1) == 1).all())


def counted_from_1(labels: Labels) -> bool:
    """Tells whether labels are counted from 1: no 0 occurs, and every number from 1 to the largest does.

    Args:
        labels: of both splits, at least 0, shape (n,).
    """
    occurring = np.unique(labels)
    return bool(occurring[0] == 1 and occurring[-1] == len(occurring))
