"""What translation did to images, whatever they were before: ours, and no part of the paper or the verdict."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32


def coherence(vectors: Float32[np.ndarray, "n q"]) -> float:
    """Computes the mean cosine similarity of vectors to their mean.

    Args:
        vectors: shape (n, q); zeros are like nothing.

    Returns:
        The coherence, in [-1, 1].
    """
    return float((unit(vectors) @ unit(vectors.mean(axis=0, keepdims=True)).T).mean())


def unit(vectors: Float32[np.ndarray, "n q"]) -> Float32[np.ndarray, "n q"]:
    """Scales vectors to length 1; zeros stay.

    Args:
        vectors: shape (n, q).

    Returns:
        The scaled vectors, of the same shape.
    """
    scaled: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled


def flattened(changes: Float32[np.ndarray, "n ..."]) -> Float32[np.ndarray, "n q"]:
    """Makes a row of the change of each image.

    Args:
        changes: in pixels or features, shape (n, ...).

    Returns:
        The rows, shape (n, q).
    """
    rows: np.ndarray = changes.reshape(len(changes), -1)
    return rows
