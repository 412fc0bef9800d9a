"""A small model, its card and its file, shared by the tests of the room."""

import pytest

from aegis.models.card import Card, Identity, Truth
from aegis.models.intake.sandbox_output import refusal
from aegis.models.intake.worker import answer

NAMES = tuple("abcdefghij")


def unconfined(copy, out, limits, entry=None):
    """In place of the process that reads: the same code in this one, where nothing would hold a stranger's back."""
    answer(copy, out, entry)
    if (said := refusal(out)) is not None:
        assert not out.exists()
        raise said


@pytest.fixture
def inside(monkeypatch):
    """The reader in this process, without the limits that would hide what it does: nothing would hold back code."""
    monkeypatch.setattr("aegis.models.intake.sandbox._run_worker", unconfined)


@pytest.fixture
def identity():
    return Identity(architecture="aegis:cnn16", class_names=NAMES, shape=(1, 28, 28), data="fashion_mnist")


@pytest.fixture
def network():
    import torch

    from aegis.models.architectures import build

    torch.manual_seed(0)
    return randomised(build("aegis:cnn16", 1, 10))


@pytest.fixture
def checkpoint(tmp_path, network, identity):
    from aegis.models.card import save_checkpoint

    path = tmp_path / "suspect.safetensors"
    save_checkpoint(path, network, Card(identity, Truth(robust=True)))
    return path


def randomised(network):
    """The network with batch-norm statistics as training leaves them, in evaluation mode."""
    import torch
    from torch import nn

    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            module.running_mean.copy_(0.2 * torch.randn_like(module.running_mean))
            module.running_var.copy_(0.5 + torch.rand_like(module.running_var))
            module.weight.data.copy_(0.7 + 0.6 * torch.rand_like(module.weight))
            module.bias.data.copy_(0.2 * torch.randn_like(module.bias))
    return network.eval()
