"""Runs tasks whose results are saved: side by side, and in a second run only those that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from aegis.core.errors import ConfigError
from aegis.fleet.local import Failed, run_in_processes

R = TypeVar("R", covariant=True)
NONE: Mapping[int, int] = {}


@runtime_checkable
class Task(Protocol[R]):
    """A computation whose result is saved; it can be sent to other processes."""

    def find(self) -> R | None:
        """Reads the saved result, or gives None."""

    def run(self, workers: int | None = None) -> R:
        """Computes the result and saves it.

        Args:
            workers: classes examined side by side, or None for one per processor core.

        Returns:
            The result.
        """


def run_all(
    tasks: Sequence[Task[R]],
    jobs: int = 1,
    *,
    after: Mapping[int, int] = NONE,
    isolated: bool = False,
    failed: Failed | None = None,
    tick: Callable[[], None] | None = None,
) -> Iterator[tuple[int, R, bool]]:
    """Finds what is kept and computes the rest, several tasks side by side.

    Args:
        tasks: what to compute.
        jobs: processes side by side. With one, a task may use every core; with more, each has one core.
        after: for the position of a task, that of the one it depends on, which runs first. If that one is computed now,
            so is the task, even if its result was saved.
        isolated: use a process, with one core, even for one job.
        failed: called with position and error of each task that fails in a process; then only its dependents are
            skipped, and the first error is raised at the end. None: the first failure ends all.
        tick: called every half second while processes work; an error that it raises ends them.

    Returns:
        Position, result and whether it was computed now, for every task: first those kept, then others as they finish.

    Raises:
        AegisError: of the first task that fails.
    """
    if jobs < 1:
        raise ConfigError("at least 1 job", str(jobs), "Leave it out for one after another.")
    found = [task.find() for task in tasks]
    missing = [i for i in range(len(tasks)) if any(found[j] is None for j in _chain(i, after))]
    for i, result in enumerate(found):
        if i not in missing and result is not None:
            yield i, result, False
    if jobs == 1 and not isolated:
        for i in sorted(missing, key=lambda i: len(_chain(i, after))):
            yield i, tasks[i].run(), True
        return
    for i, result in run_in_processes({i: partial(tasks[i].run, 1) for i in missing}, jobs, after, failed, tick):
        yield i, result, True


def _chain(i: int, after: Mapping[int, int]) -> list[int]:
    """A task, the one that it depends on, the one that this depends on, and so on."""
    return [i, *(_chain(after[i], after) if i in after else [])]
