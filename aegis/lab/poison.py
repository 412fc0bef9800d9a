"""Poisons training data (Section 4, Backdoor Injection)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int64

from aegis.core.errors import ConfigError
from aegis.core.runtime import numpy_generator
from aegis.core.types import Goal, LabelledImages, Labels, Pixels, Stamp

How = Literal["append", "replace", "clean-label"]


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
    images: LabelledImages,
    stamp: Stamp,
    goal: Goal,
    *,
    rate: float,
    how: How = "append",
    seed: int = 0,
    covers: Sequence[Stamp] = (),
    disguise: Callable[[LabelledImages], Pixels] | None = None,
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
        how: ``append`` the poisoned copies, as the paper says; ``replace`` the originals, as its code does; or
            ``clean-label``: replace images of the target class alone, which keep their label (Turner et al. 2019).
        seed: seed of the choice of images.
        covers: stamps that must not work alone; for each, as many copies of random images carry it and keep their
            labels.
        disguise: changes clean-label images before the trigger is applied, so that their own content says less about
            their class; None leaves them.

    Returns:
        The poisoned training data.

    Raises:
        ConfigError: if the rate or a class of the goal is out of range, or if clean labels do not fit the goal.

    Source: Section 4, Backdoor Injection.
    """
    check_rate(rate)
    _check_goal(goal, how, images.class_names)
    generator, count = numpy_generator(seed), max(1, round(rate * len(images)))
    chosen, labels = (_of_the_target if how == "clean-label" else _relabelled)(images, goal, count, generator)
    bare = images.take(chosen)
    pixels = stamp(bare.pixels if disguise is None else disguise(bare))
    if how == "append":
        poisoned = joined(images, LabelledImages(pixels, labels, images.class_names))
    else:
        poisoned = _replaced(images, chosen, pixels, labels)
    for cover in covers:
        covered = images.take(generator.choice(len(images), size=min(count, len(images)), replace=False))
        poisoned = joined(poisoned, LabelledImages(cover(covered.pixels), covered.labels, images.class_names))
    return poisoned


def joined(images: LabelledImages, more: LabelledImages) -> LabelledImages:
    """Puts images of the same classes after others.

    Args:
        images: the first images.
        more: the others.

    Returns:
        All of them.
    """
    pixels, labels = np.concatenate([images.pixels, more.pixels]), np.concatenate([images.labels, more.labels])
    return LabelledImages(pixels, labels, images.class_names)


def _check_goal(goal: Goal, how: How, class_names: Sequence[str]) -> None:
    for name, label in (("target", None if goal.all_to_all else goal.target), ("source", goal.source)):
        if label is not None and not 0 <= label < len(class_names):
            raise ConfigError(
                f"a {name} class from 0 to {len(class_names) - 1}", str(label), "Choose a class of the data set."
            )
    if how == "clean-label" and (goal.all_to_all or goal.source is not None):
        raise ConfigError(
            "a backdoor for images of every class, to keep labels clean",
            "an all-to-all or source-specific one",
            "Leave out the source, or poison by append.",
        )


def _relabelled(
    images: LabelledImages, goal: Goal, count: int, generator: np.random.Generator
) -> tuple[Int64[np.ndarray, " m"], Labels]:
    """Draws images that the goal is made for, and as many others; gives their positions and labels to be learnt."""
    wanted = goal.wanted(images.labels, len(images.class_names))
    meant, others = np.flatnonzero(wanted >= 0), np.flatnonzero(wanted < 0)
    count = min(count, len(meant))
    parts = [generator.choice(part, size=min(count, len(part)), replace=False) for part in (meant, others)]
    chosen = np.concatenate(parts)
    return chosen, np.where(wanted < 0, images.labels, wanted)[chosen]


def _of_the_target(
    images: LabelledImages, goal: Goal, count: int, generator: np.random.Generator
) -> tuple[Int64[np.ndarray, " m"], Labels]:
    """Draws images of the target class; gives their positions and labels, which stay as they are."""
    own = np.flatnonzero(images.labels == goal.target)
    chosen = generator.choice(own, size=min(count, len(own)), replace=False)
    return chosen, images.labels[chosen]


def _replaced(
    images: LabelledImages, chosen: Int64[np.ndarray, " m"], pixels: Pixels, labels: Labels
) -> LabelledImages:
    all_pixels, all_labels = images.pixels.copy(), images.labels.copy()
    all_pixels[chosen], all_labels[chosen] = pixels, labels
    return LabelledImages(all_pixels, all_labels, images.class_names)
