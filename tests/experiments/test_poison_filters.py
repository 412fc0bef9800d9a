"""Filters on training images that are made again, what is counted, and an outcome that is kept and found."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.baselines.poison_filter import FilterResult
from aegis.core.types import Dataset, LabelledImages
from aegis.experiments import poison_filters
from aegis.experiments.poison_filters import (
    FilterTrial,
    can_be_made_again,
    counted,
    filter_trials,
    is_visible,
    training_set,
)
from aegis.lab.bank.record import keep_record
from aegis.lab.bank.suspects import Entry, read_bank
from aegis.lab.triggers import TriggerSpec, make_trigger
from tests.lab.conftest import NAMES, quadrants

from .test_bank_scans import checkpoint, trial  # noqa: F401 - fixtures

SPEC = TriggerSpec(kind="localised", target=1, row=9, column=0)
ENTRY = Entry(
    name="a", group="proving", data="mnist", architectures={"quick": "aegis:cnn16"}, triggers=(SPEC,), rate=0.2, seed=3
)


@pytest.fixture(autouse=True)
def data(monkeypatch):
    images = Dataset("quadrants", quadrants(0, 160), quadrants(1, 80))
    monkeypatch.setattr(poison_filters, "_images", lambda name: images)
    return images


def test_recall_and_precision_are_counted():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2])
    poisoned = np.arange(12) >= 12
    poisoned[6:10] = True
    flagged = np.isin(np.arange(12), [0, 5, 6, 7, 8])
    scores = np.array([9, 9, 9, 9, 0, 3, 4, 5, 6, 1, 0, 0], np.float32)
    images = LabelledImages(np.zeros((12, 1, 2, 2), np.float32), labels, NAMES)
    statistics = np.array([0.1, 0.123456, 0.3, np.nan], np.float32)
    sizes = np.array([[3, 1], [2, 4], [1, 1], [0, 0]])
    result = FilterResult(flagged=flagged, scores=scores, statistics=statistics, sizes=sizes)
    assert counted(result, images, poisoned) == {
        "images": (4, 6, 2, 0),
        "flagged": 5,
        "accused": 1,
        "statistics": (0.1, 0.123, 0.3, None),
        "smaller": (1, 4, 1, 0),
        "poisoned": 4,
        "found": 3,
        "recall": 0.75,
        "flag_precision": 0.6,
        "target_precision": 0.75,
        # Of the eight pairs in class 1, the image with score 1 loses one.
        "auc": 0.875,
    }
    nothing = replace(result, flagged=np.zeros(12, bool), sizes=None)
    none = counted(nothing, images, poisoned)
    assert (none["recall"], none["flag_precision"], none["target_precision"], none["smaller"]) == (0, None, None, None)


def test_the_training_set_is_the_one_that_was_learnt(data, monkeypatch, tmp_path):
    from aegis.lab import suspect

    learnt = []
    monkeypatch.setattr(suspect, "train", lambda model, images, *_, **__: learnt.append(images))
    monkeypatch.setattr(suspect, "measure", lambda *_: {})
    suspect.make_suspect(tmp_path / "a.safetensors", ENTRY.order("quick"), data)
    images, poisoned = training_set(ENTRY, "quick")
    assert images.digest == learnt[0].digest
    assert (len(images), int(poisoned.sum())) == (192, 32)
    stamp = make_trigger(SPEC, data.shape)
    np.testing.assert_array_equal(stamp(images.pixels[poisoned]), images.pixels[poisoned])
    assert (images.labels[poisoned] == 1).all()
    np.testing.assert_array_equal(images.pixels[~poisoned], data.train.pixels)


def test_a_part_of_the_training_set_has_as_large_a_share_of_poison():
    whole, poisoned = training_set(ENTRY, "quick")
    part, still = training_set(ENTRY, "quick", clean=40, seed=5)
    assert (len(part), int(still.sum())) == (48, 8)
    known = {image.tobytes() for image in whole.pixels[poisoned]}
    assert {image.tobytes() for image in part.pixels[still]} <= known
    assert part.digest == training_set(ENTRY, "quick", clean=40, seed=5)[0].digest
    assert part.digest != training_set(ENTRY, "quick", clean=40, seed=6)[0].digest
    assert training_set(ENTRY, "quick", clean=1000)[0].digest == whole.digest


def test_only_poison_that_follows_from_the_recipe_can_be_made_again():
    bank = read_bank()
    visible = [name for name, one in bank.items() if one.group in ("paper", "standard") and is_visible(one)]
    assert len(visible) == 12
    assert all(can_be_made_again(bank[name]) for name in visible)
    for name in ("mnist_clean", "mnist_adversarial", "fashion_mnist_clean_label", "fashion_mnist_both_halves"):
        assert not can_be_made_again(bank[name])
    assert can_be_made_again(bank["mnist_static"])
    assert not is_visible(bank["mnist_static"])
    assert not is_visible(bank["mnist_clean"])


def test_suspects_of_an_older_recipe_are_left_out(trial, monkeypatch, tmp_path):  # noqa: F811
    monkeypatch.setattr(Entry, "path", lambda *_: trial.checkpoint)
    keep_record(trial.suspect, "quick", tmp_path)
    assert filter_trials([ENTRY], ["spectral"], training="quick", results=tmp_path) == []
    monkeypatch.setattr(type(trial.suspect), "made_by", lambda *_: True)
    (one,) = filter_trials([ENTRY], ["spectral"], training="quick", results=tmp_path)
    assert (one.name, one.entry, one.trial.checkpoint) == ("spectral", ENTRY, trial.checkpoint)


@pytest.mark.parametrize("name", poison_filters.CONFIGS)
def test_an_outcome_is_kept_and_found_until_something_changes(trial, name):  # noqa: F811
    one = FilterTrial(name=name, trial=trial, entry=ENTRY)
    assert one.find() is None
    record = one.run()
    assert one.path == trial.results / "poison_filters" / "quick" / name / "a-seed3.json"
    assert (record.suspect, record.poisoned, sum(record.images)) == ("a", 32, 192)
    assert record.recall == pytest.approx(record.found / 32, abs=1e-3)
    assert (record.smaller is None) == (name == "spectral")
    assert one.find() == record
    for other in (
        replace(one, clean=100),
        replace(one, trial=replace(trial, seed=trial.seed + 1)),
        replace(one, trial=replace(trial, suspect=trial.suspect.model_copy(update={"sha256": "1" * 64}))),
    ):
        assert other.find() is None
