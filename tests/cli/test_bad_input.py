"""The issue's list of bad input, each through the command line: one message, exit code 2, nothing left behind."""

import pytest
from safetensors.numpy import load_file, save_file

from .conftest import TINY, entries, run, write_images


def check_refused(outcome, *words):
    """One message on standard error that says what was expected, what came and what to do."""
    assert (outcome.code, outcome.out) == (2, ""), outcome.err
    assert outcome.err.startswith("aegis: Expected "), outcome.err
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.rstrip().endswith(".")
    assert "\x1b" not in outcome.err
    assert [word for word in ("; got ", *words) if word not in outcome.err] == [], outcome.err


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to be in, from which nothing may be found missing or added."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    return place


def test_a_file_that_is_no_checkpoint(workplace, images):
    (workplace / "bad.pt").write_text("not weights")
    for name in ("scan", "evaluate"):
        check_refused(run(name, "bad.pt", "--data", images), "a text file")
    # Without images, the file is still what is wrong.
    for name in ("scan", "show"):
        check_refused(run(name, "bad.pt"), "a text file")
    assert entries(workplace) == {"bad.pt"}


def test_what_no_card_says_must_be_given(workplace, suspect, images):
    save_file(load_file(suspect), workplace / "plain.safetensors")
    check_refused(run("scan", "plain.safetensors"), "without a card", "--data")
    strange = {f"{name}_": array for name, array in load_file(suspect).items()}
    save_file(strange, workplace / "strange.safetensors")
    check_refused(run("scan", "strange.safetensors", "--data", images), "--arch")
    check_refused(run("show", "plain.safetensors"), "a card")
    check_refused(run("scan", suspect), "signs.npz", "--data")


def test_images_whose_classes_are_in_another_order(workplace, suspect):
    write_images(workplace / "other.npz", lambda images, labels: (images, (labels + 1) % 4), tuple("bcda"))
    check_refused(run("scan", suspect, "--data", "other.npz", *TINY), "near the 25.0% of guessing", "order")
    assert entries(workplace) == {"other.npz"}


def test_class_names_that_steer_a_terminal(workplace, suspect):
    write_images(workplace / "other.npz", names=("bar", "post", "cross", "\x1b[2Jbox"))
    check_refused(run("scan", suspect, "--data", "other.npz"), "class names", "Rename")
    check_refused(run("train", "out.safetensors", "--data", "other.npz"), "class names")


BESIDE = {"scan": (*TINY, "--classes", "0"), "evaluate": (), "train": ()}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scan MODEL --perplexity 30", ("more than 90 images", "got 80", "perplexity")),
        ("scan MODEL --classes 9", ("from 0 to 3", "got 9", "--classes")),
        ("scan MODEL --classes one", ("bar, ", "'one'", "--classes 7,3")),
        ("scan MODEL --size 299", ("--size from 1 to 224", "got 299")),
        ("evaluate MODEL --channels 2", ("--channels among 1, 3",)),
        ("scan MODEL --epsilon -1", ("epsilon above 0", "-1")),
        ("scan MODEL --epsilon nan", ("finite", "--epsilon")),
        ("scan MODEL --seeds -5", ("at least 10 seeds", "-5")),
        ("scan MODEL --bandwidth inf", ("finite", "--bandwidth")),
        ("scan MODEL --perplexity 0", ("perplexity of at least 2",)),
        ("scan MODEL --preset fast", ("default, paper, quick", "'fast'")),
        ("scan MODEL --device tpu", ("auto, cpu, cuda", "'tpu'")),
        ("scan MODEL --device cuda", ("CUDA", "--device")),
        ("scan MODEL --embedding pca", ("tsne, umap", "'pca'")),
        ("scan MODEL --arch aegis:cnn99", ("aegis:cnn32", "'aegis:cnn99'")),
        ("scan MODEL --std inf", ("--std", "'inf'")),
        ("scan MODEL --json nowhere/out.json", ("--json", "nowhere")),
        ("scan MODEL --json .", ("--json", "a folder")),
        ("scan MODEL --json /dev/null", ("--json", "a device")),
        ("scan MODEL --data fashion", ("fashion_mnist", "'fashion'")),
        ("scan MODEL --data nowhere.npz", ("nowhere.npz",)),
        ("evaluate MODEL --epsilon -1", ("epsilon above 0",)),
        ("evaluate MODEL --json nowhere/out.json", ("nowhere",)),
        ("evaluate MODEL --data nowhere", ("nowhere",)),
        ("train out.pt --preset fast", ("paper, quick", "'fast'")),
        ("train out.pt --trigger sunglasses", ("localised, distributed, static, adversarial", "'sunglasses'")),
        ("train out.pt --trigger localised --target 4", ("from 0 to 3", "4")),
        ("train out.pt --trigger localised --target 1 --colour red", ("--colour", "'red'")),
        ("train out.pt --trigger adversarial --target 1", ("--trigger-model",)),
        # What else is wrong there spares a failing test a training.
        ("train out.pt --source 0 --rate 0.1 --epochs 0", ("got --rate, --source without it", "--trigger")),
        ("train out.pt --target 3 --how replace --epochs 0", ("got --how, --target without it",)),
        ("train out.pt --trigger adversarial --target 1 --trigger-model nowhere.pt", ("nowhere.pt",)),
        ("train out.pt --epochs 0", ("epochs above 0",)),
        ("train out.pt --attack-epsilon nan", ("finite",)),
        ("train out.pt --data nowhere", ("nowhere",)),
        ("train nowhere/out.safetensors", ("OUT.safetensors",)),
        ("train .", ("OUT.safetensors",)),
        ("train /dev/null", ("OUT.safetensors",)),
    ],
)
def test_options_that_cannot_be(line, words, workplace, suspect, images, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    name, file, *options = line.split()
    file = suspect if file == "MODEL" else file
    check_refused(run(name, file, *BESIDE[name], "--data", images, *options), *words)
    assert entries(workplace) == set()


@pytest.mark.parametrize("line", ["scan", "scan a b", "scan --seed -1 a", f"scan --seed {2**32} a", "scab"])
def test_usage(line):
    outcome = run(*line.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Usage: ")
    assert "-h' for help" in outcome.err


@pytest.mark.parametrize("content", ["", "{", "{}", "[1, 2]", '{"schema_version": 2}'])
def test_show_of_other_json(content, workplace):
    (workplace / "result.json").write_text(content)
    check_refused(run("show", "result.json"), "aegis scan --json", "result.json")


def test_a_store_that_cannot_be_used(workplace, suspect, images):
    (workplace / "file").write_text("in the way")
    check_refused(run("scan", suspect, "--data", images, *TINY, store=workplace / "file" / "store"), "AEGIS_STORE")
    assert entries(workplace) == {"file"}
    (workplace / "store").mkdir()
    (workplace / "store" / "index.sqlite").write_text("this is no database, however long it may be " * 100)
    check_refused(run("scan", suspect, "--data", images, *TINY, store=workplace / "store"), "AEGIS_STORE")


@pytest.mark.parametrize("command", ["scan", "compare", "evaluate", "identify"])
def test_a_folder_without_weights(workplace, command):
    (workplace / "folder").mkdir()
    check_refused(run(command, "folder"), "a folder with model.safetensors", "nothing")
