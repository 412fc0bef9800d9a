"""``aegis bank``: what a user reads."""

import re

import pytest

from aegis.cli.bank.commands import _seeds
from aegis.experiments.bank_scans import Trial
from aegis.experiments.poison_filters import FilterRecord, FilterTrial
from aegis.experiments.spaces import Spaces
from aegis.experiments.sweep import Sweep
from aegis.lab.bank.record import BankRecord, keep_record
from aegis.lab.bank.suspects import Entry, read_bank
from aegis.models.intake.formats import file_digest
from tests.experiments.cases import said, suspect, swept
from tests.experiments.test_separation import measured
from tests.report.made import made

from .conftest import run


def test_the_list_names_every_suspect_made_or_not(results):
    keep_record(suspect("mnist_static", lift=0.25), "quick", results)
    outcome = run("bank", "list", "--results", results)
    assert outcome.code == 0, outcome.err
    assert all(re.search(rf"^{name} ", outcome.out, re.MULTILINE) for name in read_bank())
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("mnist_static ")]
    assert "static → 7" in line
    assert "25.0%" in line
    assert "of an older recipe" in line
    assert f"1 of {len(read_bank())} made" in outcome.out
    few = run("bank", "list", "--set", "control", "--results", results).out
    assert few.count("not made") == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("list --set all", "--set among paper, standard, control, proving"),
        ("list --only mnist_clean,nobody", "nobody"),
        ("train --only nobody", "aegis bank list"),
        ("scan --seeds 0-x --only fashion_mnist_clean", "such as 0, 0-4 or 1,3"),
        ("scan --seeds 4-1 --only fashion_mnist_clean", "such as 0, 0-4 or 1,3; got '4-1'"),
        (f"scan --seeds {2**32} --only fashion_mnist_clean", "seeds up to 4294967295"),
        ("scan --only mnist_static", "aegis bank train"),
        # Its checkpoint is not the one that its record is of, and counts as not made.
        ("scan --only mnist_static --folder FOLDER", "suspects that are made"),
        ("sweep", "suspects that are made"),
        ("spaces", "suspects that are made"),
        ("spaces --set none", "--set among paper, standard"),
        ("filters", "suspects that are made, with appended poison"),
        ("filters --only mnist_clean", "suspects that are made, with appended poison"),
        (
            "filters --with clustering,nobody",
            "filters among clustering,clustering-pca,spectral; got 'clustering,nobody'",
        ),
        ("calibrate", "aegis bank scan --set calibration"),
    ],
)
def test_what_cannot_be_done_is_said(results, tmp_path, line, message):
    if "FOLDER" in line:
        (tmp_path / "mnist_static.safetensors").write_bytes(b"other weights")
        keep_record(suspect("mnist_static", lift=0.25), "quick", results)
    outcome = run("bank", *line.replace("FOLDER", str(tmp_path)).split(), "--results", results)
    assert outcome.code == 2
    assert message in " ".join(outcome.err.split())


@pytest.mark.parametrize(
    "line",
    [
        "bank train --only mnist_clean",
        "bank scan --only mnist_clean",
        "bank sweep --only mnist_localised",
        "bank spaces --only mnist_clean",
        "bank rivals --only mnist_clean",
        "bank filters --only mnist_localised",
        "reference samples:mnist",
    ],
)
def test_a_cluster_that_is_asked_for_is_looked_for_before_anything_is_computed(line):
    # Nothing answers there; without Ray, that is said instead.
    outcome = run(*line.split(), "--address", "127.0.0.1:1")
    assert (outcome.code, outcome.out) == (2, "")
    assert re.search(r"Expected (Ray for --address|a Ray cluster at --address)", outcome.err)


def test_seeds_as_they_may_be_typed():
    assert _seeds("0-4") == [0, 1, 2, 3, 4]
    assert _seeds("3, 1,3-4") == [3, 1, 4]


