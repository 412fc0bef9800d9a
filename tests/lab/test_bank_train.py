"""BuildInfo suspects of the bank, side by side and again."""

import shutil
from dataclasses import replace

import pytest

from aegis.core.errors import ConfigError
from aegis.core.types import Dataset
from aegis.lab.bank.record import read_bank_record, record_path
from aegis.lab.bank.suspects import Entry
from aegis.lab.bank.train import BankBuilder
from aegis.lab.suspect import state_of
from aegis.lab.triggers import TriggerSpec
from aegis.models.card import read_truth

from .conftest import quadrants

SETTINGS = {"epochs": 4, "batch": 32, "lr": 0.05}


def source(name):
    """The quadrants, by any name."""
    return Dataset(name, quadrants(0, 160), quadrants(1, 80))


def entry(name, **changes):
    kept = {"quick": "aegis:cnn16"}
    return Entry(
        name=name, group="proving", data="quadrants", architectures=kept, robust=False, recipe=SETTINGS, **changes
    )


CLEAN = entry("clean", seed=1)
MADE_ON_IT = entry("bad", triggers=(TriggerSpec(kind="adversarial", target=2),), on="clean", seed=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank")
    workshop = BankBuilder(folder=folder, results=folder / "results", precision="fp32", source=source)
    return workshop, [workshop.make(CLEAN), workshop.make(MADE_ON_IT, CLEAN.path("quick", folder))]


def test_the_record_says_what_was_made(made):
    workshop, records = made
    clean, record = records
    path = MADE_ON_IT.path("quick", workshop.folder)
    truth = read_truth(path)
    assert record == read_bank_record("bad", "quick", workshop.results)
    assert record.metrics == truth.metrics
    assert record.recipe == truth.recipe
    assert record.size == path.stat().st_size
    assert record.making.seconds > 0
    assert not record.making.resumed
    assert record.making.precision == "fp32"
    assert record.made_by(MADE_ON_IT, "quick")
    assert not record.made_by(replace(MADE_ON_IT, seed=3), "quick")
    assert not record.made_by(replace(MADE_ON_IT, architectures={"quick": "aegis:cnn32"}), "quick")
    assert record.infected
    assert record.success == truth.metrics["attack_success_lift"]
    assert [(trigger.kind, trigger.goal.target) for trigger in record.triggers] == [("adversarial", 2)]
    assert not clean.infected
    assert clean.success is None
    assert clean.metrics["accuracy"] > 0.9


def test_what_is_there_is_not_made_again(made):
    workshop, records = made
    before = CLEAN.path("quick", workshop.folder).read_bytes()
    again = list(workshop.make_all([CLEAN, MADE_ON_IT], jobs=1))
    assert again == [(record, False) for record in records]
    assert CLEAN.path("quick", workshop.folder).read_bytes() == before


def test_a_lost_or_broken_record_is_written_anew_without_what_nobody_knows(made):
    workshop, records = made
    path = record_path("clean", "quick", workshop.results)
    kept = path.read_text()
    known = records[0].model_copy(update={"making": None})
    path.unlink()
    assert workshop.find(CLEAN) == known
    path.write_text("{}")
    assert read_bank_record("clean", "quick", workshop.results) is None
    assert workshop.find(CLEAN) == known
    path.write_text(kept)
    # A state that was left beside the finished suspect goes.
    left = state_of(CLEAN.path("quick", workshop.folder))
    left.touch()
    assert workshop.find(CLEAN)
    assert not left.exists()


def test_an_interrupted_training_is_taken_up_and_says_so(made, tmp_path, monkeypatch):
    workshop, records = made
    import aegis.lab.train

    save = aegis.lab.train._save

    def save_and_stop(state, signature, epoch, *parts):
        save(state, signature, epoch, *parts)
        if epoch == 2:
            raise KeyboardInterrupt

    again = replace(workshop, folder=tmp_path, results=tmp_path)
    monkeypatch.setattr(aegis.lab.train, "_save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        again.make(CLEAN)
    monkeypatch.setattr(aegis.lab.train, "_save", save)
    record = again.make(CLEAN)
    assert record.making.resumed
    assert record.metrics == records[0].metrics


def test_bases_come_first_and_what_cannot_be_made_stops_no_other(made, tmp_path):
    workshop, records = made
    folder = tmp_path / "copy"
    shutil.copytree(workshop.folder, folder)
    CLEAN.path("quick", folder).unlink()
    impossible = entry("impossible", triggers=(TriggerSpec(kind="localised", target=4),))
    made_on_it, told = replace(MADE_ON_IT, name="worse", on="impossible"), []
    making = replace(workshop, folder=folder, results=folder / "results").make_all(
        [made_on_it, MADE_ON_IT, impossible, CLEAN], jobs=1, failed=lambda one, _: told.append(one.name)
    )
    # What is made on something made anew is made anew, and as it was.
    again = [next(making), next(making)]
    assert [(record.name, record.metrics, now) for record, now in again] == [
        (record.name, record.metrics, True) for record in records
    ]
    with pytest.raises(ConfigError, match="target class from 0 to 3"):
        next(making)
    assert told == ["impossible"]


def test_what_cannot_be_asked_for(made):
    workshop, _ = made
    with pytest.raises(ConfigError, match="clean, on which bad is made"):
        list(workshop.make_all([MADE_ON_IT]))
    with pytest.raises(ConfigError, match="at least 1 job"):
        list(workshop.make_all([CLEAN], jobs=0))
