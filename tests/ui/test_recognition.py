"""What tensors say of a checkpoint without a card, wherever it lies."""

import io

import pytest
import torch
from safetensors.torch import save, save_file

from aegis.core.errors import CheckpointError
from aegis.models.architectures import build
from aegis.ui import uploads
from aegis.ui.recognition import recognise
from aegis.ui.uploads import Upload
from tests.models.conftest import unconfined


@pytest.fixture(autouse=True)
def _inside(tmp_path, monkeypatch):
    monkeypatch.setattr("aegis.models.intake.sandbox._run_worker", unconfined)
    monkeypatch.setattr(uploads.tempfile, "tempdir", str(tmp_path))


def torch_file(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return Upload("model.pt", buffer.getvalue())


def test_an_architecture_is_recognised_in_an_upload_and_in_a_file(tmp_path):
    tensors = build("aegis:cnn16", 1, 10).state_dict()
    save_file(tensors, tmp_path / "plain.safetensors")
    for checkpoint in (Upload("plain.safetensors", save(tensors)), tmp_path / "plain.safetensors"):
        known = recognise(checkpoint, None)
        assert (known.is_sure, known.likely, known.networks, known.problem) == (True, ("aegis:cnn16",), (), "")
    assert [path.name for path in tmp_path.iterdir()] == ["plain.safetensors"]


def test_of_several_networks_one_must_be_chosen():
    one, other = build("aegis:cnn16", 1, 10).state_dict(), build("aegis:cnn16", 1, 10).state_dict()
    both = torch_file({"model": one, "model_ema": {name: tensor + 1 for name, tensor in other.items()}})
    known = recognise(both, None)
    assert (set(known.networks), known.likely) == ({"model", "model_ema"}, ())
    chosen = recognise(both, "model_ema")
    assert (set(chosen.networks), chosen.likely) == ({"model", "model_ema"}, ("aegis:cnn16",))


def test_what_is_not_known_is_a_message_and_what_is_hostile_is_refused():
    known = recognise(torch_file({"a.weight": torch.zeros(3, 5, 7)}), None)
    assert not known.is_sure
    assert "names that none of them has" in known.problem
    with pytest.raises(CheckpointError, match="Nothing of it was run"):
        recognise(torch_file(print), None)
