"""Work in pieces: what is there is found, what is missing is done, one after another or side by side."""

import multiprocessing
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from aegis.core.errors import ConfigError
from aegis.core.runtime import Cancelled
from aegis.fleet.tasks import run_all


@dataclass(frozen=True)
class Square:
    """A number's square in a file."""

    number: int
    folder: Path

    def find(self):
        path = self.folder / str(self.number)
        return int(path.read_text()) if path.exists() else None

    def keep(self, record):
        (self.folder / str(self.number)).write_text(str(record))

    def run(self, workers=None):
        self.keep(self.number**2)
        return self.number**2


class Endless(Square):
    """A task that never ends by itself."""

    def run(self, workers=None):
        threading.Event().wait()


class Failing(Square):
    """A task that always fails."""

    def run(self, workers=None):
        raise ConfigError("a number", "none", "Give one.")


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
