"""What other programs rely on: verdicts, exit codes, the JSON; and that nothing is computed twice."""

import json
import sys
from dataclasses import replace

import pytest

from aegis.cli.scan import told_early
from aegis.core.types import Applicability
from aegis.models.intake.formats import file_digest
from aegis.records.config import AssessConfig, VerdictConfig
from aegis.records.ranking import ranked
from aegis.records.record import read_record
from tests.stored import dataset

from .conftest import NAMES, SMALL, TINY, entries, run, run_without_torch


def test_a_clean_model(scanned):
    outcome, _ = scanned
    assert outcome.code == 0, outcome.err
    assert outcome.complaints == []
    assert "Clean" in outcome.out
    assert NAMES[1] in outcome.out  # brackets in a class name are text, not markup
    said = " ".join(outcome.out.split())
    found = ranked(read_record(scanned[1]))[0]
    rates = enumerate(found.triggers[found.strongest].flip_rates)
    told = ", ".join(f"{NAMES[k]} {rate:.0%}" for k, rate in rates if rate is not None)
    assert f"Flip rates of the strongest trigger, {found.label} ({found.name}), by source class: {told}" in said
    assert "Not tested: Attackers who know this test" in said
    assert "benign: at most so many benign models have a class like this" in said
    assert "\x1b" not in outcome.out
    # In a file nothing is wrapped: a line of the table is a line.
    assert max(map(len, outcome.out.splitlines())) > 80


def test_the_json_is_the_record_of_what_was_asked_for(scanned, suspect):
    record = read_record(scanned[1])
    assert record.to_json() == scanned[1].read_text()
    assert (record.verdict, record.flagged_classes, record.model.sha256) == ("clean", (), file_digest(suspect))
    assert [(one.label, one.name) for one in record.classes] == list(enumerate(NAMES))
    assert (record.config["gather"]["seeds"], record.config["embed"]["perplexity"]) == (40, 10)


def test_the_same_scan_again_needs_no_torch_and_says_the_same(scanned, suspect, images, tmp_path):
    again = tmp_path / "again.json"
    assert "found again" in run_without_torch("scan", suspect, "--data", images, *SMALL, "--json", again)
    assert again.read_bytes() == scanned[1].read_bytes()


def test_quiet_prints_the_sentence_alone(scanned, suspect, images):
    outcome = run("scan", suspect, "--data", images, *SMALL, "-q")
    sentence = json.loads(scanned[1].read_text())["sentence"]
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{sentence}\n", "")


@pytest.fixture
def counted(monkeypatch):
    """Which classes are examined for real."""
    import aegis.detect.scan

    steps, examined = aegis.detect.scan.STEPS, []

    def gather(classifier, data, label, config, *, report):
        examined.append(label)
        return steps.gather(classifier, data, label, config, report=report)

    monkeypatch.setattr(aegis.detect.scan, "STEPS", replace(steps, gather=gather))
    return examined


def test_some_classes_alone_never_make_a_model_clean(scanned, suspect, images, counted, tmp_path):
    outcome = run("scan", suspect, "--data", images, *SMALL, "--classes", "3,0,3", "--json", tmp_path / "r.json")
    assert outcome.code == 3
    assert "Inconclusive" in outcome.out
    assert [one["label"] for one in json.loads((tmp_path / "r.json").read_text())["classes"]] == [3, 0]
    assert counted == []  # both were examined when all were


