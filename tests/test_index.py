"""The sqlite file: many may use it at once, from its first moment on."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

import aegis.index
from aegis.index import make_index, open_index


def test_readers_go_on_while_another_writes(tmp_path):
    path = tmp_path / "index.sqlite"
    make_index(path)
    with open_index(path) as writer:
        writer.execute("INSERT INTO reviews VALUES ('key', 'text')")
        with open_index(path) as reader:
            assert reader.execute("SELECT * FROM reviews").fetchall() == []
    with open_index(path) as reader:
        assert reader.execute("SELECT * FROM reviews").fetchall() == [("key", "text")]


def test_what_fails_changes_nothing(tmp_path):
    path = tmp_path / "index.sqlite"
    make_index(path)
    with suppress(ValueError), open_index(path) as index:
        index.execute("INSERT INTO reviews VALUES ('key', 'text')")
        raise ValueError
    with open_index(path) as index:
        assert index.execute("SELECT * FROM reviews").fetchall() == []


def test_an_older_index_gets_the_tables_that_it_lacks(tmp_path):
    path = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(path)) as index, index:
        index.execute(aegis.index.MIGRATIONS[0][0])
        index.execute("INSERT INTO scans VALUES ('key', 'now', 'model', 'clean', '{}')")
    make_index(path)
    with open_index(path) as index:
        assert index.execute("SELECT key FROM scans").fetchall() == [("key",)]
        assert index.execute("SELECT * FROM reviews").fetchall() == []


def test_many_may_make_it_at_once(tmp_path):
    gate = threading.Barrier(4)

    def make(path):
        gate.wait(60)
        make_index(path)
        with open_index(path) as index:
            index.execute("INSERT OR REPLACE INTO reviews VALUES ('key', 'text')")

    with ThreadPoolExecutor(4) as threads:
        for i in range(10):
            path = tmp_path / f"{i}.sqlite"
            for made in [threads.submit(make, path) for _ in range(4)]:
                made.result(60)
            with open_index(path) as index:
                assert index.execute("SELECT * FROM reviews").fetchall() == [("key", "text")]
                assert index.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_that_stays_locked_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(aegis.index, "PATIENCE", 0.05)
    path = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE held (a)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            make_index(path)
