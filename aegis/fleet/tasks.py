"""Runs tasks whose outcomes are saved: side by side, and in a second run only those that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from typing import Protocol, TypeVar, runtime_checkable

from aegis.core.errors import ConfigError
from aegis.fleet.local import processes

R = TypeVar("R")


@runtime_checkable
class Task(Protocol[R]):
    """A computation whose outcome is saved; it can be sent to other processes."""

    def find(self) -> R | None:
        """Reads the saved outcome, or gives None."""

    def keep(self, record: R) -> None:
        """Writes an outcome.

        Args:
            record: the outcome.
        """

    def run(self, workers: int | None = None) -> R:
        """Computes the outcome and writes it.

        Args:
            workers: classes examined side by side, or None for one per processor core.

        Returns:
            The outcome.
        """


def run_all(tasks: Sequence[Task[R]], jobs: int = 1) -> Iterator[tuple[int, R, bool]]:
    """Gives the outcome of every task: first those that are saved, then those computed now.

    Args:
        tasks: the tasks.
        jobs: number of processes, at least 1. With one, a task may use every core; with more, each has one core.

    Returns:
        For each task: its position, its outcome, and whether it was computed now.

    Raises:
        AegisError: for the first task that fails; tasks under way end.
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
