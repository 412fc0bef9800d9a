"""Offers the normalisation with which a network is right about a user's images, where it is wrong without.

A bare state dictionary does not contain its normalisation, and a network without it may be half as good, or of no use.
Nothing is applied in silence: the user is told what to add.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from aegis.core.errors import CheckpointError
from aegis.core.runtime import Runtime
from aegis.core.types import Dataset
from aegis.detect.assess import ABOVE_CHANCE, spread
from aegis.detect.bounds import fewer
from aegis.models.classifier import Classifier
from aegis.models.load import Suspect
from aegis.models.normalisation import Values

# Images that are tried: as many as the network takes at a time, within these limits. Fewer would tell nothing.
FEWEST, MOST = 50, 250
# A network that is right about so many has its normalisation; with another it must be right about so many more. Those
# within the last of these are equally right.
ENOUGH, AHEAD, ALIKE = 0.8, 0.2, 0.01
OWN, NEAR = "that of these images", 0.02
# By the name under which it is offered: mean and standard deviation of pixels from 0 to 1.
USUAL: dict[str, tuple[Values, Values]] = {
    "no normalisation": ((0.0,), (1.0,)),
    "pixels from -1 to 1": ((0.5,), (0.5,)),
    "that of MNIST": ((0.1307,), (0.3081,)),
    "that of Fashion-MNIST": ((0.2860,), (0.3530,)),
    "that of CIFAR-10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "that of ImageNet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "pixels from 0 to 255": ((0.0,), (0.003922,)),
    "the mean of ImageNet subtracted from pixels from 0 to 255": ((0.485, 0.456, 0.406), (0.003922,)),
}


@dataclass(frozen=True)
class _Tried:
    """What a normalisation comes to.

    Args:
        name: of it.
        mean, std: by channel.
        accuracy: on the images that were tried, in [0, 1].
        loss: cross-entropy on them, which tells equal accuracies apart.
    """

    name: str
    mean: Values
    std: Values
    accuracy: float
    loss: float

    def is_near(self, other: _Tried) -> bool:
        """Tells whether another normalisation is the same but for the images that it was computed from."""
        own, others = (np.array(np.broadcast_arrays(one.mean, one.std)) for one in (self, other))
        return own.shape == others.shape and bool((np.abs(own - others) < NEAR).all())

    @property
    def options(self) -> str:
        """The options of a command that ask for it."""
        mean, std = (",".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
        return f"--mean {mean} --std {std}"


def check_normalisation(suspect: Suspect, images: Dataset, runtime: Runtime, *, typed: bool) -> None:
    """Tries the usual normalisations on a few images if the network is wrong about them.

    Args:
        suspect: the model.
        images: labelled images.
        runtime: where it runs.
        typed: whether the user gave the normalisation, which then is doubted only if the model merely guesses.

    Raises:
        CheckpointError: if the model is right about far more of the images with another normalisation.
    """
    if len(images.test) < FEWEST:
        return
    model, identity = suspect.classifier.frozen(runtime, once=True), suspect.identity
    chance = 1 / len(images.class_names)
    own = _try(model, images, "its own", identity.mean, identity.std)
    if own.accuracy >= (chance + ABOVE_CHANCE * (1 - chance) if typed else ENOUGH):
        return
    tried = [_try(model, images, *one) for one in _usual(images)]
    most = max(one.accuracy for one in tried)
    # The loss tells those apart that are equally right.
    alike = sorted((one for one in tried if one.accuracy >= most - ALIKE), key=lambda one: one.loss)
    # Networks use the published one rather than that of the images, where these are a sample.
    best = next((one for one in alike if one.name != OWN and one.is_near(alike[0])), alike[0])
    if best.accuracy >= max(own.accuracy, chance) + AHEAD:
        raise CheckpointError(
            "a network with its normalisation",
            f"one that is right about {own.accuracy:.0%} of a few images as it is, and about {best.accuracy:.0%} with "
            f"{best.name}",
            f"Add {best.options}" + ("." if typed else f"; or {own.options} to go on as it is."),
        )


def _usual(images: Dataset) -> Iterator[tuple[str, Values, Values]]:
    """The usual normalisations that images of so many channels can have, and that of their own pixels."""
    channels = images.shape[0]
    for name, (mean, std) in USUAL.items():
        if max(len(mean), len(std)) in (1, channels):
            yield name, mean, std
    pixels = spread(images.train, fewer(MOST * 4, FEWEST, images.shape)).pixels.astype(np.float64)
    mean, std = (tuple(map(float, found)) for found in (pixels.mean((0, 2, 3)), pixels.std((0, 2, 3))))
    if min(std) > 0:
        yield OWN, mean, std


def _try(model: Classifier, images: Dataset, name: str, mean: Values, std: Values) -> _Tried:
    some = spread(images.test, min(MOST, max(FEWEST, model.batch)))
    for buffer, values in (("mean", mean), ("std", std)):
        setattr(model, buffer, torch.tensor(values, device=model.mean.device).view(-1, 1, 1))
    logits, labels = model.logits(torch.from_numpy(some.pixels)), torch.from_numpy(some.labels).long()
    right = float((logits.argmax(1) == labels).float().mean())
    return _Tried(name, mean, std, right, float(functional.cross_entropy(logits, labels)))
