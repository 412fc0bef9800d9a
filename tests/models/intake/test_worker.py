"""What the worker does with each kind of file; here in this process, since what is being shown is that nothing runs."""

import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from aegis.core.errors import CheckpointError
from aegis.models.card import Card, Truth, read_identity, read_truth, save_checkpoint
from aegis.models.intake.formats import read_header
from aegis.models.intake.tensor_limits import DTYPES
from aegis.models.intake.torch_files import NESTED
from aegis.models.intake.worker import answer, convert

LEGACY = {"_use_new_zipfile_serialization": False}


class Mischief:
    """Makes a file if it is ever unpickled in the ordinary way."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch '{self.canary}'",)


@pytest.fixture
def state():
    return {"w": torch.randn(3, 4), "b": torch.randn(4), "count": torch.tensor(7)}


def converted(source):
    out = source.with_name("out.safetensors")
    convert(source, out)
    return load_file(out)


def refusal(source):
    out = source.with_name("out.safetensors")
    with pytest.raises(CheckpointError) as caught:
        convert(source, out)
    assert not out.exists()
    return caught.value


def same(found, state):
    return found.keys() == state.keys() and all(torch.equal(found[k], state[k]) for k in state)


@pytest.mark.parametrize("options", [{}, LEGACY])
@pytest.mark.parametrize("key", [None, *NESTED])
def test_state_dictionaries_flat_or_nested(tmp_path, state, options, key):
    content = state if key is None else {key: OrderedDict(state), "epoch": 3, "optimizer": {"lr": 0.1}}
    torch.save(content, tmp_path / "any.name", **options)
    assert same(converted(tmp_path / "any.name"), state)


def test_parameters_views_and_transposes_become_plain(tmp_path):
    state = {
        "p": nn.Parameter(torch.randn(3, 3)),
        "t": torch.randn(2, 5).T,
        "e": torch.ones(1).expand(4),
        "s": torch.randn(9)[::2],
    }
    torch.save(state, tmp_path / "a.pt")
    assert same(converted(tmp_path / "a.pt"), state)


@pytest.mark.parametrize("name", [name for name, _ in DTYPES.values()])
def test_every_type_passes_unchanged_through_both_formats(tmp_path, name):
    state = {"x": torch.arange(6).reshape(2, 3).to(getattr(torch, name)), "none": torch.zeros(0, 2)}
    torch.save(state, tmp_path / "a.pt")
    save_file(state, tmp_path / "a.safetensors")
    for source in ("a.pt", "a.safetensors"):
        found = converted(tmp_path / source)
        assert same(found, state)
        assert found["x"].dtype == state["x"].dtype


def test_a_card_comes_along_without_its_truth(tmp_path, network, identity):
    save_checkpoint(tmp_path / "a.safetensors", network, Card(identity, Truth(robust=True)))
    convert(tmp_path / "a.safetensors", tmp_path / "out")
    assert read_identity(tmp_path / "out") == identity
    assert read_truth(tmp_path / "out") is None


def test_content_decides_and_not_the_name(tmp_path, state):
    save_file(state, tmp_path / "a.pt")
    torch.save(state, tmp_path / "a.safetensors")
    assert same(converted(tmp_path / "a.pt"), state)
    assert same(converted(tmp_path / "a.safetensors"), state)


@pytest.mark.parametrize("options", [{}, LEGACY])
def test_code_in_a_pickle_is_named_and_not_run(tmp_path, state, options):
    canary = tmp_path / "canary"
    torch.save({"state_dict": state, "x": Mischief(canary)}, tmp_path / "a.pt", **options)
    error = refusal(tmp_path / "a.pt")
    assert "a pickle that runs code: posix.system. Nothing of it was run" in error.got
    assert "safetensors.torch.save_file(model.state_dict()" in error.advice
    assert not canary.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_code_in_a_bare_pickle_is_not_run(tmp_path, protocol):
    canary = tmp_path / "canary"
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Mischief(canary), protocol=protocol))
    refusal(tmp_path / "a.pt")
    assert not canary.exists()
    # The canary would have sung: the same file does run code in the ordinary way.
    pickle.loads((tmp_path / "a.pt").read_bytes())  # noqa: S301
    assert canary.exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, LEGACY])
def test_a_whole_module_is_refused(tmp_path, options):
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "a.pt", **options)
    error = refusal(tmp_path / "a.pt")
    assert "a whole pickled model, which is code: " in error.got
    assert "torch.nn.modules.linear.Linear" in error.got


@pytest.mark.filterwarnings("ignore")
def test_programs_are_refused(tmp_path):
    torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)).save(str(tmp_path / "a.pt"))
    assert "TorchScript" in refusal(tmp_path / "a.pt").got
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
        archive.writestr("b/archive_format", "pt2")
        archive.writestr("b/models/model.json", "{}")
    assert "an exported program (.pt2)" in refusal(tmp_path / "b.pt").got


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ([1, 2], "a list"),
        (torch.ones(2), "a Tensor"),
        ({}, "0"),
        ({"epoch": 3, "w": torch.ones(2)}, "epoch (int)"),
        ({"model": {"w": torch.ones(2), "layers": {"x": torch.ones(1)}}}, "layers (dict)"),
        ({7: torch.ones(2)}, "7 (as a name)"),
        ({"__metadata__": torch.ones(2)}, "'__metadata__' (as a name)"),
        ({"w": torch.ones(2, dtype=torch.complex64)}, "torch.complex64"),
        ({"w": torch.eye(3).to_sparse()}, "sparse"),
        ({"w": torch.empty(3, device="meta")}, "meta"),
    ],
)
def test_content_that_is_not_plain_tensors_is_named(tmp_path, content, got):
    torch.save(content, tmp_path / "a.pt")
    assert got in refusal(tmp_path / "a.pt").got


def test_a_tensor_that_claims_more_than_it_holds(tmp_path):
    torch.save({"w": torch.zeros(1).expand(2**30)}, tmp_path / "a.pt")
    error = refusal(tmp_path / "a.pt")
    assert error.got == f"{2**32:,}"
    assert "as a file of this size may hold" in error.expected


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"),
        (b"these are not weights\n", "a text file that begins 'these are not"),
        (b'{"a": 1,{"weights": []}}', "a text file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "a Git LFS pointer"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
        (b"\x93NUMPY\x01" + bytes(100), "a NumPy array"),
        (b"\x1f\x8b\x08" + bytes(100), "a gzip archive"),
        (bytes(257) + b"ustar" + bytes(300), "a tar archive"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "a JPEG picture"),
        (b"\xee\xd8\xff\xe0" + bytes(50), "54 bytes of an unknown kind"),
        (b"\x80\x02garbage", "a pickle of something else, or a damaged one"),
        (b"PK\x03\x04" + bytes(100), "a broken archive"),
        (struct.pack("<Q", 2**44) + b"{}", "a header that claims 17592186044416 bytes in a file of 10"),
        (struct.pack("<Q", 2) + b"{}", "0"),
        (struct.pack("<Q", 8) + b"{}      ", "0"),
    ],
)
def test_other_files_are_named(tmp_path, content, got):
    (tmp_path / "weights.pt").write_bytes(content)
    assert got in refusal(tmp_path / "weights.pt").got


def test_other_archives_are_named(tmp_path):
    for name, inside, got in [
        ("a.pt", "notes/readme.txt", "a zip archive that holds notes/readme.txt"),
        ("b.pt", "x_train.npy", "NumPy arrays (.npz)"),
        ("c.pt", "model.weights.h5", "a Keras model"),
    ]:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(inside, b"1")
        assert got in refusal(tmp_path / name).got


def test_compressed_archives_are_refused(tmp_path, state):
    torch.save(state, tmp_path / "a.pt")
    with zipfile.ZipFile(tmp_path / "a.pt") as plain, zipfile.ZipFile(tmp_path / "b.pt", "w", 8) as packed:
        for entry in plain.infolist():
            packed.writestr(entry.filename, plain.read(entry))
    assert "compressed" in refusal(tmp_path / "b.pt").got


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
def test_truncated_files_are_refused(tmp_path, state, kind, share):
    source = tmp_path / "a"
    if kind == "safetensors":
        save_file(state, source)
    else:
        torch.save(state, source, **(LEGACY if kind == "legacy" else {}))
    source.write_bytes(source.read_bytes()[: int(source.stat().st_size * share)])
    answer(source, tmp_path / "out")
    said = json.loads((tmp_path / "out.json").read_text())
    assert said.keys() == {"expected", "got", "advice"}
    assert not (tmp_path / "out").exists()


def test_a_flipped_bit_in_a_torch_file_is_found(tmp_path, state):
    torch.save(state, tmp_path / "a.pt")
    content = bytearray((tmp_path / "a.pt").read_bytes())
    content[content.find(state["w"].numpy().tobytes())] ^= 1
    (tmp_path / "a.pt").write_bytes(content)
    assert "damage in a/data/0" in refusal(tmp_path / "a.pt").got


def test_files_without_checksums_are_read(tmp_path, state):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(state, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert same(converted(tmp_path / "a.pt"), state)


@pytest.mark.parametrize(
    ("entries", "got"),
    [
        ({"w": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}}, "F8_E4M3 in w"),
        ({"w": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 4]}}, "w of shape (4611686018427387904, 4)"),
        ({"w": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4000]}}, "not fully covered"),
        ({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "in"),
    ],
)
def test_headers_that_lie_are_refused(tmp_path, entries, got):
    text = json.dumps(entries).encode()
    (tmp_path / "a").write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    assert got in refusal(tmp_path / "a").got


def test_folders_and_devices_are_refused(tmp_path):
    assert "a folder" in refusal(tmp_path).got
    os.mkfifo(tmp_path / "pipe")
    assert "a device or pipe" in refusal(tmp_path / "pipe").got


def test_a_header_of_no_bytes_reads_nothing_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(bytes(8) + b"{" + bytes(2**20))
    sizes = []
    monkeypatch.setattr("aegis.models.intake.formats.json.loads", lambda text, **_: sizes.append(len(text)) or {})
    read_header(tmp_path / "a")
    assert sizes == [1]


def test_the_worker_starts_without_torch():
    code = "import sys, aegis.models.intake.worker; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
