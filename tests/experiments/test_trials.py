"""Scans of suspects, kept one by one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from aegis.detect.config import preset
from aegis.detect.record import read_record
from aegis.errors import ConfigError
from aegis.experiments import trials
from aegis.experiments.trials import Trial, run_all, trials_of
from aegis.lab.recipes import Recipe
from aegis.lab.suspect import Order, make_suspect
from aegis.types import Dataset
from tests.lab.conftest import quadrants

from .cases import suspect

KNOWN = Path(__file__).resolve().parents[2] / "results" / "bundled" / "fashion_mnist_clean-seed0.json"
RECIPE = Recipe(robust=False, epochs=4, batch=32, lr=0.05, schedule="one-cycle")


@pytest.fixture
def trial(tmp_path, monkeypatch):
    torch.set_num_threads(1)
    images = Dataset("samples:mnist", quadrants(0, 160), quadrants(1, 80))
    make_suspect(tmp_path / "a.safetensors", Order(architecture="aegis:cnn16", recipe=RECIPE, preset="quick"), images)
    monkeypatch.setattr(trials, "load_dataset", lambda source: images)
    small = preset("quick", images.name, images.shape)
    stages = tuple(replace(stage, iterations=2) for stage in small.gather.stages)
    gather = replace(small.gather, seeds=24, stages=stages, transplant=None)
    small = replace(
        small,
        gather=gather,
        embed=replace(small.embed, perplexity=5),
        assess=replace(small.assess, images=20, iterations=1),
    )
    monkeypatch.setattr(trials, "preset", lambda *_: small)
    return Trial(
        name="a", checkpoint=tmp_path / "a.safetensors", data="mnist", preset="quick", seed=3, results=tmp_path
    )


def test_an_outcome_is_kept_and_found_again(trial):
    ((_, record, now),) = run_all([trial])
    assert now
    assert trial.path == trial.results / "scans" / "quick" / "a-seed3.json"
    assert record.config["gather"]["seed"] == 3
    assert record.model.file == "a.safetensors"
    assert list(run_all([trial])) == [(trial, record, False)]


def test_an_outcome_of_another_checkpoint_or_a_broken_one_does_not_count(trial):
    record = trial.run()
    content = trial.checkpoint.read_bytes()
    weight = bytearray(content)
    weight[-1] ^= 1
    trial.checkpoint.write_bytes(weight)
    assert trial.find() is None
    trial.checkpoint.write_bytes(content)
    assert trial.find() == record
    trial.path.write_text(trial.path.read_text()[:100])
    assert trial.find() is None


def test_every_suspect_with_the_first_seed_comes_before_the_second(tmp_path):
    known = [(suspect(name), tmp_path / name) for name in "ab"]
    found = [(trial.name, trial.seed) for trial in trials_of(known, "default", [0, 4], tmp_path)]
    assert found == [("a", 0), ("b", 0), ("a", 4), ("b", 4)]


def test_no_processes_at_all(trial):
    with pytest.raises(ConfigError, match="at least 1 job"):
        list(run_all([trial], jobs=0))


class Told(Trial):
    """A trial whose outcome was known before."""

    def run(self, device="auto", precision="auto", workers=None):
        assert workers == 1
        return read_record(KNOWN)


def test_side_by_side_every_trial_has_its_outcome(tmp_path):
    told = [
        Told(name=f"x{i}", checkpoint=KNOWN, data="fashion_mnist", preset="quick", seed=i, results=tmp_path)
        for i in range(3)
    ]
    outcomes = list(run_all(told, jobs=2))
    assert sorted(trial.name for trial, _, now in outcomes if now) == ["x0", "x1", "x2"]
    assert all(record == read_record(KNOWN) for _, record, _ in outcomes)
