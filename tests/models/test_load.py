"""The door as users meet it: real files, read in this process."""

import hashlib
import os
import sys

import pytest
import torch
from safetensors.torch import save_file

from aegis.core.errors import CheckpointError
from aegis.models.architectures import build
from aegis.models.card import Card, Identity, save_checkpoint
from aegis.models.load import load_checkpoint
from aegis.models.steadiness import RANDOM

from .conftest import NAMES

pytestmark = pytest.mark.usefixtures("inside")
DIGITS = tuple("0123456789")
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


def save(path, state):
    save_file(state, path)
    return path


@pytest.fixture
def own_code(tmp_path, monkeypatch):
    """Where modules of one's own are found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def test_with_a_card_the_path_is_enough_and_random_numbers_are_left_alone(checkpoint, network, identity, pixels):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    suspect = load_checkpoint(checkpoint)
    assert torch.equal(torch.rand(3), expected)
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


def test_old_checkpoints_without_batch_counters_load(tmp_path, network, pixels):
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    suspect = load_checkpoint(save(tmp_path / "a.safetensors", state), **BY_HAND)
    assert torch.equal(suspect.classifier.logits(pixels), network(pixels).detach())


def test_without_a_card_the_tensors_say_which_architecture_it_is(tmp_path, network, pixels):
    path = save(tmp_path / "a.safetensors", {f"module.{name}": t for name, t in network.state_dict().items()})
    suspect = load_checkpoint(path)
    assert suspect.identity == Identity(architecture="aegis:cnn16", shape=(1, 28, 28), class_names=DIGITS)
    assert suspect.recognised == "all 32 tensors fit, and no other architecture's do"
    assert torch.equal(suspect.classifier.logits(pixels), network(pixels).detach())
    told = load_checkpoint(path, shape=(1, 20, 20), class_names=NAMES, mean=(0.5,))
    assert (told.identity.shape, told.identity.class_names, told.identity.mean) == ((1, 20, 20), NAMES, (0.5,))
    assert load_checkpoint(path, **BY_HAND).recognised is None
    assert "--data" in refusal(path, architecture="aegis:cnn16").advice


def test_what_is_not_recognised_for_sure_is_refused_with_commands(tmp_path):
    state = build("aegis:preact18,width=4", 3, 10).state_dict()
    error = refusal(save(tmp_path / "a.safetensors", state))
    # Of 107 tensors 17 are counters.
    assert "aegis:preact18,width=4 (all 90 tensors fit" in error.got
    for likely in ("aegis:preact18,width=4", "aegis:preact18,width=4,raw=1"):
        assert f"aegis scan {tmp_path / 'a.safetensors'} --arch {likely} --data DATA" in error.advice
    unknown = refusal(save(tmp_path / "b.safetensors", {"something": torch.rand(3, 3)}))
    assert "aegis:cnn32" in unknown.advice
    assert "module:factory" in unknown.advice


def test_an_architecture_or_data_that_differ_are_named(tmp_path, checkpoint, network):
    error = refusal(checkpoint, architecture="aegis:cnn32")
    assert "0.weight is (16, 1, 3, 3) instead of (32, 1, 3, 3)" in error.got
    assert "--arch" in error.advice
    five, colour = NAMES[:5], (3, 28, 28)
    assert refusal(checkpoint, class_names=five).got == "one for 10 classes and 1 channel"
    assert refusal(checkpoint, shape=colour).expected == "a model for 10 classes and 3 channels, as the data has"
    plain = save(tmp_path / "plain.safetensors", network.state_dict())
    both = refusal(plain, **BY_HAND | {"shape": colour, "class_names": five})
    assert both.got == "a final layer for 10 classes and a first layer for 1 channel"
    assert "5 classes" in both.expected


# Built for real, the second convolution of the wide network alone would take 36 TB.
@pytest.mark.parametrize(
    ("lie", "expected", "got"),
    [
        ({"class_names": NAMES[:5]}, "5 classes", "a final layer for 10 classes"),
        ({"architecture": "aegis:cnn32,width=1000000"}, "shapes", "instead of (1000000, 1, 3, 3)"),
    ],
)
def test_a_card_that_lies_about_the_weights(tmp_path, network, identity, lie, expected, got):
    save_checkpoint(tmp_path / "a.safetensors", network, Card(identity.model_copy(update=lie)))
    error = refusal(tmp_path / "a.safetensors")
    assert expected in error.expected
    assert got in error.got


def test_only_the_user_names_code_to_run(own_code, network, pixels):
    canary, path = own_code / "canary", own_code / "a.safetensors"
    (own_code / "their_module.py").write_text(
        f"open({str(canary)!r}, 'w').close()\n"
        "from aegis.models.architectures import build\n"
        "def factory(in_channels, classes):\n    return build('aegis:cnn16', in_channels, classes)\n"
    )
    theirs = Identity(architecture="their_module:factory", class_names=NAMES, shape=(1, 28, 28))
    save_checkpoint(path, network, Card(theirs))
    error = refusal(path)
    assert "'their_module:factory', which would run code" in error.got
    assert "--arch" in error.advice
    assert not canary.exists()
    suspect = load_checkpoint(path, architecture="their_module:factory")
    assert canary.exists()
    assert torch.equal(suspect.classifier.logits(pixels), network(pixels).detach())


def test_a_factory_that_ignores_the_classes(own_code):
    (own_code / "stubborn.py").write_text(
        "from aegis.models.architectures import build\ndef factory():\n    return build('aegis:cnn16', 1, 7)\n"
    )
    path = save(own_code / "a.safetensors", build("aegis:cnn16", 1, 7).state_dict())
    assert refusal(path, **BY_HAND | {"architecture": "stubborn:factory"}).got == "one with 7"


def test_a_file_that_may_not_be_read(checkpoint):
    checkpoint.chmod(0)
    if os.access(checkpoint, os.R_OK):
        pytest.skip("the superuser may read everything")
    assert "Permission denied" in refusal(checkpoint).got


def test_of_several_networks_each_is_another_suspect(tmp_path, network):
    state = network.state_dict()
    other = {name: tensor + 0.01 if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    torch.save({"state_dict": state, "state_dict_ema": other}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="2 networks: state_dict"):
        load_checkpoint(tmp_path / "a.pt", **BY_HAND)
    own = load_checkpoint(tmp_path / "a.pt", **BY_HAND, entry="state_dict")
    ema = load_checkpoint(tmp_path / "a.pt", **BY_HAND, entry="state_dict_ema")
    assert (own.entry, own.others) == ("state_dict", ("state_dict_ema",))
    assert own.sha256 == ema.sha256
    assert own.digest != ema.digest
    for suspect, wanted in ((own, state), (ema, other)):
        found = suspect.classifier.network.state_dict()
        assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


def test_several_networks_in_one_dictionary_are_named_by_their_prefixes(tmp_path, network):
    state = network.state_dict()
    both = {f"{key}.{name}": tensor + at for at, key in enumerate(("model", "ema")) for name, tensor in state.items()}
    save_file({name: tensor.contiguous() for name, tensor in both.items()}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="2 networks: "):
        load_checkpoint(tmp_path / "a.safetensors", **BY_HAND)
    found = load_checkpoint(tmp_path / "a.safetensors", **BY_HAND, entry="ema")
    assert (found.entry, found.others) == ("ema", ("model",))


OWN_NET = """
import torch
from torch import nn
from aegis.models.architectures import build


