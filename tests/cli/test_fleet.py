"""Many suspects at once: a line and a verdict each, and the exit code of the worst."""

import json

import pytest

from aegis.records.presets import adjusted
from aegis.store.store import Store

from .conftest import run


@pytest.fixture
def _here(monkeypatch):
    """The smallest scans, in this process."""

    def small(config, seed):
        return adjusted(config, seed=seed, iterations=4, seeds=40, perplexity=10)

    monkeypatch.setattr("aegis.services.fleet.adjusted", small)
    monkeypatch.setattr(
        "aegis.services.fleet.run_in_processes", lambda calls, count, after: ((i, calls[i]()) for i in list(calls))
    )


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
