"""Checkpoints as the robustness library of MadryLab writes them, made here in exactly its layout."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from aegis.core.errors import CheckpointError
from aegis.models.architectures import build
from aegis.models.load import load_checkpoint
from aegis.models.wrappers import unwrap
from tests.hostile.pickles import LEGACY

from .conftest import NAMES, randomised

GIVEN = {"architecture": "aegis:cnn16", "shape": (3, 16, 16), "class_names": NAMES}
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
pytestmark = pytest.mark.usefixtures("inside")


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


@pytest.fixture
def network():
    return randomised(build("aegis:cnn16", 3, 10))


@pytest.fixture
def saved(tmp_path, network):
    """What its training loop saves: wrapped in DataParallel, with optimiser, schedule, epoch and accuracies."""

    def save(options, **more):
        wrapped = nn.DataParallel(AttackerModel(network))
        momentum = {i: {"momentum_buffer": torch.ones_like(p)} for i, p in enumerate(wrapped.parameters())}
        beside = {
            "optimizer": {"state": momentum, "param_groups": [{"lr": 0.1, "params": list(momentum)}]},
            "schedule": {"step_size": 50, "gamma": 0.1, "base_lrs": [0.1], "_last_lr": [0.1]},
            "epoch": 150,
            "nat_prec1": torch.tensor(91.2),
            "adv_prec1": 70.1,
        }
        torch.save({"model": wrapped.state_dict(), **beside, **more}, tmp_path / "150_checkpoint.pt", **options)
        return tmp_path / "150_checkpoint.pt"

    return save


def same(suspect, network, mean=MEAN, std=STD):
    # In the order of its numbers as a classifier passes them on, which decides the last digits.
    pixels = torch.rand(2, 3, 16, 16).contiguous(memory_format=torch.channels_last)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (mean, std))
    return torch.equal(suspect.classifier.logits(pixels), network((pixels - mean) / std).detach())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", [{}, LEGACY])
def test_the_network_and_its_normalisation_are_taken_and_numbers_of_numpy_beside_them_left_out(saved, network, options):
    extra = {"lr": np.float64(0.1), "log": np.arange(6.0).reshape(2, 3), "step": np.int64(3), "names": np.array(["a"])}
    suspect = load_checkpoint(saved(options, **extra), **GIVEN)
    assert same(suspect, network)
    assert suspect.identity.mean == pytest.approx(MEAN)
    assert suspect.identity.std == pytest.approx(STD)


def test_what_the_caller_says_of_the_normalisation_comes_first_and_is_part_of_the_identity(saved, network):
    path = saved({})
    own, given = load_checkpoint(path, **GIVEN), load_checkpoint(path, **GIVEN, mean=(0.5,), std=(0.25,))
    assert same(given, network, (0.5,) * 3, (0.25,) * 3)
    assert (given.identity.mean, given.identity.std) == ((0.5,), (0.25,))
    assert own.sha256 == given.sha256
    assert own.digest != given.digest
    assert load_checkpoint(path, **GIVEN, mean=(0.5,)).identity.std == pytest.approx(STD)


def test_a_network_without_parallel_or_wrapped_once_more_is_the_same(network):
    # As that library does with an architecture of one's own.
    for wrapped in (network, nn.Sequential(OrderedDict(model=network))):
        found = unwrap(AttackerModel(wrapped).state_dict())
        assert found.tensors.keys() == network.state_dict().keys()
        assert found.mean == pytest.approx(MEAN)


def wrapped(**changes):
    normal = {f"normalizer.new_{what}": torch.ones(3, 1, 1) for what in ("mean", "std")}
    return normal | {"model.w": torch.ones(2), "attacker.model.w": torch.ones(2)} | changes


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
        unwrap(wrapped(**changes))


def test_a_normalisation_that_fits_no_image_is_refused(tmp_path):
    torch.save(wrapped(**{"normalizer.new_std": torch.zeros(3, 1, 1)}), tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"std\.0: Input should be greater than 0"):
        load_checkpoint(tmp_path / "a.pt", **GIVEN)


def test_other_names_stay_as_they_are():
    tensors = {"model.w": torch.ones(2), "normalizer.new_mean": torch.ones(3)}
    assert unwrap(tensors).tensors == tensors
    assert unwrap({"module.w": torch.ones(1)}).tensors.keys() == {"w"}
