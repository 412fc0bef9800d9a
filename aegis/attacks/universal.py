"""Measures, for every class, how large a universal perturbation or patch must be to turn other images into it.

Every class of a benign model is reached by some universal perturbation and some patch, whose sizes differ several-fold
between data sets. They set the scale: a backdoor's trigger is small compared with what other classes need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aegis.attacks.descent import carried_back
from aegis.attacks.patches import MaskedPatterns
from aegis.attacks.pgd import direction
from aegis.core.runtime import numpy_generator
from aegis.core.types import LabelledImages
from aegis.models.classifier import Classifier

# Sizes grow while fewer than this share of the images are predicted as the class, and shrink while more are.
HALF = 0.5
GROWTH = 1.1
# Sizes oscillate around the result, so the last ones are averaged: this share of all steps.
SETTLED = 0.25
# Length of a perturbation's first and last step, as shares of its norm.
LONGEST, SHORTEST = 0.28, 0.03
# A patch's initial area as a share of the image, and the temperature of its mask.
WIDE, TEMPERATURE = 0.2, 0.1

Tell = Callable[[int, int], None]


@runtime_checkable
class Growing(Protocol):
    """A stamp for each of several classes, with sizes that the search changes."""

    sizes: Tensor

    def on(self, images: Tensor) -> Tensor:
        """Applies each stamp to its images.

        Args:
            images: images in [0, 1], shape (g, n, c, h, w).

        Returns:
            The changed images, shape (g, n, c, h, w).
        """

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        """Takes one optimisation step to lower the loss of each stamp's images.

        Args:
            stamped: the images that ``on`` returned, shape (g, n, c, h, w).
            gradient: gradient of the loss with respect to them, of the same shape.
            progress: progress of the search, in [0, 1).
        """


def universal_radii(
    classifier: Classifier,
    images: LabelledImages,
    start: float,
    *,
    steps: int,
    batch: int,
    tell: Tell | None = None,
    labels: Sequence[int] | None = None,
) -> tuple[float, ...]:
    """Measures, for every class, the L2 norm at which one universal perturbation turns half of the other images into
    it.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: images on which the perturbations are optimised; they are used for nothing else.
        start: L2 norm that the search starts with, above 0.
        steps: number of steps, at least 1.
        batch: images per class in each step, at least 1.
        tell: called after each step with the number of steps done and of all steps.
        labels: the classes; None for all, k of them.

    Returns:
        L2 norms in the order of the labels, length k.

    Source: universal perturbations (Moosavi-Dezfooli et al. 2017), with the norm adapted as by Rony et al. (2019).
    """

    def make(labels: Sequence[int]) -> Growing:
        return _Perturbations(torch.zeros(len(labels), *images.shape, device=classifier.mean.device), start)

    return _for_every_class(classifier, images, labels, make, steps, batch, tell)


def universal_areas(
    classifier: Classifier,
    images: LabelledImages,
    *,
    steps: int,
    batch: int,
    tell: Tell | None = None,
    labels: Sequence[int] | None = None,
) -> tuple[float, ...]:
    """Measures, for every class, the share of pixels at which one universal patch turns half of the other images into
    it.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: images on which the patches are optimised; they are used for nothing else.
        steps: number of steps, at least 1.
        batch: images per class in each step, at least 1.
        tell: called after each step with the number of steps done and of all steps.
        labels: the classes; None for all, k of them.

    Returns:
        Shares in (0, 1] in the order of the labels, length k.

    Source: adversarial patches (Brown et al. 2017), with an area that adapts.
    """

    def make(labels: Sequence[int]) -> Growing:
        noise = np.stack([numpy_generator(label).random(images.shape, np.float32) for label in labels])
        return _Patches(torch.from_numpy(noise).to(classifier.mean.device))

    _, height, width = images.shape
    sizes = _for_every_class(classifier, images, labels, make, steps, batch, tell)
    return tuple(min(1.0, size / (height * width)) for size in sizes)


class _Perturbations:
    """Universal perturbations whose sizes are their L2 norms."""

    def __init__(self, deltas: Tensor, start: float) -> None:
        self.deltas = deltas.requires_grad_()
        self.sizes = torch.full((len(deltas),), start, device=deltas.device)

    def on(self, images: Tensor) -> Tensor:
        return (images + self.deltas[:, None]).clamp(0, 1)

    def step(self, stamped: Tensor, gradient: Tensor, progress: float) -> None:
        (down,) = carried_back(stamped, gradient, [self.deltas])
        sizes = self.sizes.view(-1, 1, 1, 1)
        moved = self.deltas.detach() - sizes * (LONGEST + (SHORTEST - LONGEST) * progress) * direction(down, "l2")
        # The perturbation always has the full norm: a shorter one would not show what this norm achieves.
        self.deltas = (sizes * direction(moved, "l2")).requires_grad_()


class _Patches(MaskedPatterns):
    """Universal patches whose sizes are their areas in pixels."""

    def __init__(self, patterns: Tensor) -> None:
        groups, _, height, width = patterns.shape
        super().__init__(torch.zeros(groups, height, width, device=patterns.device), patterns)
        self.sizes = torch.full((groups,), WIDE * height * width, device=patterns.device)

    def on(self, images: Tensor) -> Tensor:
        return self.put(images, TEMPERATURE, self.sizes.clamp(1, self.scores[0].numel() - 1))


def _for_every_class(
    classifier: Classifier,
    images: LabelledImages,
    labels: Sequence[int] | None,
    make: Callable[[Sequence[int]], Growing],
    steps: int,
    batch: int,
    tell: Tell | None,
) -> tuple[float, ...]:
    """Searches the sizes of all classes, as many side by side as the classifier's batch allows."""
    side_by_side = max(1, classifier.batch // batch)
    wanted = classifier.labels if labels is None else labels
    groups = [wanted[i : i + side_by_side] for i in range(0, len(wanted), side_by_side)]
    found: list[float] = []
    for i, group in enumerate(groups):

        def on_step(step: int, before: int = i) -> None:
            if tell is not None:
                tell(before * steps + step, len(groups) * steps)

        found += _search(classifier, images, group, make(group), steps, batch, on_step)
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
    """Positions of images of other classes in random order; of all images where there are no others."""
    others = np.flatnonzero(images.labels != label)
    return numpy_generator(label).permutation(others if len(others) else len(images))
