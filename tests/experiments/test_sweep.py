"""One suspect under many settings: planted points, and a small model from end to end."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from aegis.attacks.pgd import pgd
from aegis.core.types import Embedding, Evidence, Stage
from aegis.experiments import sweep
from aegis.experiments.sweep import Sweep, growing, never_binds, part_of
from aegis.records.config import EmbedConfig, GatherConfig, JudgeConfig, ScanConfig

from .test_bank_scans import checkpoint, trial  # noqa: F401 - fixtures


def test_budgets_grow_with_steps_that_reach_them():
    stages = growing((1.0, 3.0))
    assert [stage.epsilon for stage in stages] == [1.0, 3.0]
    for stage, way in zip(stages, (1.0, 2.0), strict=True):
        assert stage.step * stage.iterations == pytest.approx(2.5 * way)


@pytest.mark.parametrize(("shape", "longest"), [((1, 28, 28), 28), ((3, 32, 32), math.sqrt(3072))])
def test_what_no_image_can_reach_does_not_bind(shape, longest):
    assert never_binds(longest + 1e-9, shape)
    assert not never_binds(longest - 0.1, shape)


def test_an_epsilon_that_does_not_bind_changes_not_a_bit():
    """What stands for a whole row of Table 7: translation is the same for every such budget."""
    generator = torch.Generator().manual_seed(0)
    images, weights = torch.rand(6, 1, 4, 4, generator=generator), torch.randn(16, 3, generator=generator)
    labels = torch.ones(6, dtype=torch.int64)
    stages = [[Stage(epsilon=epsilon, step=1.5, iterations=20)] for epsilon in (4.0, 60.0, 140.0)]
    ends = [pgd(lambda x: x.flatten(1) @ weights, images, labels, stage, targeted=True)[0] for stage in stages]
    assert torch.equal(ends[0], ends[1])
    assert torch.equal(ends[0], ends[2])


def blobs(centres, each, generator):
    return np.concatenate([c + generator.normal(size=(each, 2)) for c in centres]).astype(np.float32)


def evidence(seeds=40, training=24):
    generator = np.random.default_rng(0)
    features = np.concatenate([blobs([(0, 0)], training, generator), blobs([(60, 0), (0, 60)], seeds // 2, generator)])
    return Evidence(
        label=3,
        budgets=(100.0,),
        seed_index=np.arange(seeds),
        train_index=np.arange(training),
        translated=np.zeros((1, seeds, 1, 2, 2), np.uint8),
        features=features[None],
        success=np.ones(1, np.float32),
        triggers=(),
    )


def test_a_part_has_the_first_seeds_and_training_images_from_everywhere():
    whole = evidence()
    part = part_of(whole, 10)
    assert part.seed_index.tolist() == list(range(10))
    assert (len(part.train_index), part.train_index[0], part.train_index[-1]) == (10, 0, 23)
    assert part.translated.shape[1] == 10
    np.testing.assert_array_equal(part.features[0, :10], whole.features[0, part.train_index])
    np.testing.assert_array_equal(part.features[0, 10:], whole.features[0, 24:34])
    most = part_of(whole, 30)
    assert (len(most.train_index), len(most.seed_index), most.features.shape[1]) == (24, 30, 54)


def test_every_number_of_seeds_and_every_bandwidth_is_clustered(monkeypatch):
    """Features are points already."""

    def as_they_are(found, config):
        return tuple(Embedding(f, found.is_translated, b) for f, b in zip(found.features, found.budgets, strict=True))

    monkeypatch.setattr(sweep, "embed", as_they_are)
    config = ScanConfig(
        gather=GatherConfig(stages=(Stage(epsilon=100, step=1, iterations=1),)),
        embed=EmbedConfig(),
        judge=JudgeConfig(bandwidth=20),
    )
    found = {(parameter, value): count for parameter, value, count in sweep._varied(evidence(), config, (10, 40), 40)}
    # Of the first ten seeds all lie in one place, of all of them in two.
    assert found == {
        ("seeds", 10): 2,
        ("seeds", 40): 3,
        ("epsilon", 100): 3,
        ("bandwidth", -3.0): 3,
        ("bandwidth", 0.0): 3,
        ("bandwidth", 3.0): 3,
    }
    wide = replace(config, judge=JudgeConfig(bandwidth=58))
    found = {(parameter, value): count for parameter, value, count in sweep._varied(evidence(), wide, (10, 40), 40)}
    assert found["bandwidth", -3.0] > found["bandwidth", 3.0]


def test_a_sweep_is_kept_and_found_again(trial, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.setattr(sweep, "SEEDS", (16, 24))
    monkeypatch.setattr(sweep, "USUAL", 16)
    monkeypatch.setattr(sweep, "BINDING", (1.0, 2.0))
    config = trial.config
    one = replace(config, gather=replace(config.gather, stages=config.gather.stages[-1:]))
    monkeypatch.setattr(type(trial), "config", property(lambda _: one))
    task = Sweep(trial=trial)
    assert task.find() is None
    record = task.run()
    assert task.find() == record
    assert task.path == trial.results / "sweeps" / "quick" / "a-seed3.json"
    got = [(s.parameter, s.value) for s in record.settings]
    bandwidths = [("bandwidth", away) for away in (-3, 0, 3)]
    assert sorted(got) == [*bandwidths, ("budget", 1), ("budget", 2), ("epsilon", 100), ("seeds", 16), ("seeds", 24)]
    classes = len(trial.images.class_names)
    assert all(len(s.clusters) == classes and min(s.clusters) >= 1 for s in record.settings)
    # The usual number of seeds is one of those that are varied, and the computed bandwidth one of the bandwidths.
    clusters = {(s.parameter, s.value): s.clusters for s in record.settings}
    assert clusters["seeds", 16] == clusters["epsilon", 100] == clusters["bandwidth", 0]
    monkeypatch.setattr(sweep, "BINDING", (1.0, 3.0))
    assert task.find() is None
