"""Tasks of running processes, the arrays that they use, and tasks interrupted because their process was killed."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aegis.core.process import Process, this_process
from aegis.core.text import escaped
from aegis.store.index import open_index


@dataclass(frozen=True)
class Work:
    """A task that was registered and has not ended: a scan, a training, a report or many of them.

    Args:
        kind: words for people: *scan*, *positive control*, *training*, *report*, *bank scan*.
        what: the file or folder that the task is about.
        key: tells the task from others of its kind, in hex; a scan's is the key of its result.
        resume_hint: how to resume it, as a command or a sentence.
        begun: start time in UTC, to the second, in ISO 8601.
        process: the process that runs it.
    """

    kind: str
    what: str
    key: str
    resume_hint: str
    begun: str
    process: Process

    @property
    def is_command(self) -> bool:
        """Whether ``resume_hint`` is a command for a shell."""
        return self.resume_hint.startswith("cd ")


@dataclass(eq=False)
class Session:
    """The current task of one user of a store, visible to all others through the index.

    Args:
        index: the sqlite file.
        id: of the task's row; None without a task.
        claimed: keys of the arrays that the task uses.
    """

    index: Path
    id: int | None = None
    claimed: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self, kind: str = "", what: str = "", key: str = "", resume_hint: str = "") -> None:
        """Registers a task, which replaces this session's previous one and interrupted ones of the same kind and key.

        Args:
            kind, what, key, resume_hint: as in ``Work``; empty for a user who only reads and writes arrays.

        Raises:
            sqlite3.Error: if the index cannot be written.
        """
        # Names of files need not be text, and what is kept must be.
        begun = datetime.now(UTC).isoformat(timespec="seconds")
        work = Work(kind, escaped(what), key, escaped(resume_hint), begun, this_process())
        with self.lock, open_index(self.index, write=True) as index:
            _drop(index, self.id)
            self.claimed.clear()
            drop_interrupted(index, kind, key)
            self.id = _insert(index, work)

    def claim(self, *keys: str, replace: bool = False) -> None:
        """Protects arrays from removal until the task ends.

        Args:
            keys: of the arrays.
            replace: they are about to be written anew, so their size and digest in the index no longer hold.

        Raises:
            sqlite3.Error: if the index cannot be written.
        """
        with self.lock:
            if self.id is None:
                self.begin()
            with open_index(self.index) as index:
                index.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?)", [(self.id, key) for key in keys])
                if replace:
                    index.executemany("DELETE FROM arrays WHERE key = ?", [(key,) for key in keys])
                else:
                    now = time.time()
                    index.executemany("UPDATE arrays SET used = ? WHERE key = ?", [(now, key) for key in keys])
            self.claimed.update(keys)

    def end(self) -> None:
        """Removes the task from the index; where that fails, it counts as over once its process ends."""
        with self.lock, suppress(sqlite3.Error):
            if self.id is None:
                return
            with open_index(self.index) as index:
                self.drop(index)
            self.detach()

    def drop(self, index: sqlite3.Connection) -> None:
        """Removes the task within a transaction of the caller, who calls ``detach`` after its commit."""
        _drop(index, self.id)

    def detach(self) -> None:
        """Detaches from the task but keeps its row, so that it counts as interrupted once the process ends."""
        self.id = None
        self.claimed.clear()


def works(index: sqlite3.Connection) -> list[tuple[int, Work]]:
    """Reads all registered tasks, running or interrupted.

    Returns:
        Pairs of row id and task, the latest first.
    """
    rows = index.execute("SELECT id, kind, what, key, again, begun, pid, start, boot FROM work ORDER BY id DESC")
    return [
        (id, Work(kind, what, key, again, begun, Process(*process)))
        for id, kind, what, key, again, begun, *process in rows.fetchall()
    ]


def living(index: sqlite3.Connection) -> set[int]:
    """Lists the tasks whose process is alive."""
    return {id for id, work in works(index) if work.process.alive}


def drop_dead(index: sqlite3.Connection) -> None:
    """Removes rows of ended processes that protected arrays without a task to resume."""
    for id, work in works(index):
        if not (work.kind or work.process.alive):
            _drop(index, id)


def drop_interrupted(index: sqlite3.Connection, kind: str, key: str) -> None:
    """Removes interrupted tasks of a kind and key."""
    for id, work in works(index):
        if (work.kind, work.key) == (kind, key) and not work.process.alive:
            _drop(index, id)


def _drop(index: sqlite3.Connection, id: int | None) -> None:
    index.execute("DELETE FROM work WHERE id = ?", (id,))
    index.execute("DELETE FROM uses WHERE work = ?", (id,))


def _insert(index: sqlite3.Connection, work: Work) -> int:
    process = work.process
    told = (work.kind, work.what, work.key, work.resume_hint, work.begun, process.pid, process.start, process.boot)
    cursor = index.execute(
        "INSERT INTO work (kind, what, key, again, begun, pid, start, boot) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", told
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
