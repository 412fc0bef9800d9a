"""Poisons training data (Section 4, Backdoor Injection)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from aegis.core.errors import ConfigError
from aegis.core.runtime import numpy_generator
from aegis.core.types import Goal, LabelledImages, Stamp

How = Literal["append", "replace"]


def check_rate(rate: float) -> None:
    """Refuses an invalid poison rate.

    Args:
        rate: share of poisoned images.

    Raises:
        ConfigError: if it is not in (0, 1].
    """
    if not 0 < rate <= 1:
        raise ConfigError("a poison rate above 0 and at most 1", str(rate), "The paper uses 0.01 and 0.3.")


def poison(
    images: LabelledImages, stamp: Stamp, goal: Goal, *, rate: float, how: How = "append", seed: int = 0
) -> LabelledImages:
    """Applies the trigger to a random share of the images and labels them as the goal says.

    For a source-specific backdoor, as many stamped images of other classes keep their labels, so that the trigger alone
    does not change the prediction (Tang et al. 2021).

    Args:
        images: the clean training data.
        stamp: the trigger.
        goal: the images that the backdoor is made for, and their target.
        rate: number of relabelled images as a share of all, in (0, 1]; limited by the images that the goal is made for.
            The paper uses 0.01 for visible and 0.3 for invisible triggers.
        how: ``append`` the poisoned copies, as the paper says, or ``replace`` the originals, as its code does.
        seed: seed of the choice of images.

    Returns:
        The poisoned training data.

    Raises:
        ConfigError: if the rate or a class of the goal is out of range.

    Source: Section 4, Backdoor Injection.
    """
    check_rate(rate)
    for name, label in (("target", None if goal.all_to_all else goal.target), ("source", goal.source)):
        if label is not None and not 0 <= label < len(images.class_names):
            raise ConfigError(
                f"a {name} class from 0 to {len(images.class_names) - 1}", str(label), "Choose a class of the data set."
            )
    wanted = goal.wanted(images.labels, len(images.class_names))
    generator, count = numpy_generator(seed), max(1, round(rate * len(images)))
    meant, others = np.flatnonzero(wanted >= 0), np.flatnonzero(wanted < 0)
    count = min(count, len(meant))
    parts = [generator.choice(part, size=min(count, len(part)), replace=False) for part in (meant, others)]
    chosen = np.concatenate(parts)
    poisoned, labels = stamp(images.pixels[chosen]), np.where(wanted < 0, images.labels, wanted)[chosen]
    if how == "append":
        pixels = np.concatenate([images.pixels, poisoned])
        return LabelledImages(pixels, np.concatenate([images.labels, labels]), images.class_names)
    pixels, all_labels = images.pixels.copy(), images.labels.copy()
    pixels[chosen], all_labels[chosen] = poisoned, labels
    return LabelledImages(pixels, all_labels, images.class_names)
