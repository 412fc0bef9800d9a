"""How far one change for all images must go to make them a class: the scale on which a small trigger is small.

A benign class of any model is reached by a universal perturbation of some norm, and by a patch of some area, several
times larger on one data set than on another; a backdoor's trigger is one that is small beside those of other classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aegis.attacks.pgd import direction
from aegis.attacks.stamps import MaskedPatterns
from aegis.core.runtime import numpy_generator
from aegis.core.types import LabelledImages
from aegis.models.classifier import Classifier

# Sizes grow while fewer than this share of the images are called the class, and shrink while more are.
HALF = 0.5
GROWTH = 1.1
# They swing around what is sought; so many of the last ones are averaged.
SETTLED = 0.25
# Of a perturbation, the first and the last step, as shares of its norm.
LONGEST, SHORTEST = 0.28, 0.03
# Of a patch, the area that it begins with, as a share of the image, and how hard its edges are.
WIDE, TEMPERATURE = 0.2, 0.1

Tell = Callable[[int, int], None]


@runtime_checkable
class Growing(Protocol):
    """A stamp for each of some classes, with a size that is theirs to change, shape (g,)."""

    sizes: Tensor

    def on(self, images: Tensor) -> Tensor:
        """Each stamp on its images, shape (g, n, c, h, w)."""

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """One step of each stamp down the loss of its images; ``stamped`` is what ``on`` gave, ``gradient`` theirs."""


def universal_radii(
    classifier: Classifier, images: LabelledImages, start: float, *, steps: int, batch: int, tell: Tell | None = None
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

    def make(labels: Sequence[int]) -> Growing:
        return _Perturbations(torch.zeros(len(labels), *images.shape, device=classifier.mean.device), start)

    return _for_every_class(classifier, images, make, steps, batch, tell)


def universal_areas(
    classifier: Classifier, images: LabelledImages, *, steps: int, batch: int, tell: Tell | None = None
) -> tuple[float, ...]:
    """The share of the pixels that one patch must replace to make half of the images of other classes a class, for
    every class; arguments are those of ``universal_radii``.

    Source: adversarial patches (Brown et al. 2017), with an area that adapts.
    """

    def make(labels: Sequence[int]) -> Growing:
        noise = np.stack([numpy_generator(label).random(images.shape, np.float32) for label in labels])
        return _Patches(torch.from_numpy(noise).to(classifier.mean.device))

    _, height, width = images.shape
    sizes = _for_every_class(classifier, images, make, steps, batch, tell)
    return tuple(min(1.0, size / (height * width)) for size in sizes)


class _Perturbations:
    """Changes everywhere, whose L2 norms are their sizes."""

    def __init__(self, deltas: Tensor, start: float) -> None:
        self.deltas = deltas.requires_grad_()
        self.sizes = torch.full((len(deltas),), start, device=deltas.device)

    def on(self, images: Tensor) -> Tensor:
        return (images + self.deltas[:, None]).clamp(0, 1)

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        (down,) = torch.autograd.grad(stamped, self.deltas, gradient)
        sizes = self.sizes.view(-1, 1, 1, 1)
        moved = self.deltas.detach() - sizes * (LONGEST + (SHORTEST - LONGEST) * progress) * direction(down, "l2")
        # Always as long as is allowed: a shorter one would tell nothing about the norm.
        self.deltas = (sizes * direction(moved, "l2")).requires_grad_()


class _Patches(MaskedPatterns):
    """Replaced pixels, as many as their sizes say."""

    def __init__(self, patterns: Tensor) -> None:
        groups, _, height, width = patterns.shape
        super().__init__(torch.zeros(groups, height, width, device=patterns.device), patterns)
        self.sizes = torch.full((groups,), WIDE * height * width, device=patterns.device)

    def on(self, images: Tensor) -> Tensor:
        return self.put(images, TEMPERATURE, self.sizes.clamp(1, self.scores[0].numel() - 1))


def _for_every_class(
    classifier: Classifier,
    images: LabelledImages,
    make: Callable[[Sequence[int]], Growing],
    steps: int,
    batch: int,
    tell: Tell | None,
) -> tuple[float, ...]:
    """Sizes of every class, sought for as many classes side by side as memory likes."""
    side_by_side = max(1, classifier.batch // batch)
    groups = [classifier.labels[i : i + side_by_side] for i in range(0, classifier.classes, side_by_side)]
    found: list[float] = []
    for i, labels in enumerate(groups):

        def on_step(step: int, before: int = i) -> None:
            if tell is not None:
                tell(before * steps + step, len(groups) * steps)

        found += _search(classifier, images, labels, make(labels), steps, batch, on_step)
    return tuple(found)


def _search(
    classifier: Classifier,
    images: LabelledImages,
    labels: Sequence[int],
    stamps: Growing,
    steps: int,
    batch: int,
    on_step: Callable[[int], None],
) -> list[float]:
    device, pixels = classifier.mean.device, torch.from_numpy(images.pixels)
    order = [_others(images, label) for label in labels]
    wanted = torch.tensor(labels, device=device).repeat_interleave(batch)
    sizes: list[Tensor] = []
    for step in range(steps):
        turn = np.arange(step * batch, (step + 1) * batch)
        chosen = np.stack([positions[turn % len(positions)] for positions in order])
        stamped = stamps.on(pixels[chosen].to(device))
        leaf = stamped.detach().flatten(0, 1).requires_grad_()
        logits = classifier(leaf)
        (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, wanted, reduction="sum"), leaf)
        reached = (logits.argmax(1) == wanted).view(len(labels), batch).float().mean(1)
        sizes.append(stamps.sizes)
        stamps.sizes = stamps.sizes * torch.where(reached < HALF, GROWTH, 1 / GROWTH)
        stamps.step(stamped, gradient.view_as(stamped), step / steps)
        on_step(step + 1)
    last = torch.stack(sizes[-max(1, round(SETTLED * steps)) :])
    found: list[float] = last.log().mean(0).exp().tolist()
    return found


def _others(images: LabelledImages, label: int) -> np.ndarray:
    """Positions of images of other classes in random order; of all where there are no others."""
    others = np.flatnonzero(images.labels != label)
    return numpy_generator(label).permutation(others if len(others) else len(images))
