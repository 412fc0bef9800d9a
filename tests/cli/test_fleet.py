"""Many suspects at once: a line and a verdict each, and the exit code of the worst."""

import json
import socket
import time

import pytest

from aegis.records.presets import adjusted
from aegis.services.fleet.journal import Journal, State
from aegis.store.store import Store
from tests.fleet.here import Here

from .conftest import run


@pytest.fixture
def _here(monkeypatch):
    """The smallest scans, in this process."""

    def small(config, seed):
        return adjusted(config, seed=seed, iterations=4, seeds=40, perplexity=10)

    monkeypatch.setattr("aegis.services.fleet.request.adjusted", small)
    monkeypatch.setattr("aegis.fleet.local.Processes", lambda work, count: Here(work))


@pytest.mark.usefixtures("_here")
def test_each_gets_a_line_and_the_worst_gives_the_exit_code(suspect, images, tmp_path):
    (tmp_path / "broken.pt").write_text("junk")
    listed, lines = tmp_path / "list.csv", tmp_path / "out.jsonl"
    listed.write_text(f"checkpoint,data\n{suspect},{images}\nbroken.pt,{images}\n{suspect},{images}\n")
    options = ("--preset", "paper", "--precision", "fp32", "--json", lines)
    outcome = run("fleet", "scan", listed, *options)
    rows = {row["checkpoint"]: row for row in map(json.loads, lines.read_text().splitlines())}
    assert rows.keys() == {str(suspect), str(tmp_path / "broken.pt")}
    bad, good = rows[str(tmp_path / "broken.pt")], rows[str(suspect)]
    assert "verdict" not in bad
    assert "Expected a checkpoint" in bad["error"]
    assert not good["found"]
    codes = {"clean": 2, "inconclusive": 2, "infected": 1}
    assert outcome.code == codes[good["verdict"]]
    assert "1 row repeated" in outcome.err
    assert "2/2" in outcome.out
    assert good["sentence"] == Store().find_scan(good["scan"]).sentence
    # Computed once: the same command finds it again.
    again = run("fleet", "scan", listed, *options, "--quiet")
    assert again.code == outcome.code
    found = [row for row in map(json.loads, lines.read_text().splitlines()) if "verdict" in row]
    assert [(row["scan"], row["found"]) for row in found] == [(good["scan"], True)]


def test_what_cannot_be_begun(tmp_path):
    outcome = run("fleet", "scan", tmp_path / "none.csv")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    outcome = run("fleet", "scan", tmp_path, "--json", tmp_path / "none" / "out.jsonl")
    assert outcome.code == 2
    assert "a folder that exists for --json" in outcome.err


def begun(*files, run="3f2a"):
    journal = Journal(Store().folder)
    journal.begin(run, "models", "2 processes of this machine", time.time() - 60, [(file, 100) for file in files])
    return journal


@pytest.fixture
def _store(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))


@pytest.mark.usefixtures("_store")
def test_status_says_how_far_fleets_are_and_cancel_ends_one(tmp_path):
    assert "No fleet yet" in run("fleet", "status").out
    assert "Expected a fleet that runs; got none" in run("fleet", "cancel").err
    one, other = tmp_path / "a.pt", tmp_path / "b.pt"
    journal = begun(str(one), str(other))
    journal.note("3f2a", State(number=1, file="", state="done", done=4, total=4, verdict="clean"))
    told = run("fleet", "status")
    assert told.code == 0
    for words in ("3f2a", "2 processes of this machine", "running", "1 waiting, 1 done", "1 clean", "about 60 seconds"):
        assert words in told.out
    rows = [json.loads(line) for line in run("fleet", "status", "3f", "--json").out.splitlines()]
    assert [(row["number"], row["state"], row["verdict"]) for row in rows] == [(0, "waiting", ""), (1, "done", "clean")]
    assert "Expected a suspect of fleet 3f2a" in run("fleet", "cancel", "--suspect", tmp_path / "c.pt").err
    assert run("fleet", "cancel", "--suspect", one).code == 0
    assert journal.cancelled("3f2a") == (False, {0})
    begun("x", run="ffff")
    assert "Name one: " in run("fleet", "cancel").err
    assert "got none" in run("fleet", "cancel", "0").err
    assert run("fleet", "cancel", "3").code == 0
    assert journal.cancelled("3f2a")[0]
    assert not journal.cancelled("ffff")[0]


@pytest.mark.usefixtures("_store")
def test_an_address_without_a_cluster_is_told(suspect, monkeypatch):
    scan = ("fleet", "scan", suspect.parent, "--address")
    monkeypatch.setattr("aegis.fleet.ray_address.find_spec", lambda name: None)
    assert "pip install 'ray" in run(*scan, "auto").err
    monkeypatch.setattr("aegis.fleet.ray_address.find_spec", lambda name: name)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(suspect.parent))
    assert "Expected a Ray cluster on this machine" in run(*scan, "auto").err
    assert "Expected auto or HOST:PORT for --address; got 'nowhere'" in run(*scan, "nowhere").err
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcome = run(*scan, f"127.0.0.1:{port}")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "nothing that answers" in outcome.err
