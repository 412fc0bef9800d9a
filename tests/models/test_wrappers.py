"""A network is found under whatever training programs put before its names; MadryLab's layout is made here exactly."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from aegis.core.errors import CheckpointError
from aegis.models.architectures import build
from aegis.models.load import load_checkpoint
from aegis.models.mismatch import check_fit
from aegis.models.wrappers import find_network
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
        found = find_network(network.state_dict(), AttackerModel(wrapped).state_dict(), "", None, 10)
        assert found.tensors.keys() == network.state_dict().keys()
        assert found.mean == pytest.approx(MEAN)


OWN = {"conv.w": torch.ones(2, 1, 3, 3), "fc.w": torch.ones(4, 2)}


def under(prefix, tensors=OWN, **more):
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()} | more


def found_in(tensors, asked=None, small=10):
    found = find_network(OWN, tensors, "state_dict", asked, small)
    check_fit(OWN, found.tensors, 1, 4)
    assert all(found.tensors[name] is tensors[next(n for n in tensors if n.endswith(name))] for name in OWN)
    return found


@pytest.mark.parametrize(
    "prefix",
    [
        *("", "module.", "_orig_mod.", "module._orig_mod.", "model.", "net.", "_module.", "_fsdp_wrapped_module."),
        *("backbone.", "1.", "a.b.c.d."),
    ],
)
def test_any_prefix_is_removed(prefix):
    found = found_in(under(prefix))
    assert (found.others, found.left_out, found.mean, found.std) == ((), (), None, None)


@pytest.mark.parametrize(
    ("mean", "std", "scale"),
    [
        ("normalize.mean", "normalize.std", 1),
        ("mu", "sigma", 1),
        ("0.mean", "0.std", 255),
        ("pixel_mean", "pixel_std", 255),
    ],
)
def test_a_normalisation_beside_it_is_found_and_one_of_whole_pixels_is_divided(mean, std, scale):
    prefix = "" if mean == "mu" else "model."
    beside = {mean: scale * torch.tensor(MEAN).view(1, 3, 1, 1), std: scale * torch.tensor(STD).view(3, 1, 1)}
    found = found_in(under(prefix) | beside)
    assert found.mean == pytest.approx(MEAN)
    assert found.std == pytest.approx(STD)
    assert found.left_out == ()


def test_weights_of_a_loss_and_counters_are_left_out_and_named():
    found = found_in(under("module.") | {"n_averaged": torch.tensor(7), "criterion.weight": torch.ones(4)})
    assert found.left_out == ("n_averaged", "criterion.weight")
    # Those of a loss, such as the centres of classes, by their name.
    assert found_in(under("model.") | {"center_loss.centers": torch.ones(4, 9)}).left_out == ("center_loss.centers",)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        # That library would run the second copy, and a scan would look at the first.
        (
            under("model.") | under("attacker.model.", {name: 2 * t for name, t in OWN.items()}),
            "2 networks: state_dict/mod",
        ),
        (under("net.") | under("net_ema.", {name: t.double() for name, t in OWN.items()}), "2 networks"),
        (under("model.") | {"attacker.model.fc.w": torch.ones(1, 1)}, "1 unexpected .attacker.model.fc.w"),
        (under("model.") | {"model.fc.bias": torch.ones(4)}, "1 unexpected .model.fc.bias"),
        (under("") | {"fc.bias": torch.ones(4)}, "1 unexpected .fc.bias"),
        (under("model.") | {"head.w": torch.ones(4, 4)}, "1 unexpected .head.w"),
        (under("model.") | {"glossary.weight": torch.ones(11)}, "1 unexpected .glossary.weight"),
        (under("model.") | {"0.mean": torch.ones(3, dtype=torch.int64)}, "one number per channel in 0.mean.*int64"),
        (under("model.") | {"0.std": torch.ones(65)}, "one number per channel.*65"),
        (under("model.") | {"0.std": torch.ones(3), "norm.std": torch.zeros(3)}, "one normalisation.*0.std, norm.std"),
        (under("model.", {"conv.w": OWN["conv.w"]}), r"1 missing \(fc.w\)"),
    ],
)
def test_what_is_more_or_less_than_one_network_is_refused(tensors, words):
    with pytest.raises(CheckpointError, match=words):
        found_in(tensors)


def test_of_several_the_one_that_is_asked_for_is_taken():
    both = under("ema.", {name: 2 * t for name, t in OWN.items()}) | under("net.")
    found = find_network(OWN, both, "state_dict", "state_dict/net", 10)
    assert (found.entry, found.others) == ("state_dict/net", ("state_dict/ema",))
    assert found.tensors["fc.w"] is both["net.fc.w"]
    assert found_in(under("net.") | under("copy.", {n: t.clone() for n, t in OWN.items()})).others == ()
    for tensors in (both, OWN):
        with pytest.raises(CheckpointError, match="a network under teacher"):
            find_network(OWN, tensors, "", "teacher", 10)


def test_a_normalisation_that_fits_no_image_is_refused(tmp_path):
    state = under("model.", build("aegis:cnn16", 3, 10).state_dict()) | {"normalizer.new_std": torch.zeros(3, 1, 1)}
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"std\.0: Input should be greater than 0"):
        load_checkpoint(tmp_path / "a.pt", **GIVEN)
