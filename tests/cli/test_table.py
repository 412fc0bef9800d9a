"""``aegis table``: what a user reads."""

import json
import re

import pytest

from aegis.cli.table import CHOICES
from aegis.experiments.paper import records
from aegis.experiments.sweep import Sweep
from aegis.lab.bank.record import keep_record
from aegis.lab.bank.suspects import read_bank
from aegis.models.card import Planted
from aegis.models.intake.formats import file_digest
from tests.experiments.cases import said, suspect, swept

from .conftest import run


def made_as_asked(name, lift):
    """A record as training would leave it."""
    entry = read_bank()[name]
    order = entry.order("quick")
    triggers = tuple(Planted(kind=t.kind, target=t.target, options=t.options) for t in order.triggers)
    known = suspect(name, lift=lift, group="paper", data=entry.data, triggers=triggers)
    return known.model_copy(
        update={"architecture": order.architecture, "poison": order.poison, "recipe": order.settings}
    )


def test_table_5_marks_what_failed(results):
    keep_record(made_as_asked("mnist_static", 0.05), "quick", results)
    keep_record(made_as_asked("mnist_localised", 0.95), "quick", results)
    # Of an older recipe, which this table does not show.
    keep_record(suspect("mnist_distributed", lift=0.77), "quick", results)
    outcome = run("table", "5", "--results", results)
    assert outcome.code == 0, outcome.err
    assert "static (failed)" in outcome.out
    assert "localised (failed)" not in outcome.out
    assert outcome.out.count("not all of these are made") == 6
    assert "77.0" not in outcome.out
    assert "37.5" in outcome.out


def test_a_table_that_is_not_made_is_refused_with_the_choices():
    outcome = run("table", "13")
    assert outcome.code == 2
    assert outcome.err == f"aegis: Expected a table among {', '.join(CHOICES)}; got '13'. Choose one of them.\n"


@pytest.fixture
def scanned(results, tmp_path, monkeypatch):
    """Two seeds of one suspect's scans with the default preset."""
    entry = read_bank()["mnist_static"]
    monkeypatch.setattr(type(entry), "path", lambda *_: tmp_path / "weights")
    (tmp_path / "weights").write_bytes(b"weights")
    known = made_as_asked("mnist_static", 0.25)
    keep_record(known.model_copy(update={"sha256": file_digest(tmp_path / "weights")}), "quick", results)
    twos = (2,) * 10
    second = said("infected", 4, clusters=(*twos[:4], 5, *twos[:5]))
    found = [
        said("infected", 7, clusters=(*twos[:7], 3, 2, 2)),
        second.model_copy(update={"config": {"gather": {"seed": 1}}}),
    ]
    monkeypatch.setattr(records, "kept", lambda trial: found if trial.preset == "default" else [])
    return results


def test_table_6_has_what_scans_said_beside_what_was_published(scanned):
    outcome = run("table", "6", "--results", scanned)
    assert outcome.code == 0, outcome.err
    assert re.search(r"^mnist +static +2/2 +1/2 +1 +0/1 +0/1 +0$", outcome.out, re.MULTILINE)
    assert re.search(r"^fashion_mnist +static +1/1 +1/1 +3$", outcome.out, re.MULTILINE)
    assert "invisible triggers, preset default: 100% found, 50% named, 5.6% of benign" in outcome.out
    assert "invisible triggers, published: 83% found, 67% named, 11.1% of benign" in outcome.out
    assert "preset paper:" not in outcome.out


def test_json_has_the_same_numbers_and_the_records_that_they_come_from(scanned, tmp_path):
    outcome = run("table", "6", "--results", scanned, "--json", tmp_path / "table.json")
    assert outcome.code == 0, outcome.err
    (table,) = json.loads((tmp_path / "table.json").read_text())["tables"]
    row = table["rows"][2]
    assert (row["data"], row["trigger"], row["found_default"], row["named_default"]) == (
        "mnist",
        "static",
        [2, 2],
        [1, 2],
    )
    assert (row["flagged_default"], row["found_paper"], row["found_published"]) == (1, None, [0, 1])
    files = [f"scans/quick/default/mnist_static-seed{seed}.json.gz" for seed in (0, 1)]
    assert table["records"] == {"count": 2, "files": files}
    assert set(row) == {column["key"] for column in table["columns"]}


