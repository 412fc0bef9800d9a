"""The store's sqlite file, which several processes read and write at once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS scans (key TEXT PRIMARY KEY, created TEXT NOT NULL, model TEXT NOT NULL, "
    "verdict TEXT NOT NULL, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reviews (key TEXT PRIMARY KEY, review TEXT NOT NULL)",
)
# Seconds to wait for another process that writes.
PATIENCE = 30


def make_index(path: Path) -> None:
    """Make the file and its tables, or add the tables that an older one lacks.

    Raises:
        sqlite3.Error: if that is not possible.
    """
    with open_index(path) as index:
        _let_read_while_written(index)
        for table in SCHEMA:
            index.execute(table)


@contextmanager
def open_index(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection whose changes are kept together at its end, or not at all.

    Raises:
        sqlite3.Error: if the file cannot be used.
    """
    connection = sqlite3.connect(path, timeout=PATIENCE)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def _let_read_while_written(index: sqlite3.Connection) -> None:
    """Write-ahead logging, which the file remembers."""
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
