"""Checkpoints as the robustness library of MadryLab writes them, made here in exactly its layout."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18

from aegis.core.errors import CheckpointError
from aegis.models.load import load_checkpoint
from aegis.models.wrappers import unwrap
from tests.hostile.pickles import LEGACY

from .conftest import randomised

NAMES = tuple("abcdefghij")
GIVEN = {"architecture": "torchvision:resnet18", "shape": (3, 32, 32), "class_names": NAMES}
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


class InputNormalize(nn.Module):
    """Two buffers of shape (c, 1, 1), named as there."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("new_mean", torch.tensor(mean)[..., None, None])
        self.register_buffer("new_std", torch.tensor(std)[..., None, None])


class Attacker(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.normalize = InputNormalize(MEAN, STD)
        self.model = model


class AttackerModel(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.normalizer = InputNormalize(MEAN, STD)
        self.model = model
        self.attacker = Attacker(model)


class DummyModel(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return randomised(resnet18(num_classes=10))


def checkpoint(network, optimise=True, **more):
    """What its training loop saves: wrapped in DataParallel, with optimiser, schedule, epoch and accuracies."""
    wrapped = nn.DataParallel(AttackerModel(network))
    content = {"model": wrapped.state_dict(), "epoch": 150, "nat_prec1": torch.tensor(91.2), "adv_prec1": 70.1}
    if optimise:
        optimiser = torch.optim.SGD(wrapped.parameters(), 0.1, momentum=0.9)
        for parameter in wrapped.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimiser.step()
        content["optimizer"] = optimiser.state_dict()
        schedule = torch.optim.lr_scheduler.StepLR(optimiser, 50)
        content["schedule"] = schedule.state_dict()
        content["model"] = wrapped.state_dict()
    return content | more


def same(suspect, network, mean=MEAN, std=STD):
    pixels = torch.rand(2, 3, 32, 32)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (mean, std))
    return torch.equal(suspect.classifier.logits(pixels), network((pixels - mean) / std).detach())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, LEGACY])
def test_the_network_and_its_normalisation_are_taken(tmp_path, network, options):
    torch.save(checkpoint(network), tmp_path / "150_checkpoint.pt", **options)
    suspect = load_checkpoint(tmp_path / "150_checkpoint.pt", **GIVEN)
    assert same(suspect, network)
    assert suspect.identity.mean == pytest.approx(MEAN)
    assert suspect.identity.std == pytest.approx(STD)


@pytest.fixture
def plain(tmp_path, network):
    def save(content):
        torch.save(content, tmp_path / "a.pt")
        return tmp_path / "a.pt"

    return save


def test_what_the_caller_says_of_the_normalisation_comes_first_and_is_part_of_the_identity(plain, network):
    path = plain(checkpoint(network, optimise=False))
    own, given = load_checkpoint(path, **GIVEN), load_checkpoint(path, **GIVEN, mean=(0.5,), std=(0.25,))
    assert same(given, network, (0.5,) * 3, (0.25,) * 3)
    assert (given.identity.mean, given.identity.std) == ((0.5,), (0.25,))
    assert own.sha256 == given.sha256
    assert own.digest != given.digest
    assert load_checkpoint(path, **GIVEN, mean=(0.5,)).identity.std == pytest.approx(STD)


def test_numbers_and_arrays_of_numpy_beside_the_weights_are_left_out(plain, network):
    extra = {"lr": np.float64(0.1), "log": np.arange(6.0).reshape(2, 3), "step": np.int64(3), "names": np.array(["a"])}
    assert same(load_checkpoint(plain(checkpoint(network, optimise=False, **extra)), **GIVEN), network)


def test_an_architecture_of_ones_own_is_wrapped_once_more(network):
    tensors = AttackerModel(DummyModel(network)).state_dict()
    assert unwrap(tensors).tensors.keys() == network.state_dict().keys()


def test_without_parallel_and_as_safetensors_it_is_the_same(network):
    found = unwrap(AttackerModel(network).state_dict())
    assert found.tensors.keys() == network.state_dict().keys()
    assert found.mean == pytest.approx(MEAN)


def wrapped(**changes):
    tensors = {f"{part}.new_{what}": torch.ones(3, 1, 1) for part in ("normalizer",) for what in ("mean", "std")}
    return tensors | {"model.w": torch.ones(2), "attacker.model.w": torch.ones(2)} | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        # That library would run the second copy, and a scan would look at the first.
        ({"attacker.model.w": torch.zeros(2)}, "two copies of the network are equal.*attacker.model.w"),
        ({"attacker.model.w": torch.ones(2, 1)}, "two copies"),
        ({"attacker.model.w": torch.ones(2, dtype=torch.int64)}, "two copies"),
        ({"attacker.model.v": torch.ones(2)}, "attacker.model.v"),
        ({"head.w": torch.ones(2)}, "head.w too"),
        ({"normalizer.new_mean": torch.ones(3, dtype=torch.int64)}, "one number per channel.*int64"),
        ({"normalizer.new_std": torch.ones(65)}, "one number per channel.*65"),
    ],
)
def test_what_is_more_than_a_wrapped_network_is_refused(changes, words):
    with pytest.raises(CheckpointError, match=words):
        unwrap(wrapped() | changes)


def test_a_normalisation_that_fits_no_image_is_refused(plain):
    network = nn.Sequential(OrderedDict(w=nn.Linear(2, 2)))
    content = AttackerModel(network).state_dict() | {"normalizer.new_std": torch.zeros(3, 1, 1)}
    with pytest.raises(CheckpointError, match=r"std\.0: Input should be greater than 0"):
        load_checkpoint(plain({"model": content}), **GIVEN)


def test_other_names_stay_as_they_are():
    tensors = {"model.w": torch.ones(2), "normalizer.new_mean": torch.ones(3)}
    assert unwrap(tensors).tensors == tensors
    assert unwrap({"module.w": torch.ones(1)}).tensors.keys() == {"w"}