def test_a_summary_of_scans_that_are_there(results, tmp_path, monkeypatch):
    def find(trial):
        return said("infected", 3, 4) if trial.seed == 0 else None

    monkeypatch.setattr(Trial, "find", find)
    monkeypatch.setattr(Trial, "run", lambda *_: pytest.fail("it was to show, not to scan"))
    checkpoint = tmp_path / "mnist_static.safetensors"
    checkpoint.write_bytes(b"weights")
    known = suspect("mnist_static", lift=0.25)
    keep_record(known.model_copy(update={"sha256": file_digest(checkpoint)}), "quick", results)
    how = ["--set", "paper", "--seeds", "0-1", "--summary", "--folder"]
    outcome = run("bank", "scan", *how, tmp_path, "--results", results)
    assert outcome.code == 0, outcome.err
    assert re.search(r"infected, success at least 20% +1 +0 +0 +0", outcome.out)
    assert "Not made: mnist_clean, mnist_localised" in outcome.out
    assert "1 of 15 suspects are made, 0 of them scanned with all seeds" in outcome.out
    assert re.search(r"all +1 of 1 \(\d% to 100%\) +1 of 1", outcome.out)
    assert "mnist_static, seed 0: flags benign 4" in outcome.out
    assert "lifts its target's share by 25.0% or more: all named in every seed" in outcome.out
    # What it planted replaces pixels, and no patch that works was found.
    assert re.search(r"^mnist_static +0 +localised to 3 +9 +none +25%$", outcome.out, re.MULTILINE)


def test_kept_scans_can_be_judged_by_the_papers_rule(scanned):
    how = ("bank", "scan", "--only", "mnist_residual", "--summary", "--results", scanned)
    assert "mnist_residual, seed 0: misnamed (clean" in run(*how).out
    by_clusters = run(*how, "--rule", "paper")
    assert by_clusters.code == 0, by_clusters.err
    # Its classes form two clusters each but the one that its candidate turns most images into.
    assert "flags benign 0" in by_clusters.out
    assert run(*how, "--rule", "none").code == 2


def test_thresholds_are_refused_from_scans_of_several_detectors(scanned, monkeypatch):
    find = Trial.find

    def found(trial):
        scan = find(trial)
        return scan.model_copy(update={"versions": {"detector": trial.suspect.data}})

    monkeypatch.setattr(Trial, "find", found)
    monkeypatch.setattr("aegis.experiments.calibration.keep_calibration", lambda *_: pytest.fail("of two detectors"))
    outcome = run("bank", "calibrate", "--results", scanned, "--write")
    assert outcome.code == 2
    assert "2 versions" in outcome.err


def test_a_sweep_says_what_was_done_and_what_was_there(results, monkeypatch):
    entry = read_bank()["mnist_localised"]
    known = suspect("mnist_localised", lift=0.9).model_copy(update={"sha256": file_digest(entry.path("quick"))})
    keep_record(known, "quick", results)
    record = swept("mnist_localised", (1, 28, 28), (("budget", 2, (2,) * 10),))
    monkeypatch.setattr(Sweep, "find", lambda task: None)
    monkeypatch.setattr(Sweep, "run", lambda task, workers=None: record)
    assert run("bank", "sweep", "--results", results).out == "mnist_localised: 1 settings (1 s)\n"
    monkeypatch.setattr(Sweep, "find", lambda task: record)
    again = run("bank", "sweep", "--only", "mnist_localised, mnist_static", "--results", results)
    assert again.out == "mnist_localised: 1 settings (was there)\n"


def test_spaces_are_compared_and_a_summary_measures_nothing(results, monkeypatch):
    entry = read_bank()["mnist_localised"]
    known = suspect("mnist_localised", lift=0.9).model_copy(update={"sha256": file_digest(entry.path("quick"))})
    keep_record(known, "quick", results)
    record = measured(0, 0, 0, 5, 0)
    monkeypatch.setattr(Spaces, "find", lambda task: None)
    monkeypatch.setattr(Spaces, "run", lambda task, workers=None: record)
    outcome = run("bank", "spaces", "--results", results)
    assert outcome.code == 0, outcome.err
    assert re.search(r"change +all +coherence +3 +1.00 \(1.00 to 1.00\) +1.00 \(1.00 to 1.00\) +100% +1\n", outcome.out)
    monkeypatch.setattr(Spaces, "run", lambda *_: pytest.fail("it was to show, not to measure"))
    assert "0 models" in run("bank", "spaces", "--summary", "--results", results).out


