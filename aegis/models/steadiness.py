"""Tells whether a network gives the same answers twice, and to an image whatever others are passed with it."""

from __future__ import annotations

import torch
from torch import Tensor

from aegis.models.classifier import Classifier

RANDOM = "its answers differ from call to call, and so do scans of it"
TOGETHER = "its answers to an image depend on the images beside it, as with batch norm without running statistics"
# Differences of logits beside the largest one; the same numbers in the same order should give no difference at all.
TOLERANCE = 1e-4


def unsteadiness(classifier: Classifier) -> tuple[str, ...]:
    """Passes a few images several times.

    Args:
        classifier: the model in evaluation mode.

    Returns:
        What a user should know, a part of a sentence each; nothing for an ordinary network.
    """
    pixels = torch.rand(6, *classifier.shape, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        first, again, beside = (classifier(pixels[part]) for part in ([0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 4, 5]))
    if _differ(first, again):
        return (RANDOM,)
    return (TOGETHER,) if _differ(first[:2], beside[:2]) else ()


def _differ(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() > TOLERANCE * one.abs().max())
