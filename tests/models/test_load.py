"""The door as users meet it: real files, and the process of its own that reads them."""

import hashlib
import os
import sys

import pytest
import torch
from safetensors.torch import save_file

from aegis.core.errors import CheckpointError
from aegis.models.architectures import build
from aegis.models.card import Card, Identity, save_checkpoint
from aegis.models.intake.sandbox import Limits, read_contents
from aegis.models.load import load_checkpoint

from .conftest import NAMES

BY_HAND = {"architecture": "aegis:cnn16", "shape": (1, 28, 28), "class_names": NAMES}


@pytest.fixture
def pixels():
    return torch.rand(4, 1, 28, 28)


def refusal(path, **given):
    before = set(path.parent.iterdir())
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, **given)
    assert set(path.parent.iterdir()) == before
    return caught.value


def save(path, state, metadata=None):
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, metadata)
    return path


def test_with_a_card_the_path_is_enough(checkpoint, network, identity, pixels):
    suspect = load_checkpoint(checkpoint)
    assert suspect.identity == identity
    assert suspect.sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert not suspect.classifier.training
    assert torch.equal(suspect.classifier.logits(pixels), network(pixels).detach())


@pytest.mark.parametrize(("dtype", "error"), [(torch.float16, 2e-3), (torch.bfloat16, 2e-2), (torch.float64, 0.0)])
def test_other_precisions_become_float32(tmp_path, network, pixels, dtype, error):
    state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in network.state_dict().items()}
    suspect = load_checkpoint(save(tmp_path / "a.safetensors", state), **BY_HAND)
    for name, tensor in suspect.classifier.network.state_dict().items():
        wanted = state[name].float() if tensor.is_floating_point() else state[name]
        assert tensor.dtype == wanted.dtype
        assert torch.equal(tensor, wanted)
    logits = network(pixels).detach()
    assert (suspect.classifier.logits(pixels) - logits).abs().max() <= error * logits.abs().max()


def test_a_state_dictionary_from_torch_save(tmp_path, network, pixels):
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, tmp_path / "a.pt")
    suspect = load_checkpoint(tmp_path / "a.pt", **BY_HAND, mean=(0.5,), std=(0.25,))
    assert torch.equal(suspect.classifier.logits(pixels), network((pixels - 0.5) / 0.25).detach())
    assert suspect.identity == Identity(**BY_HAND, mean=(0.5,), std=(0.25,))


def test_what_the_caller_says_overrides_the_card(checkpoint):
    suspect = load_checkpoint(checkpoint, shape=(1, 32, 32), class_names=NAMES[::-1], mean=(0.5,))
    assert suspect.identity.shape == (1, 32, 32)
    assert suspect.identity.class_names == NAMES[::-1]
    assert suspect.identity.mean == (0.5,)
    assert suspect.identity.data == "fashion_mnist"


def test_loading_leaves_the_random_numbers_alone(checkpoint):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    load_checkpoint(checkpoint)
    assert torch.equal(torch.rand(3), expected)


def test_old_checkpoints_without_batch_counters_load(tmp_path, network, pixels):
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    suspect = load_checkpoint(save(tmp_path / "a.safetensors", state), **BY_HAND)
    assert torch.equal(suspect.classifier.logits(pixels), network(pixels).detach())


def test_without_a_card_an_architecture_and_data_are_asked_for(tmp_path, network):
    path = save(tmp_path / "a.safetensors", network.state_dict())
    error = refusal(path)
    assert "without a card" in error.got
    assert "aegis:cnn32" in error.advice
    assert "module:factory" in error.advice
    assert "--data" in refusal(path, architecture="aegis:cnn16").advice


def test_shapes_that_differ_are_named(checkpoint):
    error = refusal(checkpoint, architecture="aegis:cnn32")
    assert "0.weight is (16, 1, 3, 3) instead of (32, 1, 3, 3)" in error.got
    assert "--arch" in error.advice


def test_data_with_other_classes_or_channels(tmp_path, checkpoint, network):
    plain = save(tmp_path / "plain.safetensors", network.state_dict())
    five, colour = NAMES[:5], (3, 28, 28)
    assert refusal(checkpoint, class_names=five).got == "one for 10 classes and 1 channel"
    assert refusal(checkpoint, shape=colour).expected == "a model for 10 classes and 3 channels, as the data has"
    error = refusal(plain, **BY_HAND | {"class_names": five})
    assert error.got == "a final layer for 10 classes"
    assert "5 classes" in error.expected
    assert refusal(plain, **BY_HAND | {"shape": colour}).got == "a first layer for 1 channel"
    both = refusal(plain, **BY_HAND | {"shape": colour, "class_names": five})
    assert both.got == "a final layer for 10 classes and a first layer for 1 channel"


