"""Work on its way: who does what, which arrays it uses, and what was interrupted when its process was killed."""

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
    """A scan, a training, a report or many of them, begun and not ended.

    Args:
        kind: words for people: *scan*, *positive control*, *training*, *report*, *bank scan*.
        what: the file or folder that it is about.
        key: what tells it from other work of its kind, in hex; a scan's is that of its result.
        again: what goes on with it, as a command or a sentence.
        begun: when, in UTC, to the second, in ISO 8601.
        process: whose it is.
    """

    kind: str
    what: str
    key: str
    again: str
    begun: str
    process: Process

    @property
    def is_command(self) -> bool:
        """Whether what goes on with it is a command for a shell."""
        return self.again.startswith("cd ")


@dataclass(eq=False)
class Session:
    """What one user of a store does at the moment, told to all others through the index.

    Args:
        index: the sqlite file.
        id: of its row; None while nothing is done.
        claimed: keys of the arrays that it uses.
    """

    index: Path
    id: int | None = None
    claimed: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self, kind: str = "", what: str = "", key: str = "", again: str = "") -> None:
        """Say what is being done; what was interrupted of the same is taken up with it.

        Raises:
            sqlite3.Error: if that cannot be kept.
        """
        # Names of files need not be text, and what is kept must be.
        begun = datetime.now(UTC).isoformat(timespec="seconds")
        work = Work(kind, escaped(what), key, escaped(again), begun, this_process())
        with self.lock, open_index(self.index, write=True) as index:
            _drop(index, self.id)
            self.claimed.clear()
            drop_interrupted(index, kind, key)
            self.id = _insert(index, work)

    def claim(self, key: str, *, replace: bool = False) -> None:
        """Say that the arrays of a key are used, so that they are not removed before this ends.

        Args:
            key: of the arrays.
            replace: they are about to be written anew, so what was known of them no longer holds.

        Raises:
            sqlite3.Error: if that cannot be kept.
        """
        with self.lock:
            if self.id is None:
                self.begin()
            with open_index(self.index) as index:
                index.execute("INSERT OR IGNORE INTO uses VALUES (?, ?)", (self.id, key))
                if replace:
                    index.execute("DELETE FROM arrays WHERE key = ?", (key,))
                else:
                    index.execute("UPDATE arrays SET used = ? WHERE key = ?", (time.time(), key))
            self.claimed.add(key)

    def end(self) -> None:
        """Nothing is done any longer; what cannot be said now, the end of the process says."""
        with self.lock, suppress(sqlite3.Error):
            if self.id is None:
                return
            with open_index(self.index) as index:
                self.drop(index)
            self.leave()

    def drop(self, index: sqlite3.Connection) -> None:
        """End it together with other changes of the index; ``leave`` once they are kept."""
        _drop(index, self.id)

    def leave(self) -> None:
        """Go without ending what was begun, which then counts as interrupted."""
        self.id = None
        self.claimed.clear()


def works(index: sqlite3.Connection) -> list[tuple[int, Work]]:
    """All work that has not ended, whether its process lives or not, the latest first."""
    rows = index.execute("SELECT id, kind, what, key, again, begun, pid, start, boot FROM work ORDER BY id DESC")
    return [
        (id, Work(kind, what, key, again, begun, Process(*process)))
        for id, kind, what, key, again, begun, *process in rows.fetchall()
    ]


def living(index: sqlite3.Connection) -> set[int]:
    """Ids of the work whose process lives."""
    return {id for id, work in works(index) if work.process.alive}


def drop_dead(index: sqlite3.Connection) -> None:
    """Forget what processes that are gone used without saying what for."""
    for id, work in works(index):
        if not (work.kind or work.process.alive):
            _drop(index, id)


def drop_interrupted(index: sqlite3.Connection, kind: str, key: str) -> None:
    """Forget interrupted work of this kind and key."""
    for id, work in works(index):
        if (work.kind, work.key) == (kind, key) and not work.process.alive:
            _drop(index, id)


def _drop(index: sqlite3.Connection, id: int | None) -> None:
    index.execute("DELETE FROM work WHERE id = ?", (id,))
    index.execute("DELETE FROM uses WHERE work = ?", (id,))


def _insert(index: sqlite3.Connection, work: Work) -> int:
    process = work.process
    told = (work.kind, work.what, work.key, work.again, work.begun, process.pid, process.start, process.boot)
    cursor = index.execute(
        "INSERT INTO work (kind, what, key, again, begun, pid, start, boot) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", told
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
