"""Mean shift against scikit-learn's, and the number of planted clusters."""

import numpy as np
import pytest
from sklearn.cluster import MeanShift, estimate_bandwidth

from aegis.core.types import Embedding
from aegis.detect.cluster import cluster, cluster_translated, compute_bandwidth, mean_shift
from aegis.records.config import JudgeConfig

CENTRES = np.array([[0, 0], [30, 0], [0, 30]])


def blobs(seed: int, sizes: tuple[int, ...], spread: float = 1.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    parts = [generator.normal(c, spread, (n, 2)) for c, n in zip(CENTRES, sizes)]
    return generator.permutation(np.concatenate(parts)).astype(np.float32)


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two labellings are one up to names."""
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


def embedding(points: np.ndarray, translated: np.ndarray | None = None) -> Embedding:
    return Embedding(points, np.ones(len(points), bool) if translated is None else translated, 1.0)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("spread", "bandwidth"), [(1.0, 7.0), (6.0, 3.0), (6.0, 7.0), (6.0, 15.0)])
@pytest.mark.parametrize(("sizes", "times"), [((60, 40, 30), 1), ((20, 15, 10), 3)])
def test_labels_are_those_of_scikit_learn(seed, spread, bandwidth, sizes, times):
    points = np.repeat(blobs(seed, sizes, spread), times, axis=0)
    theirs = MeanShift(bandwidth=bandwidth, bin_seeding=False).fit_predict(points.astype(np.float64))
    assert same_partition(mean_shift(points, bandwidth), theirs)


@pytest.mark.parametrize("sizes", [(80,), (60, 60), (60, 50, 40)])
def test_planted_blobs_are_counted(sizes):
    found = cluster(embedding(blobs(0, sizes)), JudgeConfig(bandwidth=8.0))
    assert found.count == len(sizes)
    assert np.bincount(found.assignment).tolist() == sorted(sizes, reverse=True)
    assert found.bandwidth == 8.0
    if len(sizes) == 2:
        assert cluster(embedding(blobs(0, sizes)), JudgeConfig()).count == 2


@pytest.mark.parametrize("quantile", [0.1, 0.3, 1.0])
def test_bandwidth_is_that_of_scikit_learn(quantile):
    points = blobs(1, (50, 40), 3.0)
    assert compute_bandwidth(points, quantile) == pytest.approx(estimate_bandwidth(points, quantile=quantile))
    found = cluster(embedding(points), JudgeConfig(quantile=quantile))
    assert found.bandwidth == pytest.approx(estimate_bandwidth(points, quantile=quantile))


def test_translated_images_are_clustered_alone():
    points = np.concatenate([blobs(0, (40,)), blobs(1, (30, 30)) + np.float32(60)])
    translated = np.arange(100) >= 40
    alone = cluster_translated(embedding(points, translated), JudgeConfig(bandwidth=8.0))
    assert (alone.assignment[:40] == -1).all()
    assert (alone.assignment[40:] >= 0).all()
    assert alone.count == 2
    assert cluster(embedding(points, translated), JudgeConfig(bandwidth=8.0)).count == 3


def test_bandwidth_of_translated_images_ignores_the_training_images():
    translated = np.arange(100) >= 50
    points = blobs(2, (100,))
    moved = np.where(translated[:, None], points, points * 100).astype(np.float32)
    expected = cluster_translated(embedding(points, translated), JudgeConfig())
    found = cluster_translated(embedding(moved, translated), JudgeConfig())
    assert found.bandwidth == expected.bandwidth
    assert (found.assignment == expected.assignment).all()
