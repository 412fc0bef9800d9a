"""The issue's list of bad input, each through the command line: one message, exit code 2, nothing left behind."""

import pytest
from safetensors.numpy import load_file, save_file

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


@pytest.mark.parametrize("name", ["scan", "evaluate", "show"])
def test_a_file_that_is_no_checkpoint(name, workplace, images):
    (workplace / "bad.pt").write_text("not weights")
    check_refused(run(name, "bad.pt", *(("--data", images) if name != "show" else ())), "a text file")
    assert entries(workplace) == {"bad.pt"}


def test_without_images_the_file_is_still_what_is_wrong(workplace):
    (workplace / "bad.pt").write_text("not weights")
    check_refused(run("scan", "bad.pt"), "a text file")


def test_weights_without_a_card(workplace, suspect, images):
    save_file(load_file(suspect), workplace / "plain.safetensors")
    check_refused(run("scan", "plain.safetensors"), "without a card", "--data")
    check_refused(run("scan", "plain.safetensors", "--data", images), "without a card", "--arch")
    check_refused(run("show", "plain.safetensors"), "a card")


def test_a_card_that_names_images_which_are_not_bundled(suspect, workplace):
    check_refused(run("scan", suspect), "signs.npz", "--data")


def test_images_whose_classes_are_in_another_order(workplace, suspect):
    write_images(workplace / "other.npz", lambda images, labels: (images, (labels + 1) % 4), tuple("bcda"))
    check_refused(run("scan", suspect, "--data", "other.npz", *TINY), "near the 25.0% of guessing", "order")
    assert entries(workplace) == {"other.npz"}


def test_class_names_that_steer_a_terminal(workplace, suspect):
    write_images(workplace / "other.npz", names=("bar", "post", "cross", "\x1b[2Jbox"))
    check_refused(run("scan", suspect, "--data", "other.npz"), "class names", "Rename")
    check_refused(run("train", "out.safetensors", "--data", "other.npz"), "class names")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--perplexity", "30"), ("more than 90 images", "got 80", "perplexity")),
        (("--classes", "9"), ("from 0 to 3", "got 9", "--classes")),
        (("--classes", "one"), ("--classes 7,3",)),
        (("--epsilon", "-1"), ("epsilon above 0", "-1")),
        (("--epsilon", "nan"), ("finite", "--epsilon")),
        (("--seeds", "-5"), ("at least 10 seeds", "-5")),
        (("--bandwidth", "inf"), ("finite", "--bandwidth")),
        (("--perplexity", "0"), ("perplexity of at least 2",)),
        (("--preset", "fast"), ("default, paper, quick", "'fast'")),
        (("--device", "tpu"), ("auto, cpu, cuda", "'tpu'")),
        (("--embedding", "pca"), ("tsne, umap", "'pca'")),
        (("--arch", "aegis:cnn99"), ("aegis:cnn32", "'aegis:cnn99'")),
        (("--std", "inf"), ("--std", "'inf'")),
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
        (("--json", "nowhere/out.json"), ("nowhere",)),
        (("--data", "nowhere"), ("nowhere",)),
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
        (("--trigger", "localised", "--target", "1", "--colour", "red"), ("--colour", "'red'")),
        (("--trigger", "adversarial", "--target", "1"), ("--trigger-model",)),
        # What else is wrong there spares a failing test a training.
        (("--source", "0", "--rate", "0.1", "--epochs", "0"), ("got --rate, --source without it", "--trigger")),
        (("--target", "3", "--how", "replace", "--epochs", "0"), ("got --how, --target without it",)),
        (("--trigger", "adversarial", "--target", "1", "--trigger-model", "nowhere.pt"), ("nowhere.pt",)),
        (("--epochs", "0"), ("epochs above 0",)),
        (("--attack-epsilon", "nan"), ("finite",)),
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
