"""The sqlite file: many may use it at once, from its first moment on."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

import aegis.store.index
from aegis.core.errors import StoreError
from aegis.records.review import Review
from aegis.store.index import MIGRATIONS, VERSION, make_index, open_index
from aegis.store.store import Store


def test_readers_go_on_while_another_writes_or_fails(tmp_path):
    path = tmp_path / "index.sqlite"
    make_index(path)
    with open_index(path) as writer:
        writer.execute("INSERT INTO owners VALUES ('key', 'text')")
        with open_index(path) as reader:
            assert reader.execute("SELECT * FROM owners").fetchall() == []
    # What fails changes nothing.
    with suppress(ValueError), open_index(path) as index:
        index.execute("DELETE FROM owners")
        raise ValueError
    with open_index(path) as reader:
        assert reader.execute("SELECT * FROM owners").fetchall() == [("key", "text")]


# The tables as AEGIS made them before it counted versions.
FIRST = (
    "CREATE TABLE scans (key TEXT PRIMARY KEY, created TEXT NOT NULL, model TEXT NOT NULL, "
    "verdict TEXT NOT NULL, record TEXT NOT NULL)",
    "CREATE TABLE reviews (key TEXT PRIMARY KEY, review TEXT NOT NULL)",
)


def make_first(path, tables=FIRST):
    """An index of that time with a scan in it."""
    with closing(sqlite3.connect(path)) as index, index:
        index.execute("PRAGMA journal_mode=WAL")
        for table in tables:
            index.execute(table)
        index.execute("INSERT INTO scans VALUES ('key', 'now', 'model', 'clean', '{}')")


@pytest.mark.parametrize("tables", [FIRST, FIRST[:1]], ids=["all", "without reviews"])
def test_an_older_index_gets_the_tables_that_it_lacks(tmp_path, tables):
    path, named = tmp_path / "index.sqlite", "SELECT name FROM sqlite_master ORDER BY name"
    make_first(path, tables)
    make_index(path)
    make_index(tmp_path / "new.sqlite")
    with open_index(path) as index, open_index(tmp_path / "new.sqlite") as new:
        assert index.execute("SELECT key FROM scans").fetchall() == [("key",)]
        assert index.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert index.execute(named).fetchall() == new.execute(named).fetchall()


def test_the_one_review_of_a_scan_begins_its_list(tmp_path):
    path = tmp_path / "index.sqlite"
    make_first(path)
    # As AEGIS wrote it while a scan had one review.
    said = '{"note":"Seen.","decisions":{"7":"dismissed"}}'
    with closing(sqlite3.connect(path)) as index, index:
        index.execute("INSERT INTO reviews VALUES ('key', ?)", (said,))
    store = Store(tmp_path)
    store.add_review("key", Review("Seen again.", {7: "open"}, "Ann"))
    assert store.reviews_of("key") == (Review("Seen.", {7: "dismissed"}), Review("Seen again.", {7: "open"}, "Ann"))


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "index.sqlite"
    make_first(path)
    content = path.read_bytes()
    monkeypatch.setattr(aegis.store.index, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE more (a)", "no statement")))
    monkeypatch.setattr(aegis.store.index, "VERSION", VERSION + 1)
    with pytest.raises(sqlite3.OperationalError, match="syntax"):
        make_index(path)
    assert path.read_bytes() == content
    monkeypatch.undo()
    make_index(path)


def test_an_index_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "index.sqlite"
    make_index(path)
    with closing(sqlite3.connect(path)) as index, index:
        index.execute("CREATE TABLE newer (a)")
        index.execute("PRAGMA user_version = 99")
    content = path.read_bytes()
    with pytest.raises(StoreError, match=r"format 99\)\. Update AEGIS"):
        Store(tmp_path)
    assert path.read_bytes() == content


def test_a_file_that_is_no_database_is_not_held_open(tmp_path, monkeypatch):
    path, opened, connect = tmp_path / "index.sqlite", [], sqlite3.connect
    path.write_text("this is no database, however long it may be " * 100)

    def watched(*arguments, **options):
        opened.append(connect(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", watched)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        make_index(path)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_many_may_make_it_at_once(tmp_path):
    gate = threading.Barrier(4)

    def make(path):
        gate.wait(60)
        make_index(path)
        with open_index(path) as index:
            index.execute("INSERT OR REPLACE INTO owners VALUES ('key', 'text')")

    with ThreadPoolExecutor(4) as threads:
        for i in range(10):
            path = tmp_path / f"{i}.sqlite"
            for made in [threads.submit(make, path) for _ in range(4)]:
                made.result(60)
            with open_index(path) as index:
                assert index.execute("SELECT * FROM owners").fetchall() == [("key", "text")]
                assert index.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_that_stays_locked_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(aegis.store.index, "PATIENCE", 0.05)
    path = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE held (a)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            make_index(path)
