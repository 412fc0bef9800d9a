"""Notes of all fleets beside the store: which suspects, how far each is, and what is finished of those under way.

They outlive the process that writes them, and others read them meanwhile: the page, and the commands that show and
cancel a fleet.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aegis.core.errors import StoreError
from aegis.core.process import Process, this_process
from aegis.core.text import escaped

FILE = "fleet.sqlite"
# Seconds to wait for another process that writes.
PATIENCE = 30
WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
STATES = (WAITING, RUNNING, DONE, FAILED, CANCELLED)
_TABLES = """
CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, source TEXT NOT NULL, place TEXT NOT NULL, begun REAL NOT NULL,
  ended REAL, cancel INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL, start INTEGER NOT NULL, boot TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS suspects (run TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, bytes INTEGER
  NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0,
  left REAL, seconds REAL NOT NULL DEFAULT 0, verdict TEXT NOT NULL DEFAULT '', flagged TEXT NOT NULL DEFAULT '',
  scan TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '', cancel INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (run, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pieces (scan TEXT NOT NULL, label INTEGER NOT NULL, said TEXT NOT NULL,
  PRIMARY KEY (scan, label)) WITHOUT ROWID;
"""
_STATE = ("state", "done", "total", "left", "seconds", "verdict", "flagged", "scan", "message")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One fleet.

    Args:
        id: tells it from others.
        source: the folder or list of its suspects.
        place: where it runs, in words.
        begun, ended: in seconds of Unix; None while it has not ended by itself.
        process: its driver.
        cancelled: whether somebody asked for its end.
    """

    id: str
    source: str
    place: str
    begun: float
    ended: float | None
    process: Process
    cancelled: bool

    @property
    def alive(self) -> bool:
        """Whether its driver works."""
        return self.ended is None and self.process.alive


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a suspect is.

    Args:
        number: its place in the fleet.
        file: its checkpoint.
        bytes: of the checkpoint.
        state: one of ``STATES``.
        done, total: classes examined, of so many; 0 of 0 until it was measured.
        left: seconds that it still needs if nothing else runs, or None.
        seconds: that it took so far.
        verdict, flagged, scan: once it is done; the flagged classes in words, and the key in the store.
        message: why it could not be scanned.
        cancel: whether somebody asked for its end.
    """

    number: int
    file: str
    bytes: int = 0
    state: str = WAITING
    done: int = 0
    total: int = 0
    left: float | None = None
    seconds: float = 0.0
    verdict: str = ""
    flagged: str = ""
    scan: str = ""
    message: str = ""
    cancel: bool = False


class Journal:
    """The notes in one file, read and written by several processes at once.

    Args:
        folder: of the store.

    Raises:
        StoreError: if they cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        with self._guard():
            # One connection for all: with the last one, sqlite writes its log into the file, which takes long.
            self._notes = sqlite3.connect(self.path, timeout=PATIENCE, check_same_thread=False)
            weakref.finalize(self, self._notes.close)
            self._notes.execute("PRAGMA journal_mode=WAL")
            # A machine that loses power may lose the last notes, which are made again.
            self._notes.execute("PRAGMA synchronous=NORMAL")
            self._notes.executescript(_TABLES)

    @classmethod
    def knows(cls, folder: Path, run: str) -> bool:
        """Tells whether the notes of a store are those of a fleet, without making any."""
        if not (folder / FILE).exists():
            return False
        with cls(folder)._open() as notes:
            return notes.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is not None

    def begin(self, run: str, source: str, place: str, now: float, suspects: Iterable[tuple[str, int]]) -> None:
        """Notes a new fleet, of this process.

        Args:
            run: its id.
            source, place: as in ``Run``.
            now: in seconds of Unix.
            suspects: file and bytes of each.
        """
        me = this_process()
        rows = [(run, i, escaped(file), size) for i, (file, size) in enumerate(suspects)]
        with self._open() as notes:
            notes.execute(
                "INSERT INTO runs (id, source, place, begun, pid, start, boot) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (run, escaped(source), place, now, me.pid, me.start, me.boot),
            )
            notes.executemany("INSERT INTO suspects (run, number, file, bytes) VALUES (?, ?, ?, ?)", rows)

    def end(self, run: str, now: float) -> None:
        """Notes the end of a fleet; what waits or runs was cancelled then."""
        with self._open() as notes:
            notes.execute("UPDATE runs SET ended = ? WHERE id = ?", (now, run))
            unfinished = "UPDATE suspects SET state = ?, left = NULL WHERE run = ? AND state IN (?, ?)"
            notes.execute(unfinished, (CANCELLED, run, WAITING, RUNNING))

    def note(self, run: str, state: State) -> None:
        """Notes how far a suspect is."""
        names = ", ".join(f"{name} = ?" for name in _STATE)
        values = [getattr(state, name) for name in _STATE]
        with self._open() as notes:
            notes.execute(f"UPDATE suspects SET {names} WHERE run = ? AND number = ?", (*values, run, state.number))

    def runs(self) -> list[Run]:
        """Lists all fleets, the latest first."""
        with self._open() as notes:
            rows = notes.execute(
                "SELECT id, source, place, begun, ended, cancel, pid, start, boot FROM runs ORDER BY begun DESC"
            ).fetchall()
        return [
            Run(
                id=id,
                source=source,
                place=place,
                begun=begun,
                ended=ended,
                cancelled=bool(cancel),
                process=Process(*process),
            )
            for id, source, place, begun, ended, cancel, *process in rows
        ]

    def suspects(self, run: str) -> list[State]:
        """Lists the suspects of a fleet in their order."""
        names = ("number", "file", "bytes", *_STATE)
        with self._open() as notes:
            wanted = f"SELECT cancel, {', '.join(names)} FROM suspects WHERE run = ? ORDER BY number"
            return [
                State(cancel=bool(cancel), **dict(zip(names, row))) for cancel, *row in notes.execute(wanted, (run,))
            ]

    def cancel(self, run: str, numbers: Sequence[int] | None = None) -> None:
        """Asks for the end of suspects, or of the whole fleet.

        Args:
            run: the fleet.
            numbers: of the suspects; None for all.
        """
        with self._open() as notes:
            if numbers is None:
                notes.execute("UPDATE runs SET cancel = 1 WHERE id = ?", (run,))
            else:
                wanted = [(run, number) for number in numbers]
                notes.executemany("UPDATE suspects SET cancel = 1 WHERE run = ? AND number = ?", wanted)

    def cancelled(self, run: str) -> tuple[bool, set[int]]:
        """Reads whether the whole fleet was cancelled, and which of its suspects that have not ended."""
        with self._open() as notes:
            (whole,) = notes.execute("SELECT cancel FROM runs WHERE id = ?", (run,)).fetchone()
            some = "SELECT number FROM suspects WHERE run = ? AND cancel = 1 AND state IN (?, ?)"
            return bool(whole), {number for (number,) in notes.execute(some, (run, WAITING, RUNNING))}

    def keep_pieces(self, scan: str, pieces: Iterable[tuple[int, str]]) -> None:
        """Keeps what workers said of an unfinished scan.

        Args:
            scan: key of the scan.
            pieces: label and text; the label is -1 for the measurement.
        """
        with self._open() as notes:
            rows = [(scan, label, text) for label, text in pieces]
            notes.executemany("INSERT OR REPLACE INTO pieces VALUES (?, ?, ?)", rows)

    def pieces(self, scan: str) -> dict[int, str]:
        """Reads what is kept of an unfinished scan, by label."""
        with self._open() as notes:
            return dict(notes.execute("SELECT label, said FROM pieces WHERE scan = ?", (scan,)).fetchall())

    def drop_pieces(self, scan: str) -> None:
        """Forgets the pieces of a scan that is finished."""
        with self._open() as notes:
            notes.execute("DELETE FROM pieces WHERE scan = ?", (scan,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._guard(), self._notes:
            yield self._notes

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"to keep notes in {self.path}", str(error), "Free some space, or remove that file to begin anew."
            ) from error
