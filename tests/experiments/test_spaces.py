"""Clusters and changes in several spaces: planted points and changes, and a small model from end to end."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.types import Evidence, Stage, as_8_bit
from aegis.detect.changes import coherence
from aegis.experiments import spaces
from aegis.experiments.spaces import (
    RULES,
    SPACES,
    Rows,
    Spaces,
    described,
    in_spaces,
    likeness_of_sources,
    tightest,
)
from aegis.models.load import load_checkpoint
from aegis.records.config import JudgeConfig

from .test_bank_scans import checkpoint, trial  # noqa: F401 - fixtures


def test_the_tightest_cluster_is_found_but_no_tiny_one():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(100, 50)).astype(np.float32)
    vectors[:20] = 1.0
    vectors[98:] = -1.0
    assignment = np.repeat([0, 1, 2, -1], [20, 78, 1, 1])
    assert tightest(vectors, assignment) == pytest.approx(1)
    assert tightest(vectors, np.where(assignment == 0, -1, assignment)) < 0.3
    assert tightest(vectors, np.where(assignment == 2, 2, -1)) == 0


def test_a_trigger_is_alike_from_every_source_and_natural_changes_are_not():
    sources = np.repeat(np.arange(5), 8)
    trigger, natural = np.zeros((40, 9), np.float32), np.eye(9, dtype=np.float32)[sources]
    trigger[:, 8] = 1
    assert likeness_of_sources(trigger, sources) == pytest.approx(1)
    assert likeness_of_sources(natural, sources) == pytest.approx(0)
    assert likeness_of_sources(trigger, np.zeros(40, int)) == 0


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_finds_two_planted_clusters(rule):
    generator = np.random.default_rng(0)
    points = np.concatenate([c + generator.normal(size=(n, 2)) for c, n in ((0, 30), (90, 50))]).astype(np.float32)
    rows = Rows(points, np.arange(80) >= 10, plane=points)
    assignment = RULES[rule](rows, JudgeConfig())
    assert {len(set(assignment[:30])), len(set(assignment[30:]))} == {1}
    found = described({"features": rows}, np.zeros(70, int), JudgeConfig())
    assert found["features", rule, "clusters"] == 2
    # Training images belong to clusters and are not counted in their shares.
    assert found["features", rule, "largest"] == pytest.approx(50 / 70)
    assert ("features", rule, "tightest") not in found


def test_without_a_plane_nothing_is_said_of_it():
    rows = Rows(np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32), np.ones(40, bool))
    found = described({"features": rows}, np.zeros(40, int), JudgeConfig())
    assert {rule for _, rule, _ in found} == {"mean shift, scores", "HDBSCAN, scores"}


def test_images_that_coincide_are_one_cluster():
    rows = Rows(np.zeros((40, 5), np.float32), np.ones(40, bool), np.ones((40, 9), np.float32))
    found = described({"change": rows}, np.repeat([0, 1], 20), JudgeConfig())
    assert found["change", "mean shift, scores", "clusters"] == 1
    assert found["change", "mean shift, scores", "tightest"] == pytest.approx(1)
    assert found["change", "all", "sources"] == pytest.approx(1)


def test_a_planted_change_stands_alone_in_the_space_of_changes(trial):  # noqa: F811 - the fixture
    """Half of the images get one square, the others noise: so many have the square, whatever is below it."""
    model, images = load_checkpoint(trial.checkpoint).classifier.eval(), trial.images
    generator, seeds = np.random.default_rng(0), np.arange(60)
    moved = images.train.pixels[seeds].copy()
    moved[:30, :, :6, :6] = 1.0
    moved[30:] = np.clip(moved[30:] + 0.3 * generator.normal(size=moved[30:].shape), 0, 1)
    evidence = Evidence(
        label=0, budgets=(3.0,), seed_index=seeds, train_index=np.arange(8), translated=as_8_bit(moved)[None],
        features=np.zeros((1, 68, 5), np.float32), success=np.ones(1, np.float32), triggers=(),
    )  # fmt: skip
    found = in_spaces(model, images, evidence)
    assert tuple(found) == SPACES
    (rows,) = found["change"]
    np.testing.assert_allclose(rows.vectors.reshape(moved.shape), moved - images.train.pixels[seeds], atol=1 / 255)
    assert rows.scores.shape == (60, 5)
    assert coherence(rows.vectors[:30]) > 0.9
    assert tightest(rows.vectors, np.repeat([0, 1], 30)) == coherence(rows.vectors[:30])
    (features,) = found["feature change"]
    assert features.vectors.shape[0] == 60


@pytest.fixture
def small(trial, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.setattr(spaces, "SEEDS", 24)
    monkeypatch.setattr(spaces, "STAGES", (Stage(epsilon=1, step=0.5, iterations=2),))
    return trial


def test_what_was_measured_is_kept_and_found_again(small, monkeypatch):
    task = Spaces(trial=small)
    assert task.find() is None
    record = task.run()
    assert task.find() == record
    assert task.path == small.results / "spaces" / "quick" / "a-seed3.json"
    assert all(len(one.values) == len(small.images.class_names) for one in record.descriptions)
    assert {one.space for one in record.descriptions} == set(SPACES)
    assert not any("plane" in one.rule for one in record.descriptions)
    # What was measured without planes does not stand for what has them, but the other way round.
    whole = replace(task, planes=True)
    assert whole.find() is None
    assert {one.rule for one in whole.run().descriptions} == {"all", *RULES}
    assert task.find() == whole.find() is not None
    monkeypatch.setattr(spaces, "SEEDS", 30)
    assert task.find() is None
