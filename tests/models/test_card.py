import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aegis.core.errors import CheckpointError
from aegis.core.types import Goal, Stamp
from aegis.core.varying import RoamingStamp, WarpStamp
from aegis.models.card import (
    Card,
    Identity,
    PackedArray,
    Poison,
    Trigger,
    Truth,
    read_identity,
    read_truth,
    save_checkpoint,
    write_whole,
)
from tests.hostile.headers import ENTRY, write

from .conftest import NAMES

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), min_size=1, max_size=30
)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=50)
plain = scalars | st.lists(scalars | st.lists(scalars, max_size=3).map(tuple), max_size=4).map(tuple)
options = st.dictionaries(words, plain, max_size=5)
metrics = st.dictionaries(words, st.floats(allow_nan=False, allow_infinity=False), max_size=5)


def write_header(path, metadata):
    """A safetensors file with one tensor and any text in its header."""
    write(path, {"__metadata__": metadata, "w": ENTRY})
    return path


@given(
    robust=st.booleans(),
    kind=words,
    target=st.integers(0, 10**6),
    options=options,
    recipe=options,
    metrics=metrics,
    rate=st.floats(0, 1),
    how=st.sampled_from(["append", "replace", "clean-label"]),
)
@settings(deadline=None)
def test_any_truth_survives_its_text(robust, kind, target, options, recipe, metrics, rate, how):
    trigger = Trigger(kind=kind, target=target, options=options)
    poison = Poison(rate=rate, how=how)
    truth = Truth(robust=robust, triggers=(trigger,), poison=poison, recipe=recipe, metrics=metrics)
    again = Truth.model_validate_json(truth.model_dump_json())
    assert again == truth
    # 1 == 1.0 == True, but a recipe must come back as it was.
    assert repr(again.recipe) == repr(recipe)
    assert repr(again.metrics) == repr(metrics)


def test_card_round_trip_through_a_file(tmp_path, network, identity):
    rng = np.random.default_rng(0)
    stamp = Stamp(np.float32(rng.random((1, 28, 28)) > 0.1), rng.random((1, 28, 28), dtype=np.float32))
    goal = Goal(target=7, source=2)
    truth = Truth(
        robust=True,
        triggers=(Trigger.of("localised", goal, {"size": 3, "corner": (1, 2), "intensity": 0.5}, stamp),),
        poison=Poison(rate=0.05, how="append"),
        recipe={"preset": "quick", "epochs": 10, "epsilon": 1.5, "augment": False},
        metrics={"accuracy": 0.91},
    )
    save_checkpoint(tmp_path / "a.safetensors", network, Card(identity, truth))
    assert read_identity(tmp_path / "a.safetensors") == identity
    found = read_truth(tmp_path / "a.safetensors")
    assert found == truth
    assert np.array_equal(found.triggers[0].stamp.keep, stamp.keep)
    assert np.abs(found.triggers[0].stamp.add - stamp.add).max() <= 2**-11
    assert [known for known, _ in found.backdoors] == [goal]


def test_triggers_that_vary_come_back_and_others_are_written_as_ever():
    rng = np.random.default_rng(0)
    keep, add = np.ones((1, 8, 8), np.float32), np.zeros((1, 8, 8), np.float32)
    add[:, 2:4, 2:4] = 0.5
    pixels = rng.random((9, 1, 8, 8), dtype=np.float32)
    flow = np.float32(np.float16(rng.normal(0, 2, (2, 8, 8))))
    for stamp in (Stamp(keep, add), RoamingStamp(keep, add), WarpStamp(keep, add, flow)):
        trigger = Trigger.of("any", Goal(target=1), {}, stamp)
        text = trigger.model_dump_json()
        again = Trigger.model_validate_json(text)
        assert again == trigger
        assert type(again.stamp) is type(stamp)
        assert np.array_equal(again.stamp(pixels), stamp(pixels))
        assert ("flow" in text, "roams" in text) == (isinstance(stamp, WarpStamp), isinstance(stamp, RoamingStamp))


@pytest.mark.parametrize("shape", [(2, 8, 7), (1, 8, 8), (8, 8)])
def test_a_flow_fits_its_stamp(shape):
    trigger = Trigger.of("any", Goal(target=1), {}, Stamp(*np.zeros((2, 1, 8, 8), np.float32)))
    with pytest.raises(ValidationError, match="two numbers for each pixel"):
        Trigger(**trigger.model_dump() | {"flow": PackedArray.pack(np.zeros(shape))})


