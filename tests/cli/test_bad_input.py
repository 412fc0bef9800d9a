"""The issue's list of bad input, each through the command line: one message, exit code 2, nothing left behind."""

import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.models.intake.test_worker import Mischief

from .conftest import TINY, entries, run, write_images


def check_refused(outcome, *words):
    """One message on standard error that says what was expected, what came and what to do."""
    assert outcome.code == 2, outcome.err
    assert outcome.out == ""
    assert outcome.err.startswith("aegis: Expected "), outcome.err
    assert outcome.err.count("\n") == 1, outcome.err
    assert "; got " in outcome.err
    assert outcome.err.rstrip().endswith(".")
    assert "\x1b" not in outcome.err
    for word in words:
        assert word in outcome.err
    return outcome.err


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to be in, from which nothing may be found missing or added."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    return place


def _cut(path, suspect):
    path.write_bytes(suspect.read_bytes()[:-100])


def _damaged(path, suspect):
    content = suspect.read_bytes()
    path.write_bytes(content[:20] + b"\xff\xff" + content[22:])


def _zip(path, suspect):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "no weights")


FILES = {
    "missing": (lambda path, suspect: None, "No such file"),
    "folder": (lambda path, suspect: path.mkdir(), "a folder"),
    "empty": (lambda path, suspect: path.write_bytes(b""), "an empty file"),
    "text": (lambda path, suspect: path.write_text("not weights"), "a text file"),
    "zip": (_zip, "notes.txt"),
    "cut": (_cut, "copy or save it again"),
    "damaged": (_damaged, "copy or save it again"),
}


# The card of a file that was cut stands at its beginning, and can be shown.
CASES = [(name, kind) for name in ("scan", "evaluate", "show") for kind in FILES if (name, kind) != ("show", "cut")]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_files_that_are_no_checkpoints(name, kind, workplace, suspect, images):
    make, words = FILES[kind]
    make(workplace / "bad.pt", suspect)
    before = entries(workplace)
    check_refused(run(name, "bad.pt", *(("--data", images) if name != "show" else ())), words)
    assert entries(workplace) == before


def test_without_images_the_file_is_still_what_is_wrong(workplace):
    (workplace / "bad.pt").write_text("not weights")
    check_refused(run("scan", "bad.pt"), "a text file")


def test_a_pickle_with_code_is_not_run(workplace, images):
    import torch

    torch.save({"state_dict": {"w": torch.ones(1)}, "x": Mischief(workplace / "canary")}, workplace / "bad.pt")
    check_refused(run("scan", "bad.pt", "--data", images, "--arch", "aegis:cnn16"), "posix.system", "safetensors")
    assert entries(workplace) == {"bad.pt"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t | {"extra": t.pop("0.weight")}, ("0.weight", "extra", "--arch")),
        (lambda t: t | {"0.weight": np.full_like(t["0.weight"], np.nan)}, ("NaN", "0.weight")),
        (lambda t: t | {"0.weight": t["0.weight"][:, :, 1:]}, ("0.weight is (16, 1, 2, 3)",)),
    ],
    ids=["keys", "nan", "shapes"],
)
def test_weights_that_do_not_fit(change, words, workplace, suspect, images):
    save_file(
        {k: np.ascontiguousarray(v) for k, v in change(load_file(suspect)).items()}, workplace / "bad.safetensors"
    )
    check_refused(run("scan", "bad.safetensors", "--data", images, "--arch", "aegis:cnn16"), *words)
    assert entries(workplace) == {"bad.safetensors"}


def test_weights_without_a_card(workplace, suspect, images):
    save_file(load_file(suspect), workplace / "plain.safetensors")
    check_refused(run("scan", "plain.safetensors"), "without a card", "--data")
    check_refused(run("scan", "plain.safetensors", "--data", images), "without a card", "--arch")
    check_refused(run("show", "plain.safetensors"), "a card")


def test_a_card_that_names_images_which_are_not_bundled(suspect, workplace):
    check_refused(run("scan", suspect), "signs.npz", "--data")


def _colours(images, labels):
    return np.repeat(images[..., None], 3, axis=3), labels


def _larger(images, labels):
    labels = labels.copy()
    labels[:4] = 4
    return images, labels


