"""Runs tasks whose results are saved: side by side, and in a second run only those that are missing."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from aegis.core.errors import ConfigError, DataError
from aegis.core.failures import process_died
from aegis.core.files import whole_file
from aegis.fleet.executor import LIBRARIES, Ended, Executor, Share
from aegis.fleet.local import Processes
from aegis.fleet.messages import pack, unpack
from aegis.fleet.portable import describe, describe_error, restore, restore_error
from aegis.fleet.queue import Piece, Queue

R = TypeVar("R", covariant=True)
T = TypeVar("T")
NONE: Mapping[int, int] = {}
# Is told the number of a task and the error that it raised.
Failed = Callable[[int, Exception], None]


@runtime_checkable
class Task(Protocol[R]):
    """A computation whose result is saved; other processes are sent it as ``portable.describe`` writes it."""

    def needs(self) -> tuple[Path, ...]:
        """Files that it reads, beside images, which every machine has."""

    def makes(self) -> tuple[Path, ...]:
        """Files that hold its result."""

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
    executor: Executor | None = None,
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
        executor: where to compute, of ``answer``, and closed at the end; None for ``jobs`` processes of this machine.

    Returns:
        Position, result and whether it was computed now, for every task: first those kept, then others as they finish.

    Raises:
        Exception: of the first task that fails, most often an ``AegisError``.
    """
    # Processes begin with their first task.
    with closing(executor or Processes(answer, jobs)) as where:
        if jobs < 1:
            raise ConfigError("at least 1 job", str(jobs), "Leave it out for one after another.")
        found = [task.find() for task in tasks]
        missing = [i for i in range(len(tasks)) if any(found[j] is None for j in _chain(i, after))]
        for i, result in enumerate(found):
            if i not in missing and result is not None:
                yield i, result, False
        if jobs == 1 and not isolated and executor is None:
            for i in sorted(missing, key=lambda i: len(_chain(i, after))):
                yield i, tasks[i].run(), True
        else:
            dispatch = _Dispatch({i: tasks[i] for i in missing}, where, after, failed, tick or (lambda: None))
            for i, result in dispatch.run():
                yield i, result, True


@dataclass(eq=False)
class _Dispatch(Generic[T]):
    """Hands tasks to an executor through a queue, and collects their results.

    Args:
        tasks: by number; a task waits until the one that it depends on has ended well.
        executor: runs them.
        after, failed, tick: as in ``run_all``.
        done: numbers and results that nobody was given yet.
        first: the first failure.
        why: of each task that failed for the images of a node, how.
    """

    tasks: Mapping[int, Task[T]]
    executor: Executor
    after: Mapping[int, int]
    failed: Failed | None
    tick: Callable[[], None]
    done: deque[tuple[int, T]] = field(default_factory=deque, init=False)
    first: Exception | None = field(default=None, init=False)
    why: dict[int, Exception] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._queue = Queue(self.executor, lambda: False, self._ended, self.tick)
        for i in self.tasks:
            if self.after.get(i) not in self.tasks:
                self._put(i)

    def run(self) -> Iterator[tuple[int, T]]:
        """Gives numbers with results as tasks end.

        Raises:
            Exception: the first of a task, once the results of all that had ended were given.
        """
        for _ in self._queue.turns():
            while self.done:
                yield self.done.popleft()
            # Without anybody to be told of failures, the first ends all.
            if self.first is not None and self.failed is None:
                break
        if self.first is not None:
            raise self.first

    def _put(self, i: int) -> None:
        self._queue.put(Piece(i, lambda: self._message(self.tasks[i]), Share(LIBRARIES)))

    def _message(self, task: Task[object]) -> bytes:
        apart = not self.executor.shares_disk
        said = {"task": describe(task), "folder": str(Path.cwd()), "send": apart}
        return pack(said, _read(task.needs()) if apart else {})

    def _ended(self, piece: Piece, ended: Ended) -> None:
        i = piece.group
        try:
            self.done.append((i, self._result(i, ended)))
        except Exception as error:  # whatever a task does must not end the others
            if isinstance(error, DataError) and ended.slot.node:
                # Other nodes may have other images.
                self.why[i] = error
                piece.avoid.add(ended.slot.node)
                self._queue.put(piece)
            else:
                self._fail(i, error)
            return
        for other, one in self.after.items():
            if one == i and other in self.tasks:
                self._put(other)

    def _fail(self, i: int, error: Exception) -> None:
        self.first = self.first or error
        if self.failed is not None:
            self.failed(i, error)

    def _result(self, i: int, ended: Ended) -> T:
        """Keeps what came back.

        Raises:
            Exception: if the task failed.
        """
        task = self.tasks[i]
        if ended.how == "nowhere":
            raise self.why[i]
        if ended.how == "memory":
            raise MemoryError
        if ended.how != "answered":
            raise process_died("twice", "fewer side by side")
        said, files = unpack(ended.answer)
        if "error" in said:
            raise restore_error(said)
        _write(task.makes(), files)
        result = task.find()
        if result is None:
            raise DataError("a result of the images that are here", "one of others", "Give every node the same images.")
        return result


def answer(message: bytes) -> bytes:
    """Runs a task that another process asks for.

    Args:
        message: of ``run_all``.

    Returns:
        The files that the task made, if they are asked for; or its error.
    """
    try:
        said, files = unpack(message)
        if Path(said["folder"]).is_dir():
            os.chdir(said["folder"])
        task = restore(said["task"])
        _write(task.needs(), files)
        task.run(1)
        return pack({}, _read(task.makes()) if said["send"] else {})
    except (Exception, SystemExit) as error:  # whoever asked is told, and others go on
        return pack(describe_error(error))


def _read(paths: Sequence[Path]) -> dict[str, bytes]:
    """Reads files by their place in the list, since other machines may have them under other paths."""
    return {str(i): path.read_bytes() for i, path in enumerate(paths)}


def _write(paths: Sequence[Path], files: Mapping[str, bytes]) -> None:
    """Writes what ``_read`` read, apart from files that are there already."""
    for i, path in enumerate(paths):
        content = files.get(str(i))
        if content is not None and not (path.is_file() and path.read_bytes() == content):
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as file:
                file.write(content)


def _chain(i: int, after: Mapping[int, int]) -> list[int]:
    """A task, the one that it depends on, the one that this depends on, and so on."""
    return [i, *(_chain(after[i], after) if i in after else [])]
