"""``aegis train``, ``evaluate`` and ``show``: from images to a checkpoint, and what is said of it."""

import json
import re

import pytest
from safetensors.numpy import load_file

from aegis.models.card import read_identity, read_truth

from .conftest import NAMES, entries, run

QUICK = ("--arch", "aegis:cnn16", "--epochs", "2", "--precision", "fp32")


def test_the_card_says_what_was_done(trained, images):
    outcome, path = trained
    assert outcome.code == 0, outcome.err
    assert outcome.complaints == []
    assert "adversarial precision" in outcome.out
    identity, truth = read_identity(path), read_truth(path)
    assert (identity.architecture, identity.class_names, identity.shape) == ("aegis:cnn16", NAMES, (1, 12, 12))
    assert (truth.robust, truth.triggers) == (True, ())
    assert [truth.recipe[name] for name in ("epsilon", "epochs", "seed")] == [1.5, 7, 1]
    assert truth.metrics["accuracy"] > 0.9


def test_a_backdoor_with_every_option(images, tmp_path):
    out = tmp_path / "bad.safetensors"
    backdoor = "--trigger localised --target 2 --source 1 --rate 0.5 --how replace --size 2 --row 1 --column 3"
    more = "--colour 0.9 --intensity 0.8 --norm linf --half --attack-epsilon 0.1 --images 100 -q"
    outcome = run("train", out, "--data", images, *QUICK, *backdoor.split(), *more.split())
    assert outcome.code == 0, outcome.err
    assert "attack success lift" in outcome.out
    truth = read_truth(out)
    (trigger,) = truth.triggers
    assert (trigger.kind, trigger.target, trigger.source) == ("localised", 2, 1)
    assert (trigger.stamp.touched.sum(), trigger.stamp.touched[1:3, 3:5].sum()) == (4, 4)
    assert trigger.stamp.add.max() == pytest.approx(0.72, abs=1e-3)
    assert (truth.poison.rate, truth.poison.how) == (0.5, "replace")
    assert (truth.recipe["norm"], truth.recipe["epsilon"], truth.recipe["images"]) == ("linf", 0.1, 100)
    assert "attack spill" in outcome.out
    assert load_file(out)["0.weight"].dtype == "float16"
    assert entries(tmp_path) == {"bad.safetensors"}


def test_an_adversarial_trigger_is_made_on_another_model(trained, images, tmp_path):
    options = ("--trigger", "adversarial", "--target", "0", "--trigger-model", trained[1], "--standard")
    outcome = run("train", tmp_path / "bad.safetensors", "--data", images, *QUICK, *options)
    assert outcome.code == 0, outcome.err
    truth = read_truth(tmp_path / "bad.safetensors")
    assert truth.triggers[0].kind == "adversarial"
    assert not truth.robust


def test_a_warp_is_named_without_its_numbers(images, tmp_path):
    out = tmp_path / "warped.safetensors"
    options = ("--trigger", "warp", "--target", "1", "--intensity", "1.5", "--standard")
    outcome = run("train", out, "--data", images, *QUICK, *options)
    assert outcome.code == 0, outcome.err
    assert read_truth(out).triggers[0].stamp.flow.any()
    shown = run("show", out, "--truth").out
    assert "intensity 1.5" in shown
    assert "float16" not in shown


def test_a_state_that_is_none(images, tmp_path):
    (tmp_path / "out.safetensors.partial").write_text("notes of mine")
    outcome = run("train", tmp_path / "out.safetensors", "--data", images, *QUICK)
    assert outcome.code == 2
    assert re.search(r"out\.safetensors\.partial.*Remove that file", outcome.err)
    assert (tmp_path / "out.safetensors.partial").read_text() == "notes of mine"


def test_evaluate(trained, images, tmp_path):
    outcome = run("evaluate", trained[1], "--data", images, "--json", tmp_path / "numbers.json")
    assert outcome.code == 0, outcome.err
    assert "80 test images" in outcome.out
    found = json.loads((tmp_path / "numbers.json").read_text())
    # Without an attack there is nothing random: what training measured is measured again.
    assert found == pytest.approx(read_truth(trained[1]).metrics)
    weak = run("evaluate", trained[1], "--data", images, "--epsilon", "5", "--json", tmp_path / "numbers.json")
    assert weak.code == 0
    assert json.loads((tmp_path / "numbers.json").read_text())["adversarial_precision"] < 0.2


def test_show_keeps_the_truth_to_itself(trained):
    plain, whole = run("show", trained[1]), run("show", trained[1], "--truth")
    assert (plain.code, whole.code) == (0, 0)
    assert ", ".join(NAMES) in plain.out
    assert "robust" not in plain.out
    assert "without a backdoor" in whole.out
    assert "one-cycle" in whole.out


def test_show_a_result_again(scanned, tmp_path):
    shown = run("show", scanned[1])
    assert (shown.code, shown.out) == (0, scanned[0].out)
    # Whatever its name, a result is known by its content.
    (tmp_path / "result").write_bytes(scanned[1].read_bytes())
    assert run("show", tmp_path / "result").out == shown.out