def test_settings_replace_the_presets_and_a_flagged_class_ends_with_code_1(suspect, images, tmp_path):
    # Within so small a radius nearly every point is a cluster of its own, and the paper's rule allows two.
    options = ("--classes", "2", "--bandwidth", "0.05", "--epsilon", "2", "--step", "0.5", "--seed", "5")
    store = tmp_path / "deep" / "store"
    outcome = run("scan", suspect, "--data", images, *TINY, *options, "--json", tmp_path / "r.json", store=store)
    assert outcome.code == 1
    assert outcome.out.count("flagged") == 1
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["verdict"], found["flagged_classes"], found["classes"][0]["triggers"]) == ("infected", [2], [])
    assert found["config"]["gather"]["stages"] == [{"epsilon": 2.0, "step": 0.5, "iterations": 4}]
    assert found["config"]["gather"]["seed"] == found["config"]["embed"]["seed"] == 5
    # The store is made where it is asked for, and only there.
    kept = entries(store)
    assert "index.sqlite" in kept
    assert sum(name.endswith(".npz") for name in kept) == 3  # robustness, what was gathered, the plane
    assert not any("partial" in name for name in kept)
    assert entries(tmp_path) == {"r.json", *(f"deep/store/{name}" for name in kept)}


def test_fresh_and_another_normalisation_compute_again(suspect, images, counted, tmp_path):
    scan = ("scan", suspect, "--data", images, *TINY, "--classes", "1")
    # In a store of its own: other tests examine the same class.
    store = tmp_path / "store"
    codes = [run(*scan, *more, store=store).code for more in ((), (), ("--fresh",))]
    assert (counted, len(set(codes))) == ([1, 1], 1)
    run(*scan, "--mean", "0.15", "--std", "0.3", store=store)
    assert counted == [1, 1, 1]


def test_a_positive_control_is_told_and_kept_with_the_scan(suspect, images, tmp_path, monkeypatch):
    from aegis.experiments import control as experiment

    planted, plant = [], experiment.positive_control
    monkeypatch.setattr(experiment, "positive_control", lambda *a, **k: planted.append(1) or plant(*a, **k))
    path = tmp_path / "r.json"
    options = ("--data", images, *TINY, "--classes", "1", "--json", path)
    without = run("scan", suspect, *options)
    assert "Positive control" not in without.out
    assert json.loads(path.read_text())["control"] is None
    outcome = run("scan", suspect, *options, "--control")
    assert outcome.code == without.code, outcome.err
    assert "Positive control: a square of 4 by 4 pixels that leads to class" in " ".join(outcome.out.split())
    control = json.loads(path.read_text())["control"]
    assert "Positive control" in run("scan", suspect, *options).out
    _, told = run("scan", suspect, *options, "--control", "--quiet").out.splitlines()
    assert told.startswith("Positive control: ")
    assert json.loads(path.read_text())["control"] == control
    assert len(planted) == 1


def test_of_two_networks_in_a_file_one_must_be_named_and_each_is_scanned_apart(trained, images, tmp_path, counted):
    import torch
    from safetensors.torch import load_file

    state = load_file(trained[1])
    other = state | {name: 1.01 * tensor for name, tensor in state.items() if name.endswith("weight")}
    torch.save({"state_dict": state, "state_dict_ema": other}, tmp_path / "a.pt")
    normalisation = ("--mean", "0.2", "--std", "0.3")
    options = (
        "--arch",
        "aegis:cnn16",
        "--data",
        images,
        *normalisation,
        *TINY,
        "--classes",
        "1",
        "--json",
        tmp_path / "r.json",
    )
    outcome = run("scan", tmp_path / "a.pt", *options)
    assert outcome.code == 2
    assert "2 networks: state_dict (" in " ".join(outcome.err.split())
    outcome = run("scan", tmp_path / "a.pt", *options, "--entry", "state_dict")
    assert "a.pt, entry state_dict" in outcome.out
    model = json.loads((tmp_path / "r.json").read_text())["model"]
    assert (model["entry"], model["others"]) == ("state_dict", ["state_dict_ema"])
    assert counted == [1]
    # One of them was scanned already and is found again.
    outcome = run("scan", tmp_path / "a.pt", *options, "--entry", "all", "--quiet")
    found = [json.loads((tmp_path / f"r-{i}.json").read_text()) for i in (1, 2)]
    assert [one["model"]["entry"] for one in found] == ["state_dict", "state_dict_ema"]
    codes = {"clean": 0, "infected": 1, "inconclusive": 3}
    verdicts = [one["verdict"] for one in found]
    assert outcome.code == (1 if "infected" in verdicts else max(codes[verdict] for verdict in verdicts))
    assert [one["sentence"] in " ".join(outcome.out.split()) for one in found] == [True, True]
    assert counted == [1, 1]


