"""Ranks many classes by how small a change leads images into them, at a few passes through the network each."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from aegis.attacks.universal import Tell, universal_areas, universal_radii
from aegis.core.runtime import Event, Report, Throttle, silent
from aegis.core.types import Dataset, LabelledImages
from aegis.detect.bounds import LARGE, fewer, measured_classes
from aegis.models.classifier import Classifier

# Images that a change of all of them is estimated on; of large ones no fewer than the second number.
ESTIMATED_ON, FEWEST = 8, 4
# The first step of the change, as a share of the norm that a linear network would need.
FIRST_STEP = 0.5
# Steps of a universal perturbation and of a patch, and images in each: of a short search, and of one as in ``assess``.
SHORT, WHOLE = (10, 15, 8), (40, 60, 16)
# Images that searches run on.
IMAGES = 300
# Classes that are measured again by more steps; of large images no fewer than the second number.
AGAIN, FEWEST_AGAIN = 30, 8
# Progress is reported in so many parts: the estimate, and norms and areas twice.
PARTS = 5
# Norms and areas of some classes, in their order.
Sizes = tuple[Sequence[float], Sequence[float]]


def screen(classifier: Classifier, data: Dataset, *, report: Report = silent) -> tuple[float, ...]:
    """Estimates how small a universal perturbation or patch leads images into each class.

    All classes are measured quickly, and the best of them again by more steps: of large images by an estimate from two
    gradients and then by a short search, of others by these two together and then by a whole one.

    Args:
        classifier: the model, prepared by ``Classifier.frozen`` for few calls.
        data: the data set; its test split is used.
        report: receives events of stage ``rank``; may raise ``Cancelled``.

    Returns:
        The smaller one of norm and area by label, each as a share of an ordinary class's; of classes that were not
        measured again more than of all that were.
    """
    throttle = Throttle(report)

    def tell(part: int, step: int, steps: int) -> None:
        throttle.send(Event(stage="rank", step=part * steps + step, total=PARTS * steps))

    images, labels = data.test.spread(IMAGES), list(classifier.labels)
    large, ordinary = images.shape[1] * images.shape[2] > LARGE, measured_classes(len(labels), images.shape)
    estimate = Estimate(classifier, images.spread(fewer(ESTIMATED_ON, FEWEST, images.shape)), ordinary)
    start = statistics.median_high(estimate.of(ordinary)[0])
    quick = relative_sizes(*estimate.of(labels, partial(tell, 0)), ordinary)
    if not large:
        found = searched(classifier, images, start, labels, SHORT, lambda part, *done: tell(1 + part, *done))
        quick = tuple(map(min, quick, relative_sizes(*found, ordinary)))
    best = sorted(labels, key=lambda k: quick[k])[: fewer(AGAIN, FEWEST_AGAIN, images.shape)]
    again = sorted({*best, *ordinary})
    steps = SHORT if large else WHOLE
    found = searched(classifier, images, start, again, steps, lambda part, *done: tell(3 + part, *done))
    sizes = relative_sizes(*found, [again.index(k) for k in ordinary])
    finer, worst = dict(zip(again, sizes, strict=True)), max(sizes)
    return tuple(finer.get(k, round(worst + size, 4)) for k, size in enumerate(quick))


def searched(
    classifier: Classifier,
    images: LabelledImages,
    start: float,
    labels: Sequence[int],
    steps: tuple[int, int, int],
    tell: Callable[[int, int, int], None] = lambda part, step, steps: None,
) -> Sizes:
    """Measures norms and areas by universal searches.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        images: images that the searches run on.
        start: L2 norm that searches start with, above 0.
        labels: the classes.
        steps: of perturbations and of patches, and images of each class in a step.
        tell: called with 0 or 1 for the search that runs, the steps done and all steps.

    Returns:
        Norms and areas in the order of the labels.
    """
    radius_steps, area_steps, batch = steps
    how: Mapping[str, Any] = {"batch": batch, "labels": labels}
    radii = universal_radii(classifier, images, start, steps=radius_steps, tell=partial(tell, 0), **how)
    return radii, universal_areas(classifier, images, steps=area_steps, tell=partial(tell, 1), **how)


def relative_sizes(
    radii: Sequence[float], areas: Sequence[float], ordinary: Sequence[int] | None = None
) -> tuple[float, ...]:
    """Computes how small a change leads images into each class.

    Args:
        radii, areas: norms of universal perturbations and areas of universal patches, of the same classes.
        ordinary: positions of the classes whose median stands for an ordinary one; None for all.

    Returns:
        For each class the smaller one of norm and area, each as a share of the ordinary class's.
    """
    chosen = range(len(radii)) if ordinary is None else ordinary
    norm, area = (statistics.median_high([values[i] for i in chosen]) for values in (radii, areas))
    return tuple(round(min(r / norm, a / area), 4) for r, a in zip(radii, areas, strict=True))


class Estimate:
    """Estimates universal changes as if the network were linear: around images, and around them one step further.

    Args:
        classifier: the model.
        images: a few images.
        ordinary: classes whose median first estimate decides the length of the step.
    """

    def __init__(self, classifier: Classifier, images: LabelledImages, ordinary: Sequence[int]) -> None:
        device = classifier.mean.device
        self.classifier, self.labels = classifier, torch.from_numpy(images.labels).to(device)
        self.pixels = torch.from_numpy(images.pixels).to(device)
        self.leaf = self.pixels.clone().requires_grad_()
        # One way forwards serves the gradients of all classes.
        self.logits = classifier(self.leaf)
        norms = [self._norm(*self._gradient(self.leaf, self.logits, k)) for k in ordinary]
        self.step = FIRST_STEP * statistics.median_high(norms)

    def of(self, labels: Sequence[int], tell: Tell = lambda step, steps: None) -> Sizes:
        """Estimates norms and areas.

        Args:
            labels: the classes.
            tell: called with the classes done and all of them.

        Returns:
            Norms and areas in the order of the labels.
        """
        norms, areas = [], []
        for i, label in enumerate(labels, 1):
            _, gradients = self._gradient(self.leaf, self.logits, label)
            mean = gradients.mean(0)
            moved = (self.pixels - self.step * mean / mean.norm().clamp_min(1e-12)).clamp(0, 1).requires_grad_()
            margin, gradients = self._gradient(moved, self.classifier(moved), label)
            norms.append(self._norm(margin, gradients))
            areas.append(_area(margin, gradients, moved.detach()[self.labels != label]))
            tell(i, len(labels))
        return norms, areas

    def _gradient(self, leaf: Tensor, logits: Tensor, label: int) -> tuple[float, Tensor]:
        """Mean margin by which images of other classes are not the class, and its gradient for each of them."""
        margins = logits.gather(1, self.labels[:, None])[:, 0] - logits[:, label]
        others = self.labels != label
        (gradient,) = torch.autograd.grad(margins[others].sum(), leaf, retain_graph=True)
        return max(float(margins.detach()[others].mean()), 1e-6), gradient[others]

    def _norm(self, margin: float, gradients: Tensor) -> float:
        return margin / max(float(gradients.mean(0).norm()), 1e-12)


def _area(margin: float, gradients: Tensor, pixels: Tensor) -> float:
    """Share of the pixels that close the margin where each becomes black or white in all images."""
    lighter, darker = -(gradients * (1 - pixels)).mean(0), (gradients * pixels).mean(0)
    gains = torch.maximum(lighter, darker).sum(0).flatten().clamp_min(0).sort(descending=True).values.cumsum(0)
    if float(gains[-1]) < margin:
        # All pixels together do not suffice, but may come near.
        return margin / max(float(gains[-1]), 1e-12)
    return (int((gains < margin).sum()) + 1) / len(gains)
