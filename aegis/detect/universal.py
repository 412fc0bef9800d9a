"""How far one change for all images must go to make them a class: the scale on which a small perturbation is small.

An honest class of any model is reached by a universal perturbation of some norm, ten times larger on one data set than
on another; a backdoor's trigger is one that is short beside those of the other classes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aegis.models.classifier import Classifier
from aegis.pgd import direction
from aegis.runtime import numpy_generator
from aegis.types import LabelledImages

# The norm grows while fewer than this share of the images are called the class, and shrinks while more are.
HALF = 0.5
GROWTH = 1.1
# The first and the last step, as shares of the norm.
LONGEST, SHORTEST = 0.28, 0.03
# The norm swings around what is sought; so many of its last values are averaged.
SETTLED = 0.25


def universal_radii(
    classifier: Classifier,
    images: LabelledImages,
    start: float,
    *,
    steps: int,
    batch: int,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[float, ...]:
    """The L2 norm at which one perturbation makes half of the images of other classes a class, for every class.

    Args:
        classifier: prepared for speed.
        images: that the perturbations are sought on; nothing else is made of these.
        start: L2 norm that the search begins with, above 0.
        steps: so many.
        batch: images of each class's perturbation in a step.
        tell: hears after each step how many of all are done.

    Source: universal perturbations (Moosavi-Dezfooli et al. 2017), with the norm adapted as by Rony et al. (2019).
    """
    side_by_side = max(1, classifier.batch // batch)
    groups = [classifier.labels[i : i + side_by_side] for i in range(0, classifier.classes, side_by_side)]
    found: list[float] = []
    for i, labels in enumerate(groups):

        def on_step(step: int, before: int = i) -> None:
            if tell is not None:
                tell(before * steps + step, len(groups) * steps)

        found += _search(classifier, images, labels, start, steps, batch, on_step)
    return tuple(found)


def _search(
    classifier: Classifier,
    images: LabelledImages,
    labels: range,
    start: float,
    steps: int,
    batch: int,
    on_step: Callable[[int], None],
) -> list[float]:
    device = classifier.mean.device
    pixels = torch.from_numpy(images.pixels)
    order = [_others(images, label) for label in labels]
    wanted = torch.tensor(labels, device=device).repeat_interleave(batch)
    deltas = torch.zeros(len(labels), *images.shape, device=device)
    radii = torch.full((len(labels), 1, 1, 1), start, device=device)
    norms: list[Tensor] = []
    for step in range(steps):
        turn = np.arange(step * batch, (step + 1) * batch)
        chosen = np.stack([positions[turn % len(positions)] for positions in order])
        leaf = deltas.requires_grad_()
        logits = classifier((pixels[chosen].to(device) + leaf[:, None]).clamp(0, 1).flatten(0, 1))
        (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, wanted, reduction="sum"), leaf)
        reached = (logits.argmax(1) == wanted).view(len(labels), batch).float().mean(1).view_as(radii)
        norms.append(radii.flatten())
        radii = radii * torch.where(reached < HALF, GROWTH, 1 / GROWTH)
        length = radii * (LONGEST + (SHORTEST - LONGEST) * step / steps)
        # Always as long as is allowed: a shorter one would tell nothing about the norm.
        deltas = radii * direction(deltas.detach() - length * direction(gradient, "l2"), "l2")
        on_step(step + 1)
    last = torch.stack(norms[-max(1, round(SETTLED * steps)) :])
    found: list[float] = last.log().mean(0).exp().tolist()
    return found


def _others(images: LabelledImages, label: int) -> np.ndarray:
    """Positions of images of other classes in random order; of all where there are no others."""
    others = np.flatnonzero(images.labels != label)
    return numpy_generator(label).permutation(others if len(others) else len(images))