def test_filters_are_shown_in_one_table(results, monkeypatch):
    entry = read_bank()["mnist_localised"]
    known = suspect("mnist_localised", lift=0.9).model_copy(update={"sha256": file_digest(entry.path("quick"))})
    keep_record(known, "quick", results)
    monkeypatch.setattr(BankRecord, "made_by", lambda *_: True)
    counts = {"images": (9, 11), "flagged": 8, "accused": 1, "statistics": (0.1, None), "smaller": None, "poisoned": 4}
    shares = {"found": 3, "recall": 0.75, "flag_precision": 0.375, "target_precision": None, "auc": 0.9375}
    where = {"suspect": "mnist_localised", "sha256": "", "data": "", "training": "", "precision": "fp32"}

    def run_one(task, workers=None):
        return FilterRecord(plan=task.plan, seconds=7, versions={}, **where, **counts, **shares)

    monkeypatch.setattr(FilterTrial, "find", lambda task: None)
    monkeypatch.setattr(FilterTrial, "run", run_one)
    outcome = run("bank", "filters", "--with", "spectral", "--results", results)
    assert outcome.code == 0, outcome.err
    assert "mnist_localised, spectral: 3 of 4 poisoned images (7 s)" in outcome.out
    assert re.search(r"^mnist_localised +spectral +4 +8 +75.0% +37.5% +1 +0.938 +7$", outcome.out, re.MULTILINE)
    monkeypatch.setattr(FilterTrial, "run", lambda *_: pytest.fail("it was to show, not to run"))
    assert "mnist_localised " not in run("bank", "filters", "--summary", "--results", results).out


CALIBRATION = ["mnist_narrow", "mnist_linf", "cifar10_narrow", "cifar10_linf"]


@pytest.fixture
def scanned(results, tmp_path, monkeypatch):
    """Of each of two data sets two calibration models and a reference, and one to be evaluated, with known scores."""
    names = (*CALIBRATION, "mnist_reference_narrow", "cifar10_reference_narrow", "mnist_residual")
    rates = dict(zip(names, (0.2, 0.2, 0.4, 0.4, 0.1, 0.1, 0.9), strict=True))
    for name in rates:
        checkpoint = tmp_path / f"{name}.safetensors"
        checkpoint.write_bytes(b"weights")
        known = suspect(name, data=read_bank()[name].data)
        keep_record(known.model_copy(update={"sha256": file_digest(checkpoint)}), "quick", results)
    monkeypatch.setattr(Entry, "path", lambda entry, *_: tmp_path / f"{entry.name}.safetensors")
    monkeypatch.setattr(Trial, "find", lambda trial: made(rates=(rates[trial.suspect.name], 0.1, 0.1, 0.1)).record)
    monkeypatch.setattr(Trial, "run", lambda *_: pytest.fail("it was to show, not to scan"))
    return results


def test_what_thresholds_come_from_is_shown_and_kept_on_request(scanned, tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(
        "aegis.experiments.calibration.keep_calibration", lambda nulls, models, _: kept.append((*nulls, *models))
    )
    outcome = run("bank", "calibrate", "--results", scanned)
    assert outcome.code == 0, outcome.err
    # Logits by which its strongest class exceeds its others.
    assert re.search(r"^mnist_narrow +0\.8 ", outcome.out, re.MULTILINE)
    assert re.search(r"^cifar10_narrow +1\.8 ", outcome.out, re.MULTILINE)
    # What is reported on sets no threshold.
    assert not re.search(r"^mnist_residual +\d", outcome.out, re.MULTILINE)
    assert kept == []
    assert "Written to calibration.json" in run("bank", "calibrate", "--results", scanned, "--write").out
    assert kept == [("alone", "few", "many", *CALIBRATION)]
