"""Work in pieces: what is there is found, what is missing is done, one after another or side by side."""

import multiprocessing
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from aegis.core.errors import AegisError, ConfigError, DataError
from aegis.core.runtime import Cancelled
from aegis.fleet.executor import Slot
from aegis.fleet.messages import unpack
from aegis.fleet.tasks import answer, run_all

from .here import End, Here


@dataclass(frozen=True)
class Square:
    """A number's square in a file."""

    number: int
    folder: Path

    def needs(self):
        return ()

    def makes(self):
        return (self.folder / str(self.number),)

    def find(self):
        return int(self.makes()[0].read_text()) if self.makes()[0].exists() else None

    def keep(self, record):
        self.makes()[0].write_text(str(record))

    def run(self, workers=None):
        self.keep(self.number**2)
        return self.number**2


@dataclass(frozen=True)
class Endless(Square):
    """A task that never ends by itself."""

    def run(self, workers=None):
        threading.Event().wait()


@dataclass(frozen=True)
class Failing(Square):
    """A task that always fails."""

    def run(self, workers=None):
        raise ConfigError("a number", "none", "Give one.")


@dataclass(frozen=True)
class Deadly(Square):
    """A task that ends its process the first time."""

    def run(self, workers=None):
        tried = self.folder / "tried"
        if not tried.exists():
            tried.touch()
            os._exit(1)
        return super().run()


@dataclass(frozen=True)
class Sum(Square):
    """The number with one more that is in a file."""

    other: int

    def needs(self):
        return (self.folder / str(self.other),)

    def run(self, workers=None):
        self.keep(self.number + int(self.needs()[0].read_text()))


def test_what_is_there_comes_first_and_is_not_computed_again(tmp_path):
    tasks = [Square(i, tmp_path) for i in (3, 4, 5)]
    tasks[1].keep(-1)
    assert list(run_all(tasks)) == [(1, -1, False), (0, 9, True), (2, 25, True)]
    assert list(run_all(tasks)) == [(0, 9, False), (1, -1, False), (2, 25, False)]


def test_no_processes_at_all(tmp_path):
    with pytest.raises(ConfigError, match="at least 1 job"):
        list(run_all([Square(1, tmp_path)], jobs=0))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_runs_after_the_one_that_it_depends_on(tmp_path, jobs):
    tasks = [Square(i, tmp_path) for i in (3, 4, 5, 6)]
    for task in (tasks[0], tasks[3]):
        task.keep(-1)
    # What depends on a result that is computed now is computed anew.
    first, *others = run_all(tasks, jobs, after={0: 1, 1: 2})
    assert first == (3, -1, False)
    assert others == [(2, 25, True), (1, 16, True), (0, 9, True)]
    assert tasks[2].find() == 25
    assert [now for _, _, now in run_all(tasks, jobs, after={0: 1, 1: 2})] == [False] * 4


@pytest.mark.parametrize("isolated", [False, True])
def test_a_failure_comes_after_what_was_finished(tmp_path, isolated):
    outcomes = run_all([Failing(4, tmp_path), Square(3, tmp_path)], after={0: 1}, isolated=isolated)
    assert next(outcomes) == (1, 9, True)
    with pytest.raises(ConfigError, match="a number"):
        next(outcomes)


def test_work_that_is_no_longer_wanted_ends_without_waiting_for_it(tmp_path):
    ticks = []

    def tick():
        ticks.append(1)
        if len(ticks) > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(run_all([Endless(1, tmp_path)], jobs=1, isolated=True, tick=tick))
    assert not [child for child in multiprocessing.active_children() if child.is_alive()]


def test_a_task_whose_process_died_is_tried_once_more(tmp_path):
    tasks = [Deadly(4, tmp_path), Square(6, tmp_path)]
    assert sorted(run_all(tasks, jobs=2)) == [(0, 16, True), (1, 36, True)]


def test_one_whose_process_dies_again_is_told_and_others_go_on(tmp_path):
    def work(message):
        if b":Failing" in message:
            raise End("died")
        return answer(message)

    failed, outcomes = [], []
    with pytest.raises(AegisError, match=r"one that ended by itself \(twice\)"):
        outcomes.extend(
            run_all(
                [Failing(4, tmp_path), Square(3, tmp_path)], failed=lambda i, _: failed.append(i), executor=Here(work)
            )
        )
    assert (failed, outcomes) == ([0], [(1, 9, True)])


def test_files_travel_where_machines_share_none(tmp_path):
    tasks, sent = [Sum(5, tmp_path, other=3), Square(3, tmp_path)], []

    def elsewhere(message):
        """Another machine, which has only what it was sent, and of whose files only those that it sends are here."""
        for path in tmp_path.iterdir():
            path.unlink()
        sent.append(message)
        answered = answer(message)
        for path in tmp_path.iterdir():
            path.unlink()
        return answered

    executor = Here(elsewhere)
    executor.shares_disk = False
    assert list(run_all(tasks, after={0: 1}, executor=executor)) == [(1, 9, True), (0, 14, True)]
    assert [unpack(message)[1] for message in sent] == [{}, {"0": b"9"}]
    assert executor.closed


def test_a_failure_elsewhere_keeps_its_message(tmp_path):
    with pytest.raises(ConfigError, match="a number") as failure:
        list(run_all([Failing(4, tmp_path)], executor=Here(answer)))
    assert failure.value.advice == "Give one."


@dataclass(frozen=True)
class OfOthers(Square):
    """A task that no machine has the images for, except one."""

    def run(self, workers=None):
        if os.environ["NODE"] != "right":
            raise DataError("these images", f"those of {os.environ['NODE']}", "Give them.")
        return super().run()


@pytest.mark.parametrize("there", [True, False])
def test_a_node_with_other_images_loses_the_task_to_the_next(tmp_path, monkeypatch, there):
    slots = (Slot(0, "wrong"), Slot(1, "right" if there else "other"))

    class Nodes(Here):
        def submit(self, slot, number, message, share):
            monkeypatch.setenv("NODE", slot.node)
            super().submit(slot, number, message, share)

    outcomes = run_all([OfOthers(4, tmp_path)], executor=Nodes(answer, slots))
    if there:
        assert list(outcomes) == [(0, 16, True)]
    else:
        with pytest.raises(DataError, match="those of other"):
            list(outcomes)


def test_a_result_that_is_not_the_one_asked_for_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(Square, "find", lambda self: None)
    with pytest.raises(DataError, match="Give every node the same images"):
        list(run_all([Square(4, tmp_path)], executor=Here(answer)))