FACTORY = """
from aegis.models.architectures import build as known

def build(in_channels, classes):
    model = known("aegis:cnn16", in_channels, classes)
    model.register_forward_pre_hook(lambda module, inputs: ({change},))
    return model
"""


def test_an_architecture_of_ones_own(trained, images, tmp_path, monkeypatch, counted):
    from safetensors.numpy import load_file, save_file

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    save_file(load_file(trained[1]), tmp_path / "plain.safetensors")

    def scan(change):
        (tmp_path / "ownnet.py").write_text(FACTORY.format(change=change))
        sys.modules.pop("ownnet", None)
        options = ("--arch", "ownnet:build", "--data", images, "--mean", "0.2", "--std", "0.3", "--classes", "0")
        outcome = run("scan", "plain.safetensors", *options, *TINY)
        assert outcome.code in (1, 3), outcome.err

    scan("inputs[0]")
    # The file has not changed, but the code that the user names has.
    scan("1.1 * inputs[0]")
    assert counted == [0, 0]


def test_a_triage_of_all_classes_says_what_the_scan_said_and_shows_the_ranks(
    scanned, suspect, images, counted, tmp_path
):
    path = tmp_path / "triage.json"
    outcome = run("scan", suspect, "--data", images, *SMALL, "--triage", "--budget", "10m", "--json", path)
    assert outcome.code == 0, outcome.err
    found, whole = read_record(path), read_record(scanned[1])
    assert (found.verdict, found.labels, found.triage.budget) == ("clean", None, 600)
    assert tuple(one.label for one in found.classes) == found.triage.order
    assert sorted(found.classes, key=lambda one: one.label) == list(whole.classes)
    assert counted == []  # all were examined by the scan
    assert "rank" in outcome.out
    assert "size: of the smallest universal perturbation or patch" in outcome.out
    # It is whole, and found again without the model.
    assert "found again" in run_without_torch("scan", suspect, "--data", images, *SMALL, "--triage")


def test_a_triage_that_had_no_time_shows_the_ranking_and_goes_on(scanned, suspect, images, tmp_path):
    path, none, settings = tmp_path / "triage.json", ("--triage", "--budget", "0.001s"), (*SMALL, "--seed", "3")
    first = run("scan", suspect, "--data", images, *settings, *none, "--json", path)
    assert first.code == 3, first.err
    record = read_record(path)
    assert record.classes == ()
    assert first.out.count("not examined") == 4
    assert "no class was examined in time. The likeliest of 4 are" in " ".join(first.out.split())
    assert "4 of the model's 4 classes." in first.out
    # It is never taken for whole.
    again = run("scan", suspect, "--data", images, *settings, *none)
    assert (again.code, "found again" in again.out) == (3, False)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--budget", "10m"), "--budget together with --triage"),
        (("--triage", "--classes", "1"), "either --triage or --classes"),
        (("--triage", "--control"), "either --triage or --control"),
        (("--triage", "--budget", "soon"), "a span of time for --budget"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_read(options, complaint, tmp_path):
    outcome = run("scan", tmp_path / "nothing.pt", "--data", tmp_path, *options)
    assert outcome.code == 2
    assert complaint in " ".join(outcome.err.split())


@pytest.mark.parametrize(("accuracy", "told"), [(0.38, "accuracy on these images is 38.0%"), (0.9, "")])
def test_a_model_that_cannot_be_judged_is_told_as_soon_as_it_is_measured(accuracy, told, capsys):
    measured = Applicability(accuracy, (0.5, 1.0), (0.3, 0.3))
    measure = told_early(lambda *_, report: measured, VerdictConfig(min_half_radius=0.0))
    assert measure(None, dataset(), AssessConfig()) is measured
    said = " ".join(capsys.readouterr().err.split())
    assert told in said
    assert bool(said) is bool(told)