@pytest.mark.parametrize(
    ("change", "names", "words"),
    [
        (_colours, "abcd", ("1 channel", "3 channels")),
        (_larger, "abcde", ("4 classes", "5 classes")),
        (lambda images, labels: (images, (labels + 1) % 4), "bcda", ("near the 25.0% of guessing", "order")),
        (lambda images, labels: (images, labels * 2), "abcdefg", ("none of class 1",)),
    ],
    ids=["channels", "classes", "order", "gaps"],
)
def test_images_that_do_not_fit_the_model(change, names, words, workplace, suspect):
    write_images(workplace / "other.npz", change, tuple(names))
    check_refused(run("scan", suspect, "--data", "other.npz", *TINY), *words)
    assert entries(workplace) == {"other.npz"}


@pytest.mark.parametrize("name", ["\x1b[2Jbox", "box\nbar", "a\u202eb", "x" * 201])
def test_class_names_that_steer_a_terminal(name, workplace, suspect):
    write_images(workplace / "other.npz", names=("bar", "post", "cross", name))
    check_refused(run("scan", suspect, "--data", "other.npz"), "class names", "Rename")
    check_refused(run("train", "out.safetensors", "--data", "other.npz"), "class names")


def test_folder_names_that_steer_a_terminal(workplace, suspect):
    from PIL import Image

    for split in ("train", "test"):
        for name in ("bar", "\x1b[31mpost"):
            (workplace / "photos" / split / name).mkdir(parents=True)
            for i in range(2):
                Image.new("L", (12, 12)).save(workplace / "photos" / split / name / f"{i}.png")
    assert "U+001B" in check_refused(run("scan", suspect, "--data", "photos"))
    (workplace / "photos" / "train" / "\x1b[31mpost" / "0.png").write_text("[bold]no picture[/bold]")
    check_refused(run("scan", suspect, "--data", "photos"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--perplexity", "30"), ("more than 90 images", "got 80", "perplexity")),
        (("--classes", "9"), ("from 0 to 3", "got 9", "--classes")),
        (("--classes", "-1"), ("--classes 7,3",)),
        (("--classes", ""), ("--classes 7,3",)),
        (("--classes", "one"), ("--classes 7,3",)),
        (("--classes", "nan"), ("--classes 7,3",)),
        (("--classes", "1e400"), ("--classes 7,3",)),
        (("--epsilon", "-1"), ("epsilon above 0", "-1")),
        (("--epsilon", "0"), ("epsilon above 0",)),
        (("--epsilon", "nan"), ("finite", "--epsilon")),
        (("--epsilon", "inf"), ("finite", "--epsilon")),
        (("--step", "-0.5"), ("step above 0", "-0.5")),
        (("--iterations", "-3"), ("iterations above 0", "-3")),
        (("--seeds", "-5"), ("at least 10 seeds", "-5")),
        (("--bandwidth", "-1"), ("bandwidth above 0", "-1")),
        (("--bandwidth", "inf"), ("finite", "--bandwidth")),
        (("--perplexity", "0"), ("perplexity of at least 2",)),
        (("--workers", "0"), ("at least 1 worker",)),
        (("--preset", "fast"), ("default, paper, quick", "'fast'")),
        (("--device", "tpu"), ("auto, cpu, cuda", "'tpu'")),
        (("--precision", "fp8"), ("fp32", "'fp8'")),
        (("--embedding", "pca"), ("tsne, umap", "'pca'")),
        (("--arch", "aegis:cnn99"), ("aegis:cnn32", "'aegis:cnn99'")),
        (("--arch", "nosuchmodule:build"), ("nosuchmodule",)),
        (("--arch", "aegis:cnn32"), ("(32, 1, 3, 3)", "--arch")),
        (("--arch", "aegis:resnet18,width"), ("width=32",)),
        (("--mean", "a,b"), ("--mean", "'a,b'")),
        (("--std", "inf"), ("--std", "'inf'")),
        (("--std", "0"), ("std",)),
        (("--mean", "0.1,0.2,0.3"), ("mean needs 1 value",)),
        (("--json", "nowhere/out.json"), ("--json", "nowhere")),
        (("--json", "."), ("--json", "a folder")),
        (("--json", "/dev/null"), ("--json", "a device")),
        (("--data", "fashion"), ("fashion_mnist", "'fashion'")),
        (("--data", "nowhere.npz"), ("nowhere.npz",)),
    ],
    ids=" ".join,
)
def test_options_that_cannot_be(options, words, workplace, suspect, images):
    given = (*TINY, "--classes", "0", "--data", images, *options)
    check_refused(run("scan", suspect, *given), *words)
    assert entries(workplace) == set()


