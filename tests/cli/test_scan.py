"""What other programs rely on: verdicts, exit codes, the JSON; and that nothing is computed twice."""

import json
import subprocess
import sys

import pytest

from aegis.models.intake.formats import file_digest
from aegis.records.ranking import ranked
from aegis.records.record import (
    read_record,
)

from .conftest import NAMES, SMALL, TINY, entries, run


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


def test_the_json_is_the_record_of_what_was_asked_for(scanned, suspect):
    record = read_record(scanned[1])
    assert record.to_json() == scanned[1].read_text()
    assert (record.verdict, record.flagged_classes, record.model.sha256) == ("clean", (), file_digest(suspect))
    assert [(one.label, one.name) for one in record.classes] == list(enumerate(NAMES))
    assert (record.config["gather"]["seeds"], record.config["embed"]["perplexity"]) == (40, 10)


def test_the_same_scan_again_needs_no_torch_and_says_the_same(scanned, suspect, images, tmp_path):
    again = tmp_path / "again.json"
    arguments = ["aegis", "scan", str(suspect), "--data", str(images), *SMALL, "--json", str(again)]
    code = f"""
import sys
sys.argv = {arguments!r}
from aegis.cli import main
try:
    main()
except SystemExit as end:
    heavy = [name for name in ("torch", "sklearn", "openTSNE", "umap") if name in sys.modules]
    print(end.code, heavy, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "0 []"
    assert again.read_bytes() == scanned[1].read_bytes()
    assert "found again" in done.stdout


def test_quiet_prints_the_sentence_alone(scanned, suspect, images):
    outcome = run("scan", suspect, "--data", images, *SMALL, "-q")
    assert outcome.code == 0
    assert outcome.out == json.loads(scanned[1].read_text())["sentence"] + "\n"
    assert outcome.err == ""


@pytest.fixture
def counted(monkeypatch):
    """Which classes are examined for real."""
    import aegis.detect.scan
    from aegis.detect.steps import Steps

    steps, examined = aegis.detect.scan.STEPS, []

    def gather(classifier, data, label, config, *, report):
        examined.append(label)
        return steps.gather(classifier, data, label, config, report=report)

    monkeypatch.setattr(aegis.detect.scan, "STEPS", Steps(steps.assess, gather, steps.embed))
    return examined


def test_some_classes_alone_never_make_a_model_clean(scanned, suspect, images, counted, tmp_path):
    outcome = run("scan", suspect, "--data", images, *SMALL, "--classes", "3,0,3", "--json", tmp_path / "r.json")
    assert outcome.code == 3
    assert "Inconclusive" in outcome.out
    assert [one["label"] for one in json.loads((tmp_path / "r.json").read_text())["classes"]] == [3, 0]
    assert counted == []  # both were examined when all were


def test_an_flagged_class_ends_with_code_1(suspect, images, tmp_path):
    # Within so small a radius nearly every point is a cluster of its own, and the paper's rule allows two.
    options = ("--classes", "2", "--bandwidth", "0.05", "--json", tmp_path / "r.json")
    outcome = run("scan", suspect, "--data", images, *TINY, *options)
    assert outcome.code == 1
    assert outcome.out.count("flagged") == 1
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["verdict"] == "infected"
    assert found["flagged_classes"] == [2]
    assert found["classes"][0]["triggers"] == []


def test_fresh_computes_again(suspect, images, counted):
    options = (*TINY, "--classes", "1")
    first = run("scan", suspect, "--data", images, *options)
    assert run("scan", suspect, "--data", images, *options).code == first.code
    assert counted == [1]
    assert run("scan", suspect, "--data", images, *options, "--fresh").code == first.code
    assert counted == [1, 1]


def test_another_normalisation_is_another_model(suspect, images, counted, tmp_path):
    run("scan", suspect, "--data", images, *TINY, "--classes", "1")
    counted.clear()
    options = ("--mean", "0.15", "--std", "0.3", "--json", tmp_path / "r.json")
    run("scan", suspect, "--data", images, *TINY, "--classes", "1", *options)
    assert counted == [1]


def test_settings_replace_the_presets(suspect, images, tmp_path):
    options = ("--classes", "0", "--epsilon", "2", "--step", "0.5", "--seed", "5", "--json", tmp_path / "r.json")
    run("scan", suspect, "--data", images, *TINY, *options)
    config = json.loads((tmp_path / "r.json").read_text())["config"]
    assert config["gather"]["stages"] == [{"epsilon": 2.0, "step": 0.5, "iterations": 4}]
    assert config["gather"]["seed"] == config["embed"]["seed"] == 5


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
    for again in ((), ("--control",)):
        assert "Positive control" in run("scan", suspect, *options, *again).out
    _, told = run("scan", suspect, *options, "--quiet").out.splitlines()
    assert told.startswith("Positive control: ")
    assert json.loads(path.read_text())["control"] == control
    assert len(planted) == 1


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
    scan("inputs[0]")
    assert counted == [0]
    # The file has not changed, but the code that the user names has.
    scan("1.1 * inputs[0]")
    assert counted == [0, 0]


def test_a_store_is_made_where_it_is_asked_for(suspect, images, tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "deep" / "store"))
    run("scan", suspect, "--data", images, *TINY, "--classes", "0")
    kept = entries(tmp_path / "deep" / "store")
    assert "index.sqlite" in kept
    assert sum(name.endswith(".npz") for name in kept) == 3  # robustness, what was gathered, the plane
    assert not any("partial" in name for name in kept)
    assert entries(tmp_path) == {f"deep/store/{name}" for name in kept}
