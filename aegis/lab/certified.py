"""Certified training by interval bounds (Gowal et al. 2018, On the Effectiveness of Interval Bound Propagation)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from aegis.core.errors import ConfigError
from aegis.models.classifier import Classifier

# Share of the training over which the budget grows and the clean loss gives way to the certified one.
RAMP = 0.5
# Of the gradient's L2 norm: bounds through freshly initialised layers are loose, and one step could ruin the weights.
MAX_GRADIENT = 5.0
_KNOWN = (nn.Conv2d, nn.Linear, nn.ReLU, nn.Flatten, nn.AdaptiveAvgPool2d, nn.AvgPool2d)


def check_certifiable(network: nn.Module) -> None:
    """Refuses a network that interval bounds are not defined for here.

    Args:
        network: the network to train.

    Raises:
        ConfigError: unless it is a sequence of convolutions, linear layers, rectifiers, average poolings and
            flattenings.
    """
    strangers = [type(layer).__name__ for layer in network.children() if not isinstance(layer, _KNOWN)]
    if not isinstance(network, nn.Sequential) or strangers:
        raise ConfigError(
            "for certified training, a sequence of convolutions, linear layers, rectifiers and flattenings",
            ", ".join(dict.fromkeys(strangers)) or type(network).__name__,
            "Choose aegis:strided, or train under attack.",
        )


def certified_loss(classifier: Classifier, x: Tensor, y: Tensor, epsilon: float, progress: float) -> Tensor:
    """Mixes the cross-entropy of clean images with that of the worst logits that interval bounds allow.

    Args:
        classifier: in training; its network as ``check_certifiable`` demands.
        x: images in [0, 1], shape (n, c, h, w).
        y: their labels, shape (n,).
        epsilon: final budget, L-infinity on pixels in [0, 1].
        progress: share of the training that is done; budget and weight of the bounds grow linearly until ``RAMP``.
    """
    share = min(1.0, progress / RAMP)
    lower, upper = logit_bounds(classifier, x, share * epsilon)
    true = functional.one_hot(y, lower.shape[1]).bool()
    worst = functional.cross_entropy(torch.where(true, lower, upper), y)
    clean = functional.cross_entropy(classifier(x), y)
    return (1 - share / 2) * clean + share / 2 * worst


def logit_bounds(classifier: Classifier, x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Computes the lowest and highest logits that interval arithmetic allows within a budget, of shape (n, classes).

    Args:
        classifier: its network as ``check_certifiable`` demands.
        x: images in [0, 1], shape (n, c, h, w).
        epsilon: L-infinity budget; changed images stay in [0, 1].
    """
    lower, upper = ((bound.clamp(0, 1) - classifier.mean) / classifier.std for bound in (x - epsilon, x + epsilon))
    for layer in classifier.network.children():
        lower, upper = _through(layer, lower, upper)
    return lower, upper


def _through(layer: nn.Module, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    if not isinstance(layer, (nn.Conv2d, nn.Linear)):
        # None of the others ever falls where its input rises.
        return layer(lower), layer(upper)
    centre, radius = layer((upper + lower) / 2), (upper - lower) / 2
    if isinstance(layer, nn.Linear):
        radius = functional.linear(radius, layer.weight.abs())
    else:
        radius = functional.conv2d(
            radius, layer.weight.abs(), None, layer.stride, layer.padding, layer.dilation, layer.groups
        )
    return centre - radius, centre + radius
