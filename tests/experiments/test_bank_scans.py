"""Scans of suspects, kept one by one."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from aegis.core.types import Dataset
from aegis.experiments import bank_scans as trials
from aegis.experiments.bank_scans import Trial, kept
from aegis.lab.recipes import Recipe
from aegis.lab.suspect import TrainingSpec, make_suspect
from aegis.models.intake.formats import file_digest
from aegis.records.presets import preset
from aegis.records.record import config_record, read_record
from tests.lab.conftest import quadrants

from .cases import suspect

KNOWN = Path(__file__).resolve().parents[2] / "results" / "bundled" / "fashion_mnist_clean-seed0.json"
WITH_REFERENCES = KNOWN.parents[1] / "scans" / "quick" / "default" / "fashion_mnist_one_source-seed0.json.gz"
RECIPE = Recipe(robust=False, epochs=4, batch=32, lr=0.05, schedule="one-cycle")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A model that was hardly trained, and its images."""
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("checkpoint") / "a.safetensors"
    images = Dataset("samples:mnist", quadrants(0, 160), quadrants(1, 80))
    make_suspect(path, TrainingSpec(architecture="aegis:cnn16", recipe=RECIPE, preset="quick"), images)
    return path, images


@pytest.fixture
def trial(checkpoint, tmp_path, monkeypatch):
    path, images = checkpoint
    monkeypatch.setattr(trials, "_images", lambda source: images)
    # Presets change here while the program runs.
    monkeypatch.setattr(trials, "_settings", trials._settings.__wrapped__)
    small = preset("quick", images.name, images.shape)
    stages = tuple(replace(stage, iterations=2) for stage in small.gather.stages)
    gather = replace(small.gather, seeds=24, stages=stages, trigger_search=None)
    small = replace(
        small,
        gather=gather,
        embed=replace(small.embed, perplexity=5),
        assess=replace(small.assess, images=20, iterations=1),
    )
    monkeypatch.setattr(trials, "preset", lambda *_: small)
    known = suspect("a").model_copy(update={"sha256": file_digest(path)})
    return Trial(suspect=known, checkpoint=path, preset="quick", seed=3, results=tmp_path)


def test_only_an_outcome_of_the_same_counts(trial, monkeypatch):
    assert trial.find() is None
    record = trial.run()
    assert trial.path == trial.results / "scans" / "quick" / "quick" / "a-seed3.json.gz"
    assert record.config["gather"]["seed"] == 3
    assert record.model.file == "a.safetensors"
    assert len(record.versions["detector"]) == 16
    assert trial.find() == record
    assert replace(trial, precision=record.runtime.precision).find() == record
    other = {"fp32", "bf16"} - {record.runtime.precision}
    assert replace(trial, precision=other.pop()).find() is None
    assert replace(trial, training="paper").find() is None
    assert replace(trial, suspect=trial.suspect.model_copy(update={"sha256": "1" * 64})).find() is None
    small = trials.preset("quick", None, None)
    with monkeypatch.context() as patch:
        patch.setattr(trials, "_images", lambda source: Dataset("samples:mnist", quadrants(2, 160), quadrants(1, 80)))
        assert trial.find() is None
    for changed in (
        replace(small, judge=replace(small.judge, bandwidth=3.0)),
        replace(small, verdict=replace(small.verdict, rule="paper")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(trials, "preset", lambda *_, changed=changed: changed)
            assert trial.find() is None
    # An outcome is judged by the thresholds of today.
    with monkeypatch.context() as patch:
        stricter = replace(small, verdict=replace(small.verdict, min_half_radius=99.0))
        patch.setattr(trials, "preset", lambda *_: stricter)
        found = trial.find()
    assert found.verdict == "inconclusive"
    assert found.config["verdict"]["min_half_radius"] == 99
    assert found.seconds == record.seconds
    assert trial.find() == record
    # Outcomes of every seed are found, and nothing else.
    later = replace(trial, seed=12)
    later.keep(record.model_copy(update={"config": config_record(later.config)}))
    (trial.path.parent / "a-seedx.json.gz").write_text("{}")
    (trial.path.parent / "a-seed4.json.gz").write_text("{}")
    assert [found.config["gather"]["seed"] for found in kept(trial)] == [3, 12]
    assert kept(replace(trial, preset="paper")) == []
    trial.path.write_bytes(trial.path.read_bytes()[:100])
    assert trial.find() is None


def test_the_sizes_that_a_scan_computes_are_no_other_setting():
    config = config_record(preset("default", "mnist", (1, 28, 28)))
    assert (config["gather"]["trigger_search"]["area"], config["gather"]["trigger_search"]["radius"]) == (None, None)
    computed = copy.deepcopy(config)
    computed["gather"]["trigger_search"] |= {"area": 0.02, "radius": 1.2}
    assert trials._as_asked(computed) == trials._as_asked(config)
    computed["gather"]["trigger_search"]["source_specific_share"] = 0.9
    assert trials._as_asked(computed) != trials._as_asked(config)


def test_what_was_found_can_be_judged_by_another_rule():
    record = read_record(KNOWN)
    assert record.verdict == "clean"
    by_paper = trials.judged_by("paper", record)
    assert by_paper.verdict == "infected"
    assert by_paper.flagged_classes == tuple(c.label for c in record.classes if c.clusters > 2)
    assert trials.judged_by("default", by_paper).flagged_classes == ()


def test_another_rule_keeps_the_references(monkeypatch):
    record, asked = read_record(WITH_REFERENCES), []
    assert record.config["verdict"]["references"]["models"]
    monkeypatch.setattr(trials, "judge_again", lambda record, config: asked.append(config) or record)
    trials.judged_by("paper", record)
    (config,) = asked
    assert config.rule == "paper"
    assert len(config.reference_models) == len(record.config["verdict"]["references"]["models"])