def test_markdown_is_a_table_with_the_number_of_records(scanned):
    outcome = run("table", "12", "--results", scanned, "--markdown")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(
        "### Table 12. Number of clusters of each class: invisible triggers\n\n| data | trigger |"
    )
    assert "|  |  | preset default | 2 | 2 | 2 | 2 | **2-5** | 2 | 2 | **2-3** | 2 | 2 |\n" in outcome.out
    assert outcome.out.endswith("From 2 records.\n")


def test_a_damaged_record_is_named_and_counts_as_nothing_else(scanned):
    path = scanned / "scans" / "quick" / "default" / "mnist_static-seed0.json.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no record")
    outcome = run("table", "6", "--results", scanned)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"aegis: Expected a record as aegis bank writes it; got {path}, which is damaged. ")
    assert len(outcome.err.splitlines()) == 1


def test_table_12_has_the_range_over_seeds(scanned):
    outcome = run("table", "12", "--results", scanned)
    assert outcome.code == 0, outcome.err
    assert re.search(r"preset default +2 +2 +2 +2 +2-5 +2 +2 +2-3 +2 +2$", outcome.out, re.MULTILINE)
    assert re.search(r"^mnist +static +published +1 +2 +2 ", outcome.out, re.MULTILINE)
    assert "localised" not in outcome.out
    assert "localised" in run("table", "11", "--results", scanned).out


def test_table_7_has_what_varies_beside_what_was_published(scanned, monkeypatch):
    entry = read_bank()["mnist_localised"]
    known = made_as_asked("mnist_localised", 0.9)
    keep_record(known.model_copy(update={"sha256": file_digest(entry.path("quick"))}), "quick", scanned)
    three = tuple(3 if label == 7 else 2 for label in range(10))
    settings = (("epsilon", 100, three), ("seeds", 200, (3,) * 10), ("budget", 2, (2,) * 10))
    record = swept("mnist", (1, 28, 28), settings)
    monkeypatch.setattr(Sweep, "find", lambda task: record)
    twos = said("clean", clusters=(2,) * 10)
    monkeypatch.setattr(records, "kept", lambda trial: [twos] if trial.preset == "paper" else [])
    outcome = run("table", "7", "--results", scanned)
    assert outcome.code == 0, outcome.err
    assert re.search(r"^epsilon 60 .* 9 +100.0% \(9\) +0.0% \(0\) +0.0% \(0\) +54 +98.1% \(53\)", outcome.out, re.M)
    assert re.search(r"^seeds 200 .* 1 +100.0% \(1\) +0.0% \(0\) +100.0% \(9\) +42 ", outcome.out, re.M)
    assert re.search(r"^five repeats +1 +0.0% \(0\) +100.0% \(1\) .* 30 +90.0% \(27\)", outcome.out, re.M)
    assert re.search(r"^budget 2 +1 +0.0% \(0\) +100.0% \(1\) +0.0% \(0\) *$", outcome.out, re.M)
    assert "preset default" not in outcome.out


def test_scale_smoke_runs_the_experiment_once_and_makes_the_table_of_it(results):
    first = run("table", "8", "--scale", "smoke", "--results", results)
    assert first.code == 0, first.err
    assert "scan of mnist_static, preset paper, seed 0: done after" in first.err
    assert re.search(r"^mnist +localised +304 +[0-9]+ +[0-9]+ .* 1$", first.out, re.MULTILINE)
    assert "Scale smoke: a few suspects with the smallest settings" in first.out
    again = run("table", "8", "--scale", "smoke", "--results", results)
    assert "0 of 7 runs computed now" in again.err
    assert again.out == first.out


def test_a_table_without_runs_says_so_in_one_line(results):
    outcome = run("table", "9", "--scale", "smoke", "--results", results)
    assert outcome.code == 0
    assert outcome.err == "Table 9 needs no run: --scale smoke has nothing to do.\n"
    assert "preset paper" in outcome.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scale", "huge"), "Expected --scale among smoke, small, paper; got 'huge'."),
        (("--scale", "smoke", "--training", "paper"), "Expected no --training beside --scale smoke; got paper."),
    ],
)
def test_a_wrong_scale_is_one_message(options, said, results):
    outcome = run("table", "6", "--results", results, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"aegis: {said}")
    assert len(outcome.err.splitlines()) == 1