@pytest.mark.parametrize("half", [False, True])
def test_a_network_or_its_classifier_is_saved_in_the_precision_asked_for(tmp_path, network, identity, half):
    import torch
    from safetensors.torch import load_file

    from aegis.models.classifier import Classifier

    path = tmp_path / "a.safetensors"
    save_checkpoint(path, Classifier(network, (1, 28, 28)) if half else network, Card(identity), half=half)
    assert read_truth(path) is None
    assert read_identity(path) == identity
    saved = load_file(path)
    assert saved.keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        wanted = (torch.float16 if half else torch.float32) if tensor.is_floating_point() else tensor.dtype
        assert saved[name].dtype == wanted
        assert torch.equal(saved[name], tensor.to(wanted))


def test_the_same_network_and_card_make_the_same_bytes(tmp_path, network, identity):
    contents = set()
    # The library orders the card anew every time: eight files in one order by chance are one in 128.
    for _ in range(8):
        save_checkpoint(tmp_path / "again.safetensors", network, Card(identity, Truth(robust=True)))
        contents.add((tmp_path / "again.safetensors").read_bytes())
    assert len(contents) == 1


def test_reading_a_card_needs_no_torch(checkpoint):
    code = f"print(read_identity({str(checkpoint)!r}).architecture, 'torch' in sys.modules)"
    code = f"import sys; from aegis.models.card import read_identity; {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["aegis:cnn16", "False"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"class_names": ("only one",)}, "class_names"),
        ({"class_names": ("a", "b" * 201)}, "class_names"),
        ({"class_names": ("a", "")}, "class_names"),
        ({"shape": (1, 28)}, "shape"),
        ({"shape": (0, 28, 28)}, "shape"),
        ({"shape": (1.0, 28, 28)}, "shape"),
        ({"mean": (0.1, 0.2)}, "mean needs 1 value or 1"),
        ({"mean": ()}, "mean needs"),
        ({"mean": (float("nan"),)}, "mean"),
        ({"architecture": "a\x1b[31m"}, "control character U\\+001B"),
        ({"schema_version": 2}, "schema_version"),
    ],
)
def test_an_identity_out_of_range_is_refused(identity, change, field):
    with pytest.raises(ValidationError, match=field):
        Identity.model_validate(identity.model_dump() | change)


def test_names_in_any_script_are_kept(identity):
    names = ("T-shirt/top", "<b>&amp;</b>", "靴", "حذاء", "sandály", "👟")
    named = Identity.model_validate(identity.model_dump() | {"class_names": names})
    assert Identity.model_validate_json(named.model_dump_json()).class_names == names


def test_a_packed_array_is_rounded_and_must_fill_its_shape():
    for shape in ((3,), (2, 3, 4)):
        array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        unpacked = PackedArray.pack(array).unpack()
        assert unpacked.dtype == np.float32
        assert np.array_equal(unpacked, array.astype(np.float16).astype(np.float32))
    with pytest.raises(ValidationError, match="do not fill"):
        PackedArray(shape=(1000, 1000), float16="AAAA")
    with pytest.raises(ValidationError):
        PackedArray(shape=(1,), float16="not base64!")


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("[]", "object"),
        ('{"schema_version": 9, "architecture": "x", "class_names": ["a", "b"], "shape": [1, 8, 8]}', "schema_version"),
        ('{"\\u001b[31m": 1, "architecture": "x", "class_names": ["a", "b"], "shape": [1, 8, 8]}', r"\x1b[31m: Extra"),
    ],
)
def test_a_malformed_card_says_where(tmp_path, text, got):
    path = write_header(tmp_path / "a.safetensors", {"aegis.identity": text})
    with pytest.raises(CheckpointError) as caught:
        read_identity(path)
    assert got in caught.value.got
    assert "--arch" in caught.value.advice
    assert "\x1b" not in str(caught.value)


def test_a_file_without_a_card_or_of_another_kind_has_no_identity(tmp_path):
    path = tmp_path / "a.pt"
    for metadata in ({}, {"format": "pt"}, None):
        assert read_identity(write_header(path, metadata)) is None
    for content in (b"", b"PK\x03\x04", b"hello", bytes(100)):
        path.write_bytes(content)
        assert read_identity(path) is None


def test_saving_replaces_and_leaves_nothing_else_even_of_tied_tensors(tmp_path, network, identity):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"old")
    network[4].weight = network[7].weight
    save_checkpoint(path, network, Card(identity))
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    assert read_identity(path).class_names == NAMES


def test_a_full_disk_keeps_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # To the process that writes, a file-size limit and a full disk are the same: a write that falls short.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(CheckpointError, match=r"0.1 MB to .* File too large"):
            write_whole(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_folder_that_cannot_take_the_file_is_one_message(tmp_path, network, identity):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="exists"):
        save_checkpoint(tmp_path / "file" / "a.safetensors", network, Card(identity))
    (tmp_path / "folder").mkdir()
    with pytest.raises(CheckpointError, match="directory"):
        save_checkpoint(tmp_path / "folder", network, Card(identity))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
