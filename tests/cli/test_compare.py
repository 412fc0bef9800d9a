"""Other detectors beside AEGIS: what is printed, the exit code, the JSON, and bad input."""

import os
import sys
from functools import partial

import pytest

from aegis.baselines.catalogue import BASELINES
from aegis.records.detectors import ComparisonRecord
from aegis.records.presets import adjusted

from .conftest import NAMES, run, write_images
from .test_bad_input import check_refused


def test_a_rival_beside_the_scan_that_is_found_again(scanned, suspect, images, tmp_path, monkeypatch):
    # As in the scan that is finished, for which this command has no options.
    monkeypatch.setattr(sys.modules["aegis.cli.compare"], "adjusted", partial(adjusted, seeds=40, perplexity=10))
    path = tmp_path / "out.json"
    command = (
        "compare",
        suspect,
        "--data",
        images,
        "--preset",
        "quick",
        "--precision",
        "fp32",
        "--with",
        "nc-pgd,aegis",
    )
    outcome = run(*command, "--json", path)
    assert (outcome.code, outcome.complaints) == (0, []), outcome.err
    record = ComparisonRecord.model_validate_json(path.read_text())
    rival, aegis = record.detectors
    assert (rival.name, aegis.name, aegis.verdict) == ("nc-pgd", "aegis", "clean")
    assert (len(rival.scores), record.data.class_names) == (4, NAMES)
    lines = outcome.out.splitlines()
    assert lines[2] == record.sentence
    assert [line.split()[:2] for line in lines[4:7]] == [
        ["detector", "verdict"],
        ["Neural", "Cleanse"],
        ["AEGIS", "clean"],
    ]
    assert sum(NAMES[1] in line for line in lines[8:]) == 1  # brackets in a class name are text, not markup
    # Nothing is computed twice, and so the time is that of the first run.
    again = run(*command, "--json", path, "-q")
    assert (again.code, again.out, again.err) == (0, f"{record.sentence}\n", "")
    assert ComparisonRecord.model_validate_json(path.read_text()).detectors == record.detectors


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--with", "nc,abs"), ("nc, nc-pgd, mmbd, aegis", "'nc,abs'")),
        (("--with", ","), ("--with", "nc,aegis")),
        (("--entry", "all"), ("one network", "--entry")),
        (("--json", "nowhere/out.json"), ("nowhere",)),
    ],
)
def test_options_that_make_no_sense(suspect, images, options, words):
    check_refused(run("compare", suspect, "--data", images, *options), *words)


@pytest.mark.parametrize("name", BASELINES)
def test_a_model_of_two_classes(name, tmp_path):
    from safetensors.torch import save_file

    from aegis.models.architectures import build
    from aegis.models.card import Card, Identity

    data = write_images(tmp_path / "two.npz", lambda pictures, labels: (pictures, labels % 2), NAMES[:2])
    path = tmp_path / "two.safetensors"
    identity = Identity(architecture="aegis:cnn16", class_names=NAMES[:2], shape=(1, 24, 24))
    save_file(build("aegis:cnn16", 1, 2).state_dict(), os.fspath(path), Card(identity, None).as_metadata())
    check_refused(run("compare", path, "--data", data, "--with", f"{name},aegis"), "3 classes", "--with aegis")


@pytest.mark.parametrize("name", [name for name, one in BASELINES.items() if one.split])
def test_too_few_images(name, suspect, tmp_path):
    data = write_images(tmp_path / "few.npz", lambda pictures, labels: (pictures[:24], labels[:24]))
    check_refused(run("compare", suspect, "--data", data, "--with", name), "at least 30", "24")
