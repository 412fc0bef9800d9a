"""What was scanned, and what was interrupted, as the terminal and other programs see it."""

import json
import shutil

import pytest

from aegis.records.record import ScanRecord
from aegis.records.review import Review
from aegis.store.store import Store
from tests.stored import change, record
from tests.stored_scan import keep_finished

from .conftest import run, run_without_torch


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with three scans."""
    store = Store(tmp_path_factory.mktemp("history"))
    model = record().model.model_copy(update={"file": "[red]bad[/red]\x1b[31m.pt", "sha256": "5" * 64})
    keep_finished(store, "a" * 64, model=model, created="2024-03-03T10:20:30+00:00")
    store.keep_scan("b" * 64, record("2024-02-02T00:00:00+00:00"))
    store.keep_scan("c" * 64, record("2024-01-01T00:00:00+00:00"))
    return store.folder


@pytest.fixture
def store(made, tmp_path, monkeypatch):
    """The store that commands use, with these."""
    shutil.copytree(made, tmp_path / "store")
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "200")
    return Store(tmp_path / "store")


def keys(*arguments):
    """Of the scans listed."""
    outcome = run("history", "--json", *arguments)
    assert outcome.code == 0, outcome.err
    return [found["key"][0] for found in json.loads(outcome.out)["scans"]]


def test_each_scan_is_a_line_the_latest_first(store):
    outcome = run("history")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert len(lines) == 4
    assert lines[1].split()[:4] == ["2024-03-03", "10:20", "infected", "[red]bad[/red]\\x1b[31m.pt"]
    assert lines[1].split()[-6:] == ["4", "1,", "3", "0", "0", "aaaaaaaaaaaa"]
    assert lines[3].split()[:4] == ["2024-01-01", "00:00", "clean", "m"]
    assert "\x1b" not in outcome.out


def test_filters(store):
    for options, found in {
        "": "abc",
        "--verdict infected": "a",
        "--verdict inconclusive": "",
        "--model BAD": "a",
        "--model 555": "a",
        "--model 0000": "bc",
        "--data Toy": "a",
        "--since 2024-02-02": "ab",
        "--since 1d": "",
        "--limit 2": "ab",
        "--verdict clean --limit 1": "b",
    }.items():
        assert (options, keys(*options.split())) == (options, list(found))
    assert run("history", "--model", "nobody").out == "No scan is kept that fits.\n"


def test_json_has_the_whole_records(store):
    store.add_review("a" * 64, Review("Seen.", {3: "confirmed"}, "Ann"))
    found = json.loads(run("history", "--json").out)
    assert found["reviews"]["a" * 64][0]["author"] == "Ann"
    assert "3 confirmed, 1 open by Ann" in " ".join(run("history").out.split())
    told = found["scans"][0]
    assert told.pop("key") == "a" * 64
    assert ScanRecord.model_validate(told) == store.find_scan("a" * 64)
    assert found["interrupted"] == []


def test_a_time_that_is_none_is_one_message(store):
    for since in ("yesterday", "2024-13-01", "7w", "-1d", ""):
        outcome = run("history", "--since", since)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert "Expected a date or a time span for --since" in outcome.err


def test_an_empty_history(tmp_path):
    assert run("history", store=tmp_path / "none").out == "Nothing was scanned yet.\n"


def test_scans_of_another_version_are_counted(store):
    change(store, "UPDATE scans SET record = json_set(record, '$.schema_version', 9) WHERE key > 'b'")
    lines = run("history").out.splitlines()
    assert (len(lines), lines[-1]) == (3, "2 that another version of AEGIS wrote cannot be shown")
    change(store, "UPDATE scans SET record = json_set(record, '$.schema_version', 9)")
    assert run("history").out == "3 that another version of AEGIS wrote cannot be shown\n"


def test_interrupted_work_stands_first_with_what_goes_on_with_it(store):
    with store.working("training", "out.safetensors", "d" * 64, "cd /tmp && aegis train out.safetensors"):
        # Its process started at another time than the one of this number.
        change(store, "UPDATE work SET start = 1")
        lines = run("history").out.splitlines()
        (told,) = json.loads(run("history", "--json").out)["interrupted"]
        assert run("gc", "--forget", "dddddd").code == 0
        assert "Interrupted" not in run("history").out
    assert lines[0].startswith("Interrupted training of out.safetensors, begun ")
    assert lines[0].endswith("UTC dddddddddddd")
    assert lines[1] == "  Go on with: cd /tmp && aegis train out.safetensors"
    assert (told["kind"], told["key"], told["what"]) == ("training", "d" * 64, "out.safetensors")


def test_history_needs_no_torch(store):
    assert run_without_torch("history") == run("history").out