class Wrapped(nn.Module):
    def __init__(self, how, classes=10):
        super().__init__()
        self.model, self.how = build("aegis:cnn16", 1, classes), how

    def forward(self, x):
        if self.how == "noise":
            x = x + 0.25 * torch.randn_like(x)
        z = self.model(x)
        return {"hidden": x, "scores": z.softmax(1)} if self.how == "softmax" else z


def plain():
    return Wrapped("plain")


def softmax():
    return Wrapped("softmax")


def noise():
    return Wrapped("noise")


def frozen():
    with torch.inference_mode():
        return Wrapped("plain")


def sparse():
    network = Wrapped("plain")
    network.register_forward_hook(lambda *called: called[2].to_sparse())
    return network


def leaving():
    network = Wrapped("plain")
    network.load_state_dict = lambda *_, **__: exit(1)
    return network


def single():
    return Wrapped("single", 1)
"""


def test_what_is_unusual_about_a_network_is_told_and_a_part_of_what_it_is(own_code, network, pixels):
    (own_code / "own_net.py").write_text(OWN_NET)
    path = save(own_code / "a.safetensors", {f"model.{name}": tensor for name, tensor in network.state_dict().items()})
    plain, softmax, noise, again = (
        load_checkpoint(path, **BY_HAND | {"architecture": f"own_net:{how}"})
        for how in ("plain", "softmax", "noise", "noise")
    )
    assert plain.reading == ()
    assert [note.partition(",")[0] for note in softmax.reading] == [
        "its logits are taken from scores of what it returns",
        "it ends in a softmax",
    ]
    assert noise.reading == (RANDOM,)
    wanted = network(pixels).detach()
    torch.testing.assert_close(softmax.classifier.logits(pixels), wanted.log_softmax(1), rtol=1e-4, atol=1e-5)
    assert not torch.equal(noise.classifier.logits(pixels), noise.classifier.logits(pixels))
    # Noise of another call makes no other model of it.
    assert noise.digest == again.digest
    assert len({plain.digest, softmax.digest, noise.digest}) == 3


@pytest.mark.parametrize("how", ["frozen", "sparse", "leaving"])
def test_whatever_a_network_raises_while_it_is_loaded_is_one_message(own_code, network, how):
    (own_code / "own_net.py").write_text(OWN_NET)
    path = save(own_code / "a.safetensors", {f"model.{name}": tensor for name, tensor in network.state_dict().items()})
    error = refusal(path, **BY_HAND | {"architecture": f"own_net:{how}"})
    assert error.expected == "a network that can be loaded and run"


def test_one_output_is_a_model_of_two_classes(own_code):
    (own_code / "own_net.py").write_text(OWN_NET)
    state = {f"model.{name}": tensor for name, tensor in build("aegis:cnn16", 1, 1).state_dict().items()}
    path = save(own_code / "a.safetensors", state)
    by_hand = BY_HAND | {"architecture": "own_net:single"}
    found = load_checkpoint(path, **by_hand | {"class_names": ("no", "yes")})
    assert found.classifier.classes == 2
    assert "logits 0 and z" in found.reading[0]
    assert refusal(path, **by_hand).got == "one with 2"
