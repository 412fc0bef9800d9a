"""Algorithm 1, step 4: mean-shift clustering (Fukunaga and Hostetler 1975) with a flat kernel; needs no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from aegis.core.types import Clusters, Embedding, Evidence, Finding
from aegis.records.config import JudgeConfig

MAX_ITERATIONS = 300


def cluster(embedding: Embedding, config: JudgeConfig) -> Clusters:
    """Clusters training and translated images together, as in Algorithm 1.

    Args:
        embedding: points in the plane.
        config: the bandwidth, or the quantile that it is computed from.

    Returns:
        The clusters, the largest first.
    """
    return _cluster(embedding.points, np.ones(len(embedding.points), bool), config)


def cluster_translated(embedding: Embedding, config: JudgeConfig) -> Clusters:
    """Clusters the translated images alone (Fig. 16).

    Args:
        embedding: points in the plane.
        config: the bandwidth, or the quantile that it is computed from.

    Returns:
        The clusters, the largest first; training images are assigned -1.
    """
    return _cluster(embedding.points, embedding.is_translated, config)


def compute_bandwidth(points: Float32[np.ndarray, "p 2"], quantile: float) -> float:
    """Computes the mean distance of each point to the farthest of its nearest neighbours, as scikit-learn's
    ``estimate_bandwidth`` does.

    Args:
        points: shape (p, 2).
        quantile: share of the points that count as nearest neighbours, in (0, 1].

    Returns:
        The bandwidth of the flat kernel, in the unit of the points.
    """
    # Computed here because importing scikit-learn would take longer than everything else on the Inspect page.
    distances = _squared_distances(points.astype(np.float64), points.astype(np.float64))
    farthest = max(int(len(points) * quantile), 1) - 1
    return float(np.sqrt(np.partition(distances, farthest, axis=1)[:, farthest]).mean())


def mean_shift(points: Float[np.ndarray, "p 2"], bandwidth: float) -> Int64[np.ndarray, " p"]:
    """Clusters points by mean shift, with the labels of scikit-learn's ``MeanShift`` without bin seeding.

    Args:
        points: shape (p, 2).
        bandwidth: radius of the flat kernel, above 0.

    Returns:
        Cluster of each point, 0 for the one whose mode has most points around it, shape (p,).
    """
    modes, weights = _climb(points.astype(np.float64), bandwidth)
    centres = _distinct(modes, weights, bandwidth)
    nearest = _squared_distances(points.astype(np.float64), centres).argmin(axis=1)
    return np.unique(nearest, return_inverse=True)[1].astype(np.int64)


def _climb(points: np.ndarray, bandwidth: float) -> tuple[np.ndarray, np.ndarray]:
    """Moves every point to its mode; returns the modes and the number of points within the kernel at each."""
    moving = np.unique(points, axis=0)
    modes, weights = [], []
    for iteration in range(MAX_ITERATIONS + 1):
        near = _squared_distances(moving, points) <= bandwidth**2
        counts = near.sum(axis=1)
        means = near.astype(np.float64) @ points / counts[:, None]
        moved = np.linalg.norm(means - moving, axis=1)
        # This is scikit-learn's stopping rule, so that both end at the same modes.
        stopped = (moved <= 1e-3 * bandwidth) | (iteration == MAX_ITERATIONS)
        modes.append(means[stopped])
        weights.append(counts[stopped])
        # Points with the same neighbours move together from here on, so one of them is enough.
        moving = np.unique(means[~stopped], axis=0)
        if not len(moving):
            break
    return np.concatenate(modes), np.concatenate(weights)


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared: np.ndarray = (a[:, None, 0] - b[None, :, 0]) ** 2 + (a[:, None, 1] - b[None, :, 1]) ** 2
    return squared


def _distinct(modes: np.ndarray, weights: np.ndarray, bandwidth: float) -> np.ndarray:
    """Sorts modes by weight and drops those within a bandwidth of a heavier one."""
    order = sorted(range(len(modes)), key=lambda i: (weights[i], tuple(modes[i])), reverse=True)
    ranked = modes[order]
    kept = np.ones(len(ranked), bool)
    for i in range(len(ranked)):
        if kept[i]:
            close = np.linalg.norm(ranked - ranked[i], axis=1) <= bandwidth
            close[: i + 1] = False
            kept &= ~close
    distinct: np.ndarray = ranked[kept]
    return distinct


def _cluster(points: np.ndarray, chosen: Bool[np.ndarray, " p"], config: JudgeConfig) -> Clusters:
    subset = points[chosen]
    bandwidth = config.bandwidth or compute_bandwidth(subset, config.quantile)
    assignment = np.full(len(points), -1, np.int64)
    assignment[chosen] = _by_size(mean_shift(subset, bandwidth))
    return Clusters(assignment, bandwidth)


def _by_size(assignment: np.ndarray) -> np.ndarray:
    sizes = np.bincount(assignment)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    ranked: np.ndarray = rank[assignment]
    return ranked


def judge(evidence: Evidence, embeddings: Sequence[Embedding], config: JudgeConfig) -> Finding:
    """Clusters each embedding, with and without the training images; needs neither model nor images.

    Args:
        evidence: evidence of the class.
        embeddings: one for each budget.
        config: the bandwidth, or the quantile that it is computed from.

    Returns:
        The evidence with its embeddings and clusters.
    """
    together = tuple(cluster(embedding, config) for embedding in embeddings)
    alone = tuple(cluster_translated(embedding, config) for embedding in embeddings)
    return Finding(evidence, tuple(embeddings), together, alone)