def test_cuda_where_there_is_none(suspect, images, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    check_refused(
        run("scan", suspect, "--data", images, *TINY, "--classes", "2", "--device", "cuda"), "CUDA", "--device"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan",),
        ("scan", "a", "b"),
        ("scan", "--seed", "-1", "a"),
        ("scan", "--seed", str(2**32), "a"),
        ("scab",),
    ],
    ids=" ".join,
)
def test_usage(arguments):
    outcome = run(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("Usage: ")
    assert "-h' for help" in outcome.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--epsilon", "-1"), ("epsilon above 0",)),
        (("--iterations", "0"), ("iterations above 0",)),
        (("--device", "tpu"), ("'tpu'",)),
        (("--json", "nowhere/out.json"), ("nowhere",)),
        (("--data", "nowhere"), ("nowhere",)),
        (("--arch", "aegis:cnn99"), ("cnn99",)),
    ],
    ids=" ".join,
)
def test_evaluate(options, words, workplace, suspect, images):
    check_refused(run("evaluate", suspect, "--data", images, *options), *words)
    assert entries(workplace) == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--preset", "fast"), ("paper, quick", "'fast'")),
        (("--trigger", "sunglasses"), ("localised, distributed, static, adversarial", "'sunglasses'")),
        (("--trigger", "localised", "--target", "4"), ("from 0 to 3", "4")),
        (("--trigger", "localised", "--target", "1", "--rate", "1.5"), ("at most 1", "1.5")),
        (("--trigger", "localised", "--target", "1", "--size", "13"), ("12x12", "13x13")),
        (("--trigger", "localised", "--target", "1", "--row", "11"), ("12x12", "row 11")),
        (("--trigger", "localised", "--target", "1", "--colour", "1,0,0"), ("1 values",)),
        (("--trigger", "localised", "--target", "1", "--colour", "red"), ("--colour", "'red'")),
        (("--trigger", "static", "--target", "1", "--intensity", "-1"), ("intensity of at least 0",)),
        (("--trigger", "adversarial", "--target", "1"), ("--trigger-model",)),
        # What else is wrong there spares a failing test a training.
        (("--source", "0", "--rate", "0.1", "--epochs", "0"), ("got --rate, --source without it", "--trigger")),
        (("--target", "3", "--how", "replace", "--epochs", "0"), ("got --how, --target without it",)),
        (("--target", "7", "--how", "append", "--epochs", "0"), ("got --how, --target without it",)),
        (("--all-to-all", "--row", "0", "--epochs", "0"), ("got --all-to-all, --row without it",)),
        (("--trigger", "adversarial", "--target", "1", "--trigger-model", "nowhere.pt"), ("nowhere.pt",)),
        (("--epochs", "0"), ("epochs above 0",)),
        (("--attack-epsilon", "-2"), ("epsilon above 0",)),
        (("--attack-epsilon", "nan"), ("finite",)),
        (("--arch", "aegis:cnn99"), ("cnn99",)),
        (("--arch", "torchvision:resnet18"), ("3 channels",)),
        (("--device", "tpu"), ("'tpu'",)),
        (("--data", "nowhere"), ("nowhere",)),
    ],
    ids=" ".join,
)
def test_train(options, words, workplace, images):
    check_refused(run("train", "out.safetensors", "--data", images, *options), *words)
    assert entries(workplace) == set()


@pytest.mark.parametrize("out", ["nowhere/out.safetensors", ".", "/dev/null"])
def test_train_where_nothing_can_be_written(out, workplace, images):
    check_refused(run("train", out, "--data", images), "OUT.safetensors")
    assert entries(workplace) == set()


@pytest.mark.parametrize("content", ["", "{", "{}", "[1, 2]", '{"schema_version": 2}'])
def test_show_of_other_json(content, workplace):
    (workplace / "result.json").write_text(content)
    check_refused(run("show", "result.json"), "aegis scan --json", "result.json")


def test_a_store_that_cannot_be_written(workplace, suspect, images, monkeypatch):
    (workplace / "file").write_text("in the way")
    monkeypatch.setenv("AEGIS_STORE", str(workplace / "file" / "store"))
    check_refused(run("scan", suspect, "--data", images, *TINY), "AEGIS_STORE")
    assert entries(workplace) == {"file"}


def test_an_index_that_is_none(workplace, suspect, images, monkeypatch):
    (workplace / "store").mkdir()
    (workplace / "store" / "index.sqlite").write_text("this is no database, however long it may be " * 100)
    monkeypatch.setenv("AEGIS_STORE", str(workplace / "store"))
    check_refused(run("scan", suspect, "--data", images, *TINY), "AEGIS_STORE")
