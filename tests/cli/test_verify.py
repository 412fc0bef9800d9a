"""Damage in the store is named and computed anew; a scan is repeated from its record alone."""

import json
import shutil
import sys

import pytest

from .conftest import TINY, run, write_images

ONE = (*TINY, "--classes", "1")


@pytest.fixture(scope="module")
def made(trained, images, tmp_path_factory):
    """A scan of one class with a store of its own."""
    folder = tmp_path_factory.mktemp("verify")
    scan = ("scan", trained[1], "--data", images, *ONE, "--json", folder / "result.json")
    outcome = run(*scan, store=folder / "store")
    assert outcome.code in (1, 3), outcome.err
    return folder


@pytest.fixture
def result(made, tmp_path, monkeypatch):
    """Its file, to be changed at will like its store."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    return tmp_path / "result.json"


def forge(result, change):
    plain = json.loads(result.read_text())
    change(plain)
    result.write_text(json.dumps(plain))


def without_times(path):
    return {name: value for name, value in json.loads(path.read_text()).items() if name not in ("created", "seconds")}


def test_what_is_damaged_is_named_and_the_next_scan_computes_it_anew(result, suspect, images, tmp_path):
    outcome = run("verify")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("0 damaged. Compared: 3 files (")
    assert outcome.out.endswith("1 saved scan\n")
    assert run("verify", "-q").out == ""
    paths = sorted((tmp_path / "store" / "arrays").iterdir())
    sound = [path.read_bytes() for path in paths]
    paths[0].write_bytes(sound[0][:-1] + b"x")
    outcome = run("verify")
    assert outcome.code == 1
    assert outcome.out.count("Damaged: ") == outcome.out.count(f"Damaged: arrays/{paths[0].name}, ") == 1
    again = run("scan", suspect, "--data", images, *ONE, "--json", tmp_path / "again.json")
    assert "found again" not in again.out
    assert run("verify").code == 0
    assert [path.read_bytes() for path in paths] == sound
    assert without_times(result) == without_times(tmp_path / "again.json")
    assert "found again" in run("scan", suspect, "--data", images, *ONE).out


def test_a_scan_is_repeated_from_its_record_and_the_model_beside_it(result, suspect, tmp_path):
    assert "Give it with --checkpoint" in run("verify", result).err
    (tmp_path / suspect.name).write_bytes(b"another")
    assert f"another file: {tmp_path / suspect.name}" in run("verify", result).err
    (tmp_path / suspect.name).write_bytes(suspect.read_bytes())
    outcome = run("verify", result)
    assert outcome.code == 0, outcome.out
    assert outcome.out.startswith("The same, apart from times. ")
    assert "did not run on the same" not in outcome.out


def test_a_forged_value_is_named(result, suspect):
    def change(plain):
        plain["classes"][0]["clusters"] = 77
        plain["versions"]["torch"] = "0.1"
        plain["source"]["revision"] = "\u001b[31m"

    forge(result, change)
    outcome = run("verify", result, "--checkpoint", suspect)
    assert outcome.code == 1
    assert outcome.out.startswith("Not the same: 1 value differs. ")
    assert "  classes.0.clusters: 77 then, " in outcome.out
    assert 'versions.torch: "0.1" then, ' in outcome.out
    assert "source.revision: " in outcome.out
    assert "\x1b" not in outcome.out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plain: plain["model"].update(sha256="0" * 64), "the model that was scanned"),
        (lambda plain: plain["model"].update(digest="0" * 64), "the model as it was scanned"),
        (lambda plain: plain["data"].update(digest="0" * 64), "the images that were scanned"),
        (lambda plain: plain["data"].update(name="/nowhere.npz"), "/nowhere.npz"),
        (lambda plain: plain["config"].update(more=1), "the settings of a scan of this version"),
        (lambda plain: plain.update(schema_version=9), "a scan result written by aegis scan --json"),
    ],
    ids=["file", "model", "images", "no images", "settings", "schema"],
)
def test_what_cannot_be_repeated_is_one_message(result, suspect, change, message):
    forge(result, change)
    outcome = run("verify", result, "--checkpoint", suspect, "-q")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert message in outcome.err


def test_a_record_chooses_no_code_that_is_run(result, suspect, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "canary.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    forge(result, lambda plain: plain["model"].update(architecture="canary:build"))
    run("verify", result, "--checkpoint", suspect, "-q")
    assert not (tmp_path / "ran").exists()


def test_a_record_of_the_first_version_is_repeated_over_images_that_moved(result, suspect, tmp_path):
    def change(plain):
        for name in ("labels", "source"):
            plain.pop(name)
        for name in ("mean", "std"):
            plain["model"].pop(name)
        plain["runtime"].pop("hardware")
        plain["data"].update(name="gone.npz")

    forge(result, change)
    outcome = run("verify", result, "--checkpoint", suspect, "--data", write_images(tmp_path / "moved.npz"))
    # What it did not say cannot differ.
    assert outcome.code == 0, outcome.out
    assert " then, " not in outcome.out


def test_options_of_a_result_need_one(suspect):
    outcome = run("verify", "--checkpoint", suspect)
    assert (outcome.code, outcome.out) == (2, "")
    assert "a result to be repeated" in outcome.err


def test_a_network_with_noise_is_told_apart_from_another_one(result, suspect, images, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "noisy.py").write_text(
        "import torch\nfrom aegis.models.architectures import build\n"
        "def noise(_, given):\n    return given[0] + 0.1 * torch.randn_like(given[0])\n"
        "def net(in_channels, classes):\n    net = build('aegis:cnn16', in_channels, classes)\n"
        "    net.register_forward_pre_hook(noise)\n    return net\n"
    )
    told = ("--arch", "noisy:net", "--data", images)
    scanned = run("scan", suspect, *told, *ONE, "--json", result)
    assert scanned.code in (1, 3), scanned.err
    assert "its answers differ from call to call" in " ".join(scanned.out.split())
    outcome = run("verify", result, "--checkpoint", suspect, *told)
    assert (outcome.code, "another architecture" in outcome.err) == (1, False)
    assert "no two scans of it are the same" in " ".join(outcome.out.split())
