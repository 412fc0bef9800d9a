"""What the worker does with each kind of file; here in this process, since what is being shown is that nothing runs."""

import subprocess
import sys
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from aegis.models.card import Card, Truth, read_identity, read_truth, save_checkpoint
from aegis.models.intake.entries import NESTED
from aegis.models.intake.formats import read_header
from aegis.models.intake.tensor_limits import DTYPES
from aegis.models.intake.worker import convert
from tests.hostile.pickles import LEGACY


def converted(source):
    out = source.with_name("out.safetensors")
    convert(source, out)
    return load_file(out)


def same(found, state):
    return found.keys() == state.keys() and all(torch.equal(found[k], state[k]) for k in state)


@pytest.mark.parametrize("options", [{}, LEGACY])
@pytest.mark.parametrize("key", [None, *NESTED])
def test_state_dictionaries_flat_or_nested(tmp_path, options, key):
    state = {
        "p": nn.Parameter(torch.randn(3, 3)),
        "t": torch.randn(2, 5).T,
        "e": torch.ones(1).expand(4),
        "s": torch.randn(9)[::2],
        "count": torch.tensor(7),
    }
    content = state if key is None else {key: OrderedDict(state), "epoch": 3, "optimizer": {"lr": 0.1}}
    torch.save(content, tmp_path / "any.name", **options)
    assert same(converted(tmp_path / "any.name"), state)


# Content decides which format it is, and not the name.
@pytest.mark.parametrize("endings", [(".pt", ".safetensors"), (".safetensors", ".pt")])
def test_every_type_passes_unchanged_through_both_formats(tmp_path, endings):
    plain, torchs = (tmp_path / f"a{ending}" for ending in endings)
    state = {name: torch.arange(6).reshape(2, 3).to(getattr(torch, name)) for name, _ in DTYPES.values()}
    state |= {"none": torch.zeros(0, 2)}
    save_file(state, plain)
    torch.save(state, torchs)
    for source in (plain, torchs):
        found = converted(source)
        assert same(found, state)
        assert {name: tensor.dtype for name, tensor in found.items()} == {k: v.dtype for k, v in state.items()}


def test_files_without_checksums_are_read(tmp_path):
    state = {"w": torch.ones(3, 4)}
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(state, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert same(converted(tmp_path / "a.pt"), state)


def test_a_card_comes_along_without_its_truth(tmp_path, network, identity):
    save_checkpoint(tmp_path / "a.safetensors", network, Card(identity, Truth(robust=True)))
    convert(tmp_path / "a.safetensors", tmp_path / "out")
    assert read_identity(tmp_path / "out") == identity
    assert read_truth(tmp_path / "out") is None


def test_a_header_of_no_bytes_reads_nothing_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(bytes(8) + b"{" + bytes(2**20))
    sizes = []
    monkeypatch.setattr("aegis.models.intake.formats.json.loads", lambda text, **_: sizes.append(len(text)) or {})
    read_header(tmp_path / "a")
    assert sizes == [1]


def test_the_worker_starts_without_torch():
    code = "import sys, aegis.models.intake.worker; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
