"""What tasks look like on their way to another machine, and that they arrive as they were."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from aegis.core.errors import ConfigError, StoreError
from aegis.data import load_dataset
from aegis.data.reader import Reader
from aegis.experiments.kept import trials_of
from aegis.experiments.poison_filters import FilterTrial
from aegis.experiments.rivals import RivalTrial
from aegis.experiments.spaces import Spaces
from aegis.experiments.sweep import Sweep
from aegis.fleet.portable import describe, describe_error, restore, restore_error
from aegis.fleet.tasks import Task
from aegis.lab.bank.suspects import read_bank
from aegis.lab.bank.train import BankBuilder, Training
from aegis.services.references import ReferencePlan, ReferenceTask


def travelled(task):
    return restore(json.loads(json.dumps(describe(task))))


def test_every_task_arrives_as_it_was():
    bank = read_bank()
    entry = next(one for one in bank.values() if one.triggers and one.on)
    trial = replace(trials_of([bank["mnist_localised"]], training="quick")[0], seed=3, precision="fp32")
    heard = []
    read = Reader(16, 1, heard.append)
    tasks = [
        trial,
        RivalTrial(name="nc", trial=trial),
        FilterTrial(name="spectral", trial=trial, entry=entry),
        Sweep(trial=trial),
        Spaces(trial=trial, planes=True),
        Training(BankBuilder(folder=Path("made")), entry, Path("base.safetensors")),
        ReferenceTask(ReferencePlan(source="photos", read=read, models=3), 1, "class-2"),
        ReferenceTask(ReferencePlan(source="photos"), 1, "train"),
    ]
    for task in tasks:
        assert travelled(task) == task
        assert isinstance(task, Task)
    # Who is told stays here.
    travelled(tasks[6]).plan.read.tell("nothing")
    assert heard == []
    assert travelled(tasks[7]).plan.read is load_dataset


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StoreError("a file", "none", "Write one."), "Expected a file; got none. Write one."),
        (OSError(28, "No space left on device", "a/b"), "[Errno 28] No space left on device: 'a/b'"),
        (MemoryError(), ""),
        (ZeroDivisionError("by nothing"), "ZeroDivisionError: by nothing"),
    ],
)
def test_an_error_says_the_same_elsewhere(error, message):
    again = restore_error(json.loads(json.dumps(describe_error(error))))
    assert str(again) == message
    unforeseen = isinstance(error, ZeroDivisionError)
    assert isinstance(again, RuntimeError if unforeseen else type(error))
    # Where it arose is only of use for what nobody foresaw.
    assert ["ZeroDivisionError: by nothing" in note for note in getattr(again, "__notes__", [])] == [True] * unforeseen


@dataclass
class Other:
    number: int


def test_what_another_version_lacks_is_named():
    for name in ("aegis.fleet.portable:Nothing", "aegis.nothing:describe"):
        with pytest.raises(ConfigError, match=name):
            restore({"name": name, "fields": {}})
    with pytest.raises(ConfigError, match="Other in this version"):
        restore({"name": f"{__name__}:Other", "fields": {"length": 3}})
    assert restore(describe(Other(3))) == Other(3)
