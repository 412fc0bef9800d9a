"""Weights that lie in a file in parts give the logits of the module that was saved, in evaluation mode."""

import warnings

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.nn.utils import spectral_norm as older_spectral_norm

from aegis.core.errors import CheckpointError
from aegis.models.architectures import build
from aegis.models.computed import OF_NORM, PRUNED, SPECTRAL, with_whole_weights
from aegis.models.load import load_checkpoint

from .conftest import NAMES, randomised

GIVEN = {"architecture": "aegis:cnn16", "shape": (1, 12, 12), "class_names": NAMES}


def older_weight_norm(layer):
    with warnings.catch_warnings(action="ignore"):
        nn.utils.weight_norm(layer)


WAYS = {
    "pruned": (lambda layer: prune.l1_unstructured(layer, "weight", 0.5), PRUNED),
    "weight norm": (parametrizations.weight_norm, OF_NORM),
    "older weight norm": (older_weight_norm, OF_NORM),
    "spectral norm": (parametrizations.spectral_norm, SPECTRAL),
    "older spectral norm": (older_spectral_norm, SPECTRAL),
}


def saved(way):
    """A network all of whose weights lie in parts, as after some training."""
    network = build("aegis:cnn16", 1, 10).train()
    for layer in [*network]:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            way(layer)
    for _ in range(3):
        network(torch.rand(4, 1, 12, 12))
    return randomised(network)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.usefixtures("inside")
def test_the_logits_are_those_of_the_module_that_was_saved(tmp_path, way, prefix):
    torch.manual_seed(0)
    apply, said = WAYS[way]
    network = saved(apply)
    state = {f"{prefix}{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, tmp_path / "a.safetensors")
    pixels = torch.rand(8, 1, 12, 12)
    suspect = load_checkpoint(tmp_path / "a.safetensors", **GIVEN)
    torch.testing.assert_close(suspect.classifier.logits(pixels), network(pixels).detach(), rtol=1e-5, atol=1e-5)
    assert suspect.reading == (f"7 weights {said}",)
    assert suspect.left_out == ()
    del (known := dict(GIVEN))["architecture"]
    assert load_checkpoint(tmp_path / "a.safetensors", **known).identity.architecture == "aegis:cnn16"


@pytest.mark.parametrize(
    ("layer", "way", "said"),
    [
        (nn.ConvTranspose2d(6, 6, 3), older_spectral_norm, SPECTRAL),
        (nn.ConvTranspose2d(6, 4, 3), parametrizations.spectral_norm, SPECTRAL),
        (nn.Linear(5, 5), lambda layer: older_spectral_norm(layer, dim=1), SPECTRAL),
        (nn.Conv1d(3, 4, 2), lambda layer: parametrizations.weight_norm(layer, dim=1), OF_NORM),
        (nn.Linear(4, 1), lambda layer: parametrizations.weight_norm(layer, dim=None), OF_NORM),
        (nn.Linear(4, 3), lambda layer: prune.random_unstructured(layer, "bias", 1), PRUNED),
    ],
)
def test_other_layers_axes_and_biases(layer, way, said):
    torch.manual_seed(0)
    way(layer.train())
    for _ in range(30):
        layer(torch.rand(2, *{1: (5,), 2: (layer.weight.shape[1],), 3: (3, 4), 4: (6, 4, 4)}[layer.weight.ndim]))
    layer.eval()
    layer(torch.rand(2, *{1: (5,), 2: (layer.weight.shape[1],), 3: (3, 4), 4: (6, 4, 4)}[layer.weight.ndim]))
    found = with_whole_weights({f"a.{name}": tensor for name, tensor in layer.state_dict().items()}, ["weight", "bias"])
    torch.testing.assert_close(found.tensors, {"a.weight": layer.weight.data, "a.bias": layer.bias.data})
    assert found.notes == (f"1 weight {said}",)


def test_parts_that_the_architecture_has_itself_are_left_as_they_are():
    state = parametrizations.weight_norm(nn.Linear(2, 2)).state_dict()
    inside = {f"module.{name}": tensor for name, tensor in state.items()}
    assert with_whole_weights(inside, state).tensors.keys() == inside.keys()


@pytest.mark.parametrize(
    "state",
    [
        {"w_orig": torch.ones(2, 2), "w_mask": torch.ones(2, 1)},
        {"w_g": torch.ones(2, 2), "w_v": torch.ones(2, 2)},
        {"w_g": torch.ones(1, 1, 1), "w_v": torch.ones(2, 2)},
        {"w_orig": torch.ones(2, 2), "w_u": torch.ones(3), "w_v": torch.ones(2)},
        {"w_orig": torch.ones(2), "w_u": torch.ones(2), "w_v": torch.ones(1)},
        {"w_orig": torch.ones(2), "w_mask": torch.ones(2), "w": torch.ones(2)},
        {"w_v": torch.ones(2)},
    ],
)
def test_what_are_no_parts_of_a_weight_stays_as_it_is(state):
    assert with_whole_weights(state).tensors == state


def test_weights_that_cannot_be_computed_are_refused():
    orthogonal = parametrizations.orthogonal(nn.Linear(2, 2)).state_dict()
    with pytest.raises(CheckpointError, match=r"another parametrization: parametrizations.weight"):
        with_whole_weights(orthogonal)
    with pytest.raises(CheckpointError, match=r"parts of fc.weight that give NaN"):
        with_whole_weights({"fc.weight_g": torch.ones(2, 1), "fc.weight_v": torch.zeros(2, 3)})
