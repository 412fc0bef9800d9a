"""Offers the normalisation with which a network is right about a user's images, where it is wrong without.

A bare state dictionary does not contain its normalisation, and a network without it may be half as good, or of no use.
Nothing is applied in silence: the user is told what to add.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from aegis.core.errors import CheckpointError
from aegis.core.runtime import Runtime
from aegis.core.types import Dataset, LabelledImages
from aegis.detect.assess import ABOVE_CHANCE
from aegis.models.classifier import Classifier
from aegis.models.load import Suspect
from aegis.models.normalisation import Values
from aegis.services.few_images import FEWEST, MOST, few

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
class Tried:
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

    def is_near(self, other: Tried) -> bool:
        """Tells whether another normalisation is the same but for the images that it was computed from."""
        own, others = (np.array(np.broadcast_arrays(one.mean, one.std)) for one in (self, other))
        return own.shape == others.shape and bool((np.abs(own - others) < NEAR).all())

    @property
    def typed(self) -> tuple[str, str]:
        """Mean and standard deviation as a user types them."""
        mean, std = (",".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
        return mean, std

    @property
    def options(self) -> str:
        """The options of a command that ask for it."""
        return "--mean {} --std {}".format(*self.typed)


@dataclass(frozen=True)
class FirstLook:
    """How right a network is about a few images.

    Args:
        images: how many they were.
        chance: accuracy of guessing, in [0, 1].
        own: with its normalisation.
        better: with another one, where that makes it right about far more; else None.
    """

    images: int
    chance: float
    own: Tried
    better: Tried | None = None

    @property
    def is_guessing(self) -> bool:
        """Whether it is hardly better than by guessing."""
        return self.own.accuracy < self.chance + ABOVE_CHANCE * (1 - self.chance)


def first_look(suspect: Suspect, images: Dataset, runtime: Runtime, *, typed: bool) -> FirstLook | None:
    """Tries a network on a few images, and with the usual normalisations if it is wrong about them.

    Args:
        suspect: the model.
        images: labelled images.
        runtime: where it runs.
        typed: whether the user gave the normalisation, which then is doubted only if the model merely guesses.

    Returns:
        How right it is; None if there are too few images to tell.
    """
    if len(images.test) < FEWEST:
        return None
    model, identity = suspect.classifier.frozen(runtime, once=True), suspect.identity
    some = images.test.spread(min(MOST, max(FEWEST, model.batch)))
    own = _try(model, some, "its own", identity.mean, identity.std)
    look = FirstLook(len(some), 1 / len(images.class_names), own)
    is_right = not look.is_guessing if typed else own.accuracy >= ENOUGH
    if is_right:
        return look
    tried = [_try(model, some, *one) for one in _usual(images)]
    most = max(one.accuracy for one in tried)
    # The loss tells those apart that are equally right.
    alike = sorted((one for one in tried if one.accuracy >= most - ALIKE), key=lambda one: one.loss)
    # Networks use the published one rather than that of the images, where these are a sample.
    best = next((one for one in alike if one.name != OWN and one.is_near(alike[0])), alike[0])
    return replace(look, better=best) if best.accuracy >= max(own.accuracy, look.chance) + AHEAD else look


def check_normalisation(suspect: Suspect, images: Dataset, runtime: Runtime, *, typed: bool) -> None:
    """Refuses a model that is right about far more of the images with another normalisation.

    Args:
        suspect, images, runtime, typed: as in ``first_look``.

    Raises:
        CheckpointError: if so.
    """
    look = first_look(suspect, images, runtime, typed=typed)
    if look is not None and look.better is not None:
        raise CheckpointError(
            "a network with its normalisation",
            f"one that is right about {look.own.accuracy:.0%} of a few images as it is, and about "
            f"{look.better.accuracy:.0%} with {look.better.name}",
            f"Add {look.better.options}" + ("." if typed else f"; or {look.own.options} to go on as it is."),
        )


def _usual(images: Dataset) -> Iterator[tuple[str, Values, Values]]:
    """The usual normalisations that images of so many channels can have, and that of their own pixels."""
    channels = images.shape[0]
    for name, (mean, std) in USUAL.items():
        if max(len(mean), len(std)) in (1, channels):
            yield name, mean, std
    pixels = few(images).train.pixels.astype(np.float64)
    mean, std = (tuple(map(float, found)) for found in (pixels.mean((0, 2, 3)), pixels.std((0, 2, 3))))
    if min(std) > 0:
        yield OWN, mean, std


def _try(model: Classifier, images: LabelledImages, name: str, mean: Values, std: Values) -> Tried:
    for buffer, values in (("mean", mean), ("std", std)):
        setattr(model, buffer, torch.tensor(values, device=model.mean.device).view(-1, 1, 1))
    logits, labels = model.logits(torch.from_numpy(images.pixels)), torch.from_numpy(images.labels).long()
    right = float((logits.argmax(1) == labels).float().mean())
    return Tried(name, mean, std, right, float(functional.cross_entropy(logits, labels)))