def test_a_card_that_lies_about_the_weights(tmp_path, network, identity):
    lie = identity.model_copy(update={"class_names": NAMES[:5]})
    save_checkpoint(tmp_path / "a.safetensors", network, Card(lie))
    error = refusal(tmp_path / "a.safetensors")
    assert error.got == "a final layer for 10 classes"
    assert "5 classes" in error.expected


def test_a_card_that_asks_for_more_than_the_weights_takes_no_memory(tmp_path, network, identity):
    # Built for real, the second convolution alone would take 36 TB.
    lie = identity.model_copy(update={"architecture": "aegis:cnn32,width=1000000"})
    save_checkpoint(tmp_path / "a.safetensors", network, Card(lie))
    assert "instead of (1000000, 1, 3, 3)" in refusal(tmp_path / "a.safetensors").got


def test_only_the_user_names_code_to_run(tmp_path, monkeypatch, network, pixels):
    canary = tmp_path / "canary"
    (tmp_path / "their_module.py").write_text(
        f"open({str(canary)!r}, 'w').close()\n"
        "from aegis.models.architectures import build\n"
        "def factory(in_channels, classes):\n    return build('aegis:cnn16', in_channels, classes)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    theirs = Identity(architecture="their_module:factory", class_names=NAMES, shape=(1, 28, 28))
    save_checkpoint(tmp_path / "a.safetensors", network, Card(theirs))
    error = refusal(tmp_path / "a.safetensors")
    assert "'their_module:factory', which would run code" in error.got
    assert "--arch" in error.advice
    assert not canary.exists()
    suspect = load_checkpoint(tmp_path / "a.safetensors", architecture="their_module:factory")
    assert canary.exists()
    assert torch.equal(suspect.classifier.logits(pixels), network(pixels).detach())


def test_a_factory_that_ignores_the_classes(tmp_path, monkeypatch):
    (tmp_path / "stubborn.py").write_text(
        "from aegis.models.architectures import build\ndef factory():\n    return build('aegis:cnn16', 1, 7)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = save(tmp_path / "a.safetensors", build("aegis:cnn16", 1, 7).state_dict())
    assert refusal(path, **BY_HAND | {"architecture": "stubborn:factory"}).got == "one with 7"


def test_reading_that_takes_too_long_is_ended(checkpoint):
    assert refusal(checkpoint, limits=Limits(seconds=0.01)).expected == "a file that is read within 0.01 s"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count private memory")
def test_reading_that_takes_too_much_memory_is_ended(tmp_path):
    big = save(tmp_path / "big.safetensors", {"w": torch.zeros(15_000_000)})
    error = refusal(big, limits=Limits(memory=40 * 2**20))
    assert "more memory than it may take" in error.got
    # Enough to read the file and not enough to unpack it: the library gives up on its own.
    assert "memory" in refusal(big, limits=Limits(memory=100 * 2**20)).got
    assert read_contents(big, Limits()).tensors["w"].shape == (15_000_000,)


def test_the_worker_inherits_no_secrets(checkpoint, monkeypatch, tmp_path):
    from aegis.models.intake import sandbox as quarantine

    monkeypatch.setenv("API_TOKEN", "secret")
    environment = quarantine._environment(tmp_path)
    assert "API_TOKEN" not in environment
    assert environment["HOME"] == str(tmp_path)
    assert os.environ["HOME"] != str(tmp_path)


def test_an_end_without_a_word_is_explained():
    from aegis.models.intake.sandbox import _death

    said = b"Traceback\nImportError: \x1b no such thing"
    assert _death(-9, said, 2**30) == "one whose reading was ended by SIGKILL, most likely at 1024 MiB of memory"
    assert r"code 1 within 1024 MiB of memory: ImportError: \x1b no such thing" in _death(1, said, 2**30)


def test_a_file_that_may_not_be_read(checkpoint):
    checkpoint.chmod(0)
    if os.access(checkpoint, os.R_OK):
        pytest.skip("the superuser may read everything")
    assert "Permission denied" in refusal(checkpoint).got


def test_where_no_signal_tells_of_time_a_good_file_is_not_too_slow(checkpoint, monkeypatch):
    monkeypatch.delattr("signal.SIGXCPU")
    assert load_checkpoint(checkpoint).identity is not None
