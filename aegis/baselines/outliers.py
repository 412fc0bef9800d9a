"""Finds classes whose scores are unlike the rest, by the median absolute deviation (MAD)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

# The MAD of a normal distribution times this is its standard deviation.
CONSISTENCY = 1.4826


def anomaly_indices(scores: Float32[np.ndarray, " k"]) -> Float32[np.ndarray, " k"]:
    """Computes how many deviations each score lies below the median.

    Args:
        scores: of each class, shape (k,).

    Returns:
        Anomaly indices, shape (k,): positive for a score below the median, negative for one above it; infinite where
        more than half of the scores are equal and this one is not.

    Source: Wang et al. 2019, Section V-B (their code flags only scores below the median).
    """
    below = np.median(scores) - scores
    deviation = CONSISTENCY * np.median(np.abs(below))
    with np.errstate(divide="ignore", invalid="ignore"):
        indices = below / deviation
    return np.where(below == 0, 0, indices).astype(np.float32)


def threshold(scores: Float32[np.ndarray, " k"], index: float) -> float:
    """Computes the score below which a class has more than an anomaly index.

    Args:
        scores: of each class, shape (k,).
        index: the anomaly index, above 0.

    Returns:
        The score; below 0 where no score could be so small.
    """
    median = np.median(scores)
    return float(median - index * CONSISTENCY * np.median(np.abs(scores - median)))


def small_outliers(indices: Float32[np.ndarray, " k"], index: float) -> tuple[int, ...]:
    """Lists the classes above an anomaly index.

    Args:
        indices: of each class, shape (k,).
        index: what they must exceed.

    Returns:
        Labels, those of the highest index first.
    """
    return tuple(int(label) for label in np.argsort(-indices, kind="stable") if indices[label] > index)
