"""``aegis identify``, and scans without a card and without ``--arch``."""

import json

import pytest
from safetensors.numpy import load_file, save_file

from aegis.models.card import read_identity

from .conftest import TINY, run


@pytest.fixture
def plain(suspect, tmp_path):
    """The suspect's weights without their card, as a training program would name them."""
    path = tmp_path / "plain.safetensors"
    save_file({f"module.{name}": array for name, array in load_file(suspect).items()}, path)
    return path


def test_a_sure_answer_is_a_command(plain, tmp_path):
    outcome = run("identify", plain, "--json", tmp_path / "out.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "aegis:cnn16: all 32 tensors fit, and no other architecture's do.",
        "4 classes, 1 channel, images likely of 28x28 pixels.",
        f"aegis scan {plain} --arch aegis:cnn16 --data DATA",
    ]
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["sure"], found["entry"], found["card"]) == (True, ".", None)
    (best,) = found["candidates"]
    assert (best["architecture"], best["classes"], best["channels"], best["side"]) == ("aegis:cnn16", 4, 1, 28)
    assert (best["prefix"], best["tensors"], best["missing"], best["wrong"]) == ("module.", 32, [], [])


def test_a_card_is_told(suspect):
    outcome = run("identify", suspect)
    assert outcome.code == 0
    assert "The file's card says aegis:cnn16" in outcome.out


def test_what_is_near_is_told_with_what_differs(plain):
    arrays = load_file(plain)
    arrays["module.extra.scale"] = arrays["module.0.weight"].copy()
    save_file(arrays, plain)
    outcome = run("identify", plain, "--quiet")
    assert (outcome.code, outcome.out.splitlines()[0]) == (3, "aegis:cnn16")
    assert "1 tensor unexpected (extra.scale)" in run("identify", plain).out


def test_bad_input_is_one_message(tmp_path):
    (tmp_path / "bad.pt").write_text("not weights")
    for line in ((tmp_path / "bad.pt",), (tmp_path / "none.pt",)):
        outcome = run("identify", *line)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith("aegis: Expected ")
        assert outcome.err.count("\n") == 1


def test_scan_and_evaluate_use_a_sure_answer_and_say_so(plain, suspect, images, tmp_path):
    said = "Recognised as aegis:cnn16 (all 32 tensors fit, and no other architecture's do)."
    card = read_identity(suspect)
    pixels = ("--mean", ",".join(map(str, card.mean)), "--std", ",".join(map(str, card.std)))
    outcome = run("scan", plain, "--data", images, *pixels, *TINY, "--classes", "0", "--json", tmp_path / "out.json")
    # A verdict, whichever it is.
    assert outcome.code in (0, 1, 3), outcome.err
    assert outcome.complaints == [said]
    assert json.loads((tmp_path / "out.json").read_text())["model"]["architecture"] == "aegis:cnn16"
    outcome = run("evaluate", plain, "--data", images, *pixels, "--iterations", "1")
    assert (outcome.code, outcome.complaints) == (0, [said])
    assert run("evaluate", plain, "--data", images, *pixels, "--iterations", "1", "--quiet").err == ""
    # Without them another normalisation is offered, and nothing measured.
    outcome = run("evaluate", plain, "--data", images, "--iterations", "1")
    assert (outcome.code, outcome.out) == (2, "")
    assert "Add --mean 0." in outcome.err
