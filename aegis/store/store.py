"""The store: computed results, looked up by the digest of all they depend on.

Arrays lie in npz files named by their key; an sqlite index holds the digest and the last use of each, the records of
finished scans, which arrays they need, what analysts add to them, and what is being done. Files appear whole or not
at all, and one that the index does not know is taken in by the scan that asks for it.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from aegis.core.errors import StoreError
from aegis.core.files import whole_file
from aegis.core.folders import default_folder
from aegis.records.record import ScanRecord
from aegis.records.review import Review, read_review
from aegis.store.audit import Audit, arrays_in, check
from aegis.store.eviction import Array, Plan, array_path, evict, is_full, only_needed_by, plan, remove, size_limit
from aegis.store.index import make_index, open_index
from aegis.store.packing import Arrays
from aegis.store.tasks import Session, Work, drop_dead, drop_interrupted, works


class Store:
    """Results in one folder, read and written by several processes at once.

    Args:
        folder: made if it is missing; None for the default one.

    Raises:
        StoreError: if the folder cannot be used, or a newer version of AEGIS wrote it.
        ConfigError: if ``AEGIS_STORE_LIMIT`` is no size.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        self.limit = size_limit()
        self._index = self.folder / "index.sqlite"
        with self._guard():
            (self.folder / "arrays").mkdir(parents=True, exist_ok=True)
            make_index(self._index)
        self._session = Session(self._index)
        # A scan that was cancelled in a server must not keep its arrays from being removed for as long as that runs.
        weakref.finalize(self, self._session.end)

    def find_scan(self, key: str) -> ScanRecord | None:
        """Reads the record of a finished scan.

        Args:
            key: of the scan, from ``scan_key``.

        Returns:
            None if no such scan is saved, or another version of AEGIS wrote its record.
        """
        with self._guard(), open_index(self._index) as index:
            row = index.execute("SELECT CAST(record AS BLOB) FROM scans WHERE key = ?", (key,)).fetchone()
        return _record(row[0]) if row else None

    def is_whole(self, key: str) -> bool:
        """Tells whether all arrays of a saved scan are there, by file sizes and known damage; no file is read."""
        with self._guard(), open_index(self._index) as index:
            rows = index.execute(
                "SELECT array, bytes, sha256 FROM needs LEFT JOIN arrays ON array = arrays.key WHERE scan = ?", (key,)
            ).fetchall()
        return all(digest and _size(array_path(self.folder, array)) == size for array, size, digest in rows)

    def keep_scan(self, key: str, record: ScanRecord) -> None:
        """Saves a finished scan, which ends its task; the arrays that the task claimed are kept as long as the scan.

        Args:
            key: of the scan; a saved scan of the same key is replaced.
            record: the scan.
        """
        row = (key, record.created, record.model.sha256, record.verdict, record.model_dump_json())
        with self._guard(), open_index(self._index, write=True) as index:
            index.execute("INSERT OR REPLACE INTO scans VALUES (?, ?, ?, ?, ?)", row)
            needs = [(key, array) for array in sorted(self._session.claimed)]
            index.executemany("INSERT OR IGNORE INTO needs VALUES (?, ?)", needs)
            drop_interrupted(index, "scan", key)
            # At once with its result, so that none is kept that still counts as interrupted.
            self._session.drop(index)
        self._session.detach()

    def scans(self, limit: int | None = 20) -> list[tuple[str, ScanRecord]]:
        """Reads the latest saved scans.

        Args:
            limit: how many scans to read at most; None for all.

        Returns:
            Pairs of key and record, newest first, without those that another version of AEGIS wrote.
        """
        most = -1 if limit is None else limit
        with self._guard(), open_index(self._index) as index:
            wanted = "SELECT key, CAST(record AS BLOB) FROM scans ORDER BY created DESC LIMIT ?"
            rows = index.execute(wanted, (most,)).fetchall()
        records = [(key, _record(text)) for key, text in rows]
        return [(key, record) for key, record in records if record is not None]

    def count(self) -> int:
        """Counts the saved scans, including those that another version of AEGIS wrote."""
        with self._guard(), open_index(self._index) as index:
            return int(index.execute("SELECT COUNT(*) FROM scans").fetchone()[0])

    def find_key(self, record: ScanRecord) -> str | None:
        """Finds under which key a record is saved; None if it is not."""
        wanted = "SELECT key, CAST(record AS BLOB) FROM scans WHERE created = ? AND model = ?"
        with self._guard(), open_index(self._index) as index:
            rows = index.execute(wanted, (record.created, record.model.sha256)).fetchall()
        return next((key for key, text in rows if _record(text) == record), None)

    def reviews_of(self, key: str) -> tuple[Review, ...]:
        """Reads the analysts' reviews of a scan, the latest last, without those whose text is damaged."""
        with self._guard(), open_index(self._index) as index:
            return _reviews(index, "WHERE key = ?", key).get(key, ())

    def reviews(self) -> dict[str, tuple[Review, ...]]:
        """Reads all reviews that can be read, by the key of their scan."""
        with self._guard(), open_index(self._index) as index:
            return _reviews(index)

    def add_review(self, key: str, review: Review) -> None:
        """Adds a review of a scan to those before it, of which none is changed."""
        with self._guard(), open_index(self._index) as index:
            index.execute("INSERT INTO reviews (key, review) VALUES (?, ?)", (key, review.to_json()))

    def own(self, key: str, owner: str) -> None:
        """Notes whose uploads a scan shows.

        Args:
            key: of the scan.
            owner: tells a browser or a user from others.
        """
        with self._guard(), open_index(self._index) as index:
            index.execute("INSERT OR IGNORE INTO owners VALUES (?, ?)", (key, owner))

    def owned_by(self, owner: str) -> set[str]:
        """Lists the keys of the scans that were noted for an owner."""
        with self._guard(), open_index(self._index) as index:
            return {key for (key,) in index.execute("SELECT scan FROM owners WHERE owner = ?", (owner,))}

    def claim(self, key: str) -> None:
        """Protects the arrays of a key from removal until the task ends; a scan that it saves keeps them protected."""
        self.claim_all([key])

    def claim_all(self, keys: Iterable[str]) -> None:
        """Protects the arrays of several keys, as ``claim`` does."""
        with self._guard():
            self._session.claim(*keys)

    def load(self, key: str) -> Arrays | None:
        """Reads arrays from their file.

        Returns:
            None if there is no file, or its content is not what was written.
        """
        with self._guard(), open_index(self._index) as index:
            known = index.execute("SELECT bytes, sha256 FROM arrays WHERE key = ?", (key,)).fetchone()
        try:
            content = array_path(self.folder, key).read_bytes()
        except OSError:
            return None
        row, arrays = (len(content), hashlib.sha256(content).hexdigest()), arrays_in(content)
        damaged = arrays is None or known not in (None, row)
        if (known is None and not damaged) or (known is not None and damaged):
            self._note(key, None if damaged else row, known)
        return None if damaged else arrays

    def content(self, key: str) -> bytes:
        """Reads the file of arrays as it is.

        Raises:
            StoreError: if there is none.
        """
        with self._guard():
            return array_path(self.folder, key).read_bytes()

    def has(self, keys: Iterable[str]) -> bool:
        """Tells whether there are files of all these arrays; none is read."""
        return all(array_path(self.folder, key).is_file() for key in keys)

    def keep(self, key: str, arrays: Arrays) -> None:
        """Writes arrays to a file that is either complete or not there, and evicts others beyond the limit.

        Raises:
            StoreError: if they cannot be written; nothing is left behind.
        """
        self.put(key, encoded(arrays))

    def put(self, key: str, content: bytes) -> None:
        """Writes arrays as ``keep`` does.

        Args:
            key: of the arrays.
            content: of their file, from ``encoded``.

        Raises:
            StoreError: as in ``keep``.
        """
        row = (key, len(content), hashlib.sha256(content).hexdigest(), time.time())
        with self._guard():
            self._session.claim(key, replace=True)
            # The file takes its name before the index is changed, both while no other process changes either.
            with open_index(self._index) as index, whole_file(array_path(self.folder, key)) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                index.execute("BEGIN IMMEDIATE")
                index.execute("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?)", row)
                evict(index, self.folder, self.limit)

    @contextmanager
    def working(self, kind: str, what: str, key: str, again: str = "") -> Iterator[None]:
        """Registers a task while the block runs; a task whose process is killed counts as interrupted.

        Args:
            kind: words for people: *scan*, *positive control*, *training*, *report*, *bank scan*.
            what: the file or folder that the task is about.
            key: tells the task from others of its kind, in hex; a scan's is the key of its result.
            again: how to resume it, as a command or a sentence.
        """
        with self._guard():
            self._session.begin(kind, what, key, again)
        try:
            yield
        except SystemExit:
            # Ended from outside, by somebody who may want to go on.
            self._session.detach()
            raise
        finally:
            self._session.end()

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Makes many small changes quicker: sqlite tidies up whenever nobody has its file open any more."""
        with closing(sqlite3.connect(self._index)) as connection:
            with self._guard():
                # Until it is read, the file is not really open.
                connection.execute("SELECT 1 FROM scans LIMIT 1").fetchone()
            yield

    def running(self) -> list[Work]:
        """Lists tasks whose process is alive."""
        return [work for work in self._works() if work.process.alive]

    def interrupted(self) -> list[Work]:
        """Lists tasks whose process was killed."""
        return [work for work in self._works() if not work.process.alive]

    def check(self) -> Audit:
        """Compares every file with its digest, and reads every saved scan.

        Returns:
            The damage found; a scan computes damaged arrays anew.
        """
        with self._guard():
            return check(self.folder, self._index)

    def plan(self, limit: int | None) -> Plan:
        """Lists the files that ``collect`` would remove.

        Args:
            limit: bytes that the store may take; None for no limit.
        """
        with self._guard(), open_index(self._index) as index:
            return plan(index, self.folder, limit)

    def collect(self, limit: int | None) -> Plan:
        """Removes files until the store is within a limit; never those that a saved scan needs or a running task uses.

        Args:
            limit: bytes that the store may take; None for no limit.
        """
        try:
            return self._collect(limit)
        except StoreError:
            if not is_full(self.folder):
                raise
            # There must be some room before the index can be changed.
            with self._guard(), open_index(self._index) as index:
                found = plan(index, self.folder, limit)
                for path in found.files(self.folder):
                    path.unlink(missing_ok=True)
        self._collect(limit)
        return found

    def only_needed_by(self, key: str) -> list[Array]:
        """Lists the arrays that ``forget`` would remove with a saved scan."""
        with self._guard(), open_index(self._index) as index:
            return only_needed_by(index, key)

    def keys(self, beginning: str) -> list[str]:
        """Finds keys of saved scans and interrupted tasks by their first digits."""
        with self._guard(), open_index(self._index) as index:
            found = {key for (key,) in index.execute("SELECT key FROM scans")}
            found |= {work.key for _, work in works(index) if not work.process.alive}
        return sorted(key for key in found if key.startswith(beginning))

    def forget(self, key: str) -> list[Array]:
        """Removes a saved scan, its reviews, and interrupted tasks of its key.

        Returns:
            The arrays that no other scan or task needed, which were removed too.
        """
        with self._guard(), open_index(self._index, write=True) as index:
            gone = only_needed_by(index, key)
            for table, column in (("scans", "key"), ("reviews", "key"), ("needs", "scan"), ("owners", "scan")):
                index.execute(f"DELETE FROM {table} WHERE {column} = ?", (key,))
            for kind in {work.kind for _, work in works(index) if work.key == key}:
                drop_interrupted(index, kind, key)
            remove(index, self.folder, (array.key for array in gone))
        return gone

    def _collect(self, limit: int | None) -> Plan:
        with self._guard(), open_index(self._index, write=True) as index:
            drop_dead(index)
            found = plan(index, self.folder, limit)
            remove(index, self.folder, (*(array.key for array in found.arrays), *found.missing))
            for path in found.orphans:
                path.unlink(missing_ok=True)
        return found

    def _note(self, key: str, row: tuple[int, str] | None, known: tuple[int, str] | None) -> None:
        """Notes a file that the index did not know, or damage; where that fails, the next reader does."""
        with suppress(sqlite3.Error), open_index(self._index) as index:
            if row is not None:
                index.execute("INSERT OR IGNORE INTO arrays VALUES (?, ?, ?, ?)", (key, *row, time.time()))
            elif known is not None:
                # So that no scan that needs it is taken for whole.
                index.execute("UPDATE arrays SET sha256 = '' WHERE (key, sha256) = (?, ?)", (key, known[1]))

    def _works(self) -> list[Work]:
        with self._guard(), open_index(self._index) as index:
            return [work for _, work in works(index) if work.kind]

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"to keep results in {self.folder}",
                "a full disk" if is_full(self.folder) else str(error),
                "Free some space, or set AEGIS_STORE to a folder that can be written to.",
            ) from error


def encoded(arrays: Arrays) -> bytes:
    """Writes arrays as the content of a file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _record(text: bytes) -> ScanRecord | None:
    # As bytes, since text that is no text would stop the reader; so it is with reviews.
    try:
        return ScanRecord.model_validate_json(text)
    except ValidationError:
        return None


def _reviews(index: sqlite3.Connection, which: str = "", *values: str) -> dict[str, tuple[Review, ...]]:
    found: dict[str, tuple[Review, ...]] = {}
    for key, text in index.execute(f"SELECT key, CAST(review AS BLOB) FROM reviews {which} ORDER BY id", values):
        if (review := read_review(text)) is not None:
            found[key] = (*found.get(key, ()), review)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1  # which the index never has
