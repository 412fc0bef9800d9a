"""The embeddings keep what is apart apart, and refuse what they cannot embed."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import Cancelled
from aegis.core.types import Evidence
from aegis.detect.embed import embed
from aegis.records.config import EmbedConfig

CONFIG = EmbedConfig(perplexity=10)


def evidence(training: int = 30, translated: int = 40, budgets: int = 1) -> Evidence:
    """Translated images far from the training images, all in ten dimensions."""
    points = np.random.default_rng(0).normal(size=(budgets, training + translated, 10)).astype(np.float32)
    points[:, training:, 0] += 40
    return Evidence(
        label=3,
        budgets=tuple(float(b + 1) for b in range(budgets)),
        seed_index=np.arange(translated),
        train_index=np.arange(training),
        translated=np.zeros((budgets, translated, 1, 4, 4), np.uint8),
        features=points,
        success=np.ones(budgets, np.float32),
        triggers=(),
    )


def separation(points: np.ndarray, mask: np.ndarray) -> float:
    """Distance between two groups as a multiple of their spread."""
    a, b = points[mask], points[~mask]
    spread = max(np.linalg.norm(g - g.mean(axis=0), axis=1).mean() for g in (a, b))
    return float(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)) / spread)


def test_tsne_keeps_planted_groups_apart_at_every_budget_and_tells_of_all():
    given, events = evidence(budgets=2), []
    found = embed(given, CONFIG, report=events.append)
    assert [e.budget for e in found] == [1.0, 2.0]
    for embedding in found:
        assert embedding.points.shape == (70, 2)
        assert embedding.is_translated.tolist() == [False] * 30 + [True] * 40
        assert separation(embedding.points, embedding.is_translated) > 2
    assert {(e.stage, e.label) for e in events} == {("embed", 3)}
    steps = [event.step for event in events]
    assert steps == sorted(steps)
    assert 0 <= steps[0] <= events[-1].total / 2 < steps[-1] <= events[-1].total
    # Equal points for equal input.
    assert (embed(evidence(), CONFIG)[0].points == embed(evidence(), CONFIG)[0].points).all()


def test_umap_keeps_planted_groups_apart(monkeypatch):
    numba = pytest.importorskip("numba")
    # For so few points, compiling takes far longer than what is compiled.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    pytest.importorskip("umap")
    (found,) = embed(evidence(15, 20), replace(CONFIG, method="umap"))
    assert found.points.shape == (35, 2)
    assert separation(found.points, found.is_translated) > 2


@pytest.mark.parametrize("perplexity", [70 / 3, 30.0])
def test_too_few_points_for_the_perplexity_and_an_unknown_method_are_refused(perplexity):
    with pytest.raises(DataError, match="class 3"):
        embed(evidence(), EmbedConfig(perplexity=perplexity))
    with pytest.raises(ConfigError, match="pca"):
        embed(evidence(), EmbedConfig(method="pca", perplexity=10))


def test_it_can_be_cancelled():
    def cancel(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        embed(evidence(), CONFIG, report=cancel)
