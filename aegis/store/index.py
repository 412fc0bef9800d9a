"""The store's sqlite file, which several processes read and write at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aegis.core.errors import StoreError

# What leads from each version of the tables to the next; a new one is added at the end and none is ever changed.
# An index of AEGIS before versions were counted has number 0 and some or all of the first tables.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE IF NOT EXISTS scans (key TEXT PRIMARY KEY, created TEXT NOT NULL, model TEXT NOT NULL, "
        "verdict TEXT NOT NULL, record TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS reviews (key TEXT PRIMARY KEY, review TEXT NOT NULL)",
    ),
    (
        # Every file of arrays: its size, the SHA-256 of its content, and when it was last used, in seconds of Unix.
        "CREATE TABLE arrays (key TEXT PRIMARY KEY, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, used REAL NOT NULL)",
        "CREATE INDEX arrays_by_use ON arrays (used)",
        # Which saved scan needs which arrays.
        "CREATE TABLE needs (scan TEXT NOT NULL, array TEXT NOT NULL, PRIMARY KEY (scan, array)) WITHOUT ROWID",
        "CREATE INDEX needs_by_array ON needs (array)",
        # What is being done, or was when its process was killed, and the arrays that it uses.
        "CREATE TABLE work (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, what TEXT NOT NULL, "
        "key TEXT NOT NULL, again TEXT NOT NULL, begun TEXT NOT NULL, pid INTEGER NOT NULL, start INTEGER NOT NULL, "
        "boot TEXT NOT NULL)",
        "CREATE TABLE uses (work INTEGER NOT NULL, array TEXT NOT NULL, PRIMARY KEY (work, array)) WITHOUT ROWID",
        "CREATE INDEX uses_by_array ON uses (array)",
        "CREATE INDEX scans_by_date ON scans (created)",
    ),
    (
        # Reviews become a list that is only added to; the one of each scan begins it.
        "ALTER TABLE reviews RENAME TO single_reviews",
        "CREATE TABLE reviews (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, review TEXT NOT NULL)",
        "CREATE INDEX reviews_by_scan ON reviews (key)",
        "INSERT INTO reviews (key, review) SELECT key, review FROM single_reviews ORDER BY rowid",
        "DROP TABLE single_reviews",
        # Whose uploads a saved scan shows: the digest of what tells a browser or a user from others.
        "CREATE TABLE owners (scan TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (scan, owner)) WITHOUT ROWID",
        "CREATE INDEX owners_by_owner ON owners (owner)",
    ),
)
VERSION = len(MIGRATIONS)
# Seconds to wait for another process that writes.
PATIENCE = 30


def make_index(path: Path) -> None:
    """Creates the file and its tables, or migrates those of an older version.

    Raises:
        StoreError: if a newer version of AEGIS made them; nothing is changed then.
        sqlite3.Error: if the file cannot be written.
    """
    with open_index(path) as index:
        if _version(index, path) == VERSION:
            return
        _let_read_while_written(index)
        index.execute("BEGIN IMMEDIATE")
        # Asked again, since another process may have done it meanwhile.
        for step in MIGRATIONS[_version(index, path) :]:
            for statement in step:
                index.execute(statement)
        index.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def open_index(path: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """Opens one transaction: commits on success, rolls back on error.

    Args:
        path: the sqlite file.
        write: take the write lock at the start, for changes that depend on what is read first.

    Returns:
        The connection, closed at the end of the block.

    Raises:
        sqlite3.Error: if the file cannot be used.
    """
    connection = _connect(path)
    try:
        with connection:
            if write:
                connection.execute("BEGIN IMMEDIATE")
            yield connection
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        connection.close()
        # On a full disk there is no room for what readers share; a file that nobody writes can be read without it.
        log = path.with_name(f"{path.name}-wal")
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_IOERR or (log.exists() and log.stat().st_size):
            raise
        return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    return connection


def _version(index: sqlite3.Connection, path: Path) -> int:
    (version,) = index.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            f"results in {path.parent} that this version of AEGIS knows (format {VERSION})",
            f"those of a newer one (format {version})",
            "Update AEGIS, or set AEGIS_STORE to another folder.",
        )
    return int(version)


def _let_read_while_written(index: sqlite3.Connection) -> None:
    """Turns on write-ahead logging, which the file remembers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            index.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            # The change needs the file to itself, and sqlite waits for a lock but not for that.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
