"""Long work in pieces that are each kept: done side by side, and run again, only what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from typing import Protocol, TypeVar, runtime_checkable

from aegis.core.errors import ConfigError
from aegis.fleet.local import processes

R = TypeVar("R")


@runtime_checkable
class Task(Protocol[R]):
    """What is computed once and kept; it is sent to other processes."""

    def find(self) -> R | None:
        """The outcome, if it is there."""

    def keep(self, record: R) -> None:
        """Write the outcome."""

    def run(self, workers: int | None = None) -> R:
        """Compute the outcome and write it."""


def run_all(tasks: Sequence[Task[R]], jobs: int = 1) -> Iterator[tuple[int, R, bool]]:
    """The position of every task with its outcome, and whether it was computed now; first those that were there.

    Args:
        tasks: what to compute.
        jobs: processes side by side. With one, a task may use every core; with more, each has one core.

    Raises:
        AegisError: for the first that fails; those under way end.
    """
    if jobs < 1:
        raise ConfigError("at least 1 job", str(jobs), "Leave it out for one after another.")
    missing = []
    for i, task in enumerate(tasks):
        if (found := task.find()) is not None:
            task.keep(found)
            yield i, found, False
        else:
            missing.append(i)
    if jobs == 1:
        for i in missing:
            yield i, tasks[i].run(), True
        return
    with processes(jobs) as pool:
        futures = {pool.submit(tasks[i].run, 1): i for i in missing}
        for future in as_completed(futures):
            yield futures[future], future.result(), True
