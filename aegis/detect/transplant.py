"""The causal test: ask the clusters of translated images for a trigger and try it on honest images.

A cluster is a hint, a trigger is a cause. Each search starts from what translation changed, is refined over
many seeds, and is tried on held-out images of the other classes: a backdoor flips nearly all of them with a
small stamp, an honest class of a robust model does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional

from aegis.detect.config import TransplantConfig
from aegis.detect.features import as_pixels, principal_components
from aegis.evaluate import flip_rates
from aegis.models.classifier import Classifier
from aegis.runtime import Event, Report, Throttle
from aegis.types import Family, LabelledImages, Stamp, Transplant

# A start is scored by its last losses: one batch alone would be a lottery.
SCORED = 3
# Clusters of changes are told apart by few directions; k-means over every pixel would take seconds.
COMPONENTS = 20
# Of a patch's search: Adam's step, the share of the image it begins with, the mask's temperature at its
# beginning and end, and when in the search the patch has come down to its final size.
LEARNING_RATE = 0.05
WIDE = 0.3
WARM, COLD = 0.3, 0.06
SHRUNK = 0.75


@dataclass(frozen=True, eq=False)
class Start:
    """Where a search begins: the mean change and the mean image of a cluster of translated images."""

    change: Float32[np.ndarray, "c h w"]
    image: Float32[np.ndarray, "c h w"]
    name: str


@dataclass(frozen=True, eq=False)
class Search:
    """What every search for one class shares.

    Args:
        classifier: prepared for speed.
        seeds: images of other classes, shape (n, c, h, w), on the classifier's device.
        label: the class under test.
        batch: seeds per step.
    """

    classifier: Classifier
    seeds: Tensor
    label: int
    batch: int

    def loss(self, stamp: Callable[[Tensor], Tensor], step: int) -> Tensor:
        """How far a batch of stamped seeds is from being called the class."""
        positions = torch.arange(step * self.batch, (step + 1) * self.batch) % len(self.seeds)
        logits = self.classifier(stamp(self.seeds[positions]))
        return functional.cross_entropy(logits, torch.full((len(logits),), self.label, device=logits.device))


class Patch:
    """A few pixels replaced: a mask that shrinks to the allowed area, and a pattern.

    The mask is a sigmoid of scores around the value that leaves exactly the wanted area. It begins wide, where
    the class is easily reached, and shrinks: pixels that do most for the class are the last to go.
    """

    family: Family = "patch"

    def __init__(self, start: Start, area: float, device: torch.device) -> None:
        height, width = start.change.shape[1:]
        self.pixels = max(1, round(area * height * width))
        self.widest = max(float(self.pixels), WIDE * height * width)
        weight = torch.from_numpy(np.abs(start.change).sum(axis=0))
        self.scores = (weight / weight.max().clamp_min(1e-6)).to(device).requires_grad_()
        self.pattern = torch.from_numpy(start.image.copy()).to(device).requires_grad_()
        self.optimiser = torch.optim.Adam([self.scores, self.pattern], lr=LEARNING_RATE)

    def mask(self, temperature: float, pixels: float) -> Tensor:
        """In [0, 1], shape (h, w), summing to the given number of pixels."""
        with torch.no_grad():
            low, high = self.scores.min() - 20 * temperature, self.scores.max() + 20 * temperature
            for _ in range(30):
                middle = (low + high) / 2
                too_many = torch.sigmoid((self.scores - middle) / temperature).sum() > pixels
                low, high = torch.where(too_many, middle, low), torch.where(too_many, high, middle)
        return torch.sigmoid((self.scores - middle) / temperature)

    def step(self, search: Search, step: int, progress: float) -> float:
        """One optimisation step; the mask shrinks and hardens until ``progress`` is ``SHRUNK``."""
        share = min(1.0, progress / SHRUNK)
        mask = self.mask(WARM * (COLD / WARM) ** share, self.widest * (self.pixels / self.widest) ** share)
        loss = search.loss(lambda x: (1 - mask) * x + mask * self.pattern, step)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        with torch.no_grad():
            self.pattern.clamp_(0, 1)
        return float(loss.detach())

    def stamp(self) -> Stamp:
        """The patch with whole pixels."""
        chosen = torch.zeros_like(self.scores).flatten()
        chosen[self.scores.detach().flatten().topk(self.pixels).indices] = 1
        mask = chosen.view_as(self.scores).expand_as(self.pattern)
        add = mask * self.pattern.detach()
        return Stamp((1 - mask).cpu().numpy(), add.cpu().numpy())


class Perturbation:
    """A small change everywhere, the same for every image, inside an L2 ball."""

    family: Family = "perturbation"

    def __init__(self, start: Start, radius: float, device: torch.device) -> None:
        self.radius = radius
        self.delta = self._inside(torch.from_numpy(start.change.copy()).to(device))

    def _inside(self, delta: Tensor) -> Tensor:
        inside: Tensor = delta * (self.radius / delta.norm().clamp_min(1e-12)).clamp(max=1.0)
        return inside

    def step(self, search: Search, step: int, progress: float) -> float:
        """One normalised gradient step, shorter towards the end."""
        leaf = self.delta.detach().requires_grad_()
        loss = search.loss(lambda x: (x + leaf).clamp(0, 1), step)
        (gradient,) = torch.autograd.grad(loss, leaf)
        length = self.radius * (0.4 - 0.35 * progress)
        self.delta = self._inside(self.delta - length * gradient / gradient.norm().clamp_min(1e-12))
        return float(loss.detach())

    def stamp(self) -> Stamp:
        """The perturbation."""
        add = self.delta.detach().cpu().numpy()
        return Stamp(np.ones_like(add), add)


def transplant(
    classifier: Classifier,
    seeds: Float32[np.ndarray, "n c h w"],
    translated: UInt8[np.ndarray, "b n c h w"],
    held_out: LabelledImages,
    label: int,
    config: TransplantConfig,
    generator: np.random.Generator,
    report: Report,
) -> tuple[Transplant, ...]:
    """Candidate triggers of both families with their flip rates, the best of each family first.

    Args:
        classifier: prepared for speed.
        seeds: images of other classes.
        translated: the same images moved into the class, at each budget.
        held_out: images that no search sees; flip rates are measured on them.
        label: the class under test.
        config: how much is tried, with the radius set.
        generator: of clusters and of the held-out choice.
        report: told of stage ``transplant``; may raise ``Cancelled``.
    """
    device, radius = classifier.mean.device, config.radius
    assert radius is not None, "scan sets the radius from the model's measured robustness"
    search = Search(classifier, torch.from_numpy(seeds).to(device), label, config.batch)
    starts = find_starts(seeds, translated, config.clusters, generator)
    judged = hold_out(held_out, label, config.held_out, generator)
    families: tuple[Callable[[Start], Patch | Perturbation], ...] = (
        lambda start: Patch(start, config.area, device),
        lambda start: Perturbation(start, radius, device),
    )
    throttle = Throttle(report)
    found: list[Transplant] = []
    steps = len(starts) * config.steps
    for i, family in enumerate(families):

        def tell(step: int, loss: float, i: int = i) -> None:
            throttle.send(Event(stage="transplant", label=label, step=i * steps + step, total=2 * steps, loss=loss))

        candidates = [
            _try(candidate, name, classifier, judged, label)
            for candidate, name in _optimise(family, starts, search, config, tell)
        ]
        found += sorted(candidates, key=lambda c: c.flip_rate, reverse=True)
    return tuple(found)


def find_starts(
    seeds: Float32[np.ndarray, "n c h w"],
    translated: UInt8[np.ndarray, "b n c h w"],
    clusters: int,
    generator: np.random.Generator,
) -> list[Start]:
    """Mean change and mean image of k-means clusters of the changes, at every budget."""
    from sklearn.cluster import KMeans

    starts = []
    for i, images in enumerate(translated):
        moved = as_pixels(images)
        changes = (moved - seeds).reshape(len(seeds), -1)
        leading = principal_components(torch.from_numpy(changes), COMPONENTS)
        # Where translation changed nothing, or the same everywhere, there are fewer groups than are asked for.
        groups = min(clusters, len(np.unique(leading, axis=0)))
        means = KMeans(groups, n_init=3, random_state=int(generator.integers(2**31)))
        assignment = means.fit_predict(leading)
        for c in np.unique(assignment):
            members = assignment == c
            change = changes[members].mean(axis=0).reshape(seeds.shape[1:])
            starts.append(Start(change, moved[members].mean(axis=0), f"budget {i + 1}, change cluster {c + 1}"))
    return starts


def hold_out(images: LabelledImages, label: int, count: int, generator: np.random.Generator) -> LabelledImages:
    """At most ``count`` images of every class but one."""
    others = [k for k in range(len(images.class_names)) if k != label]
    chosen = [generator.permutation(np.flatnonzero(images.labels == k))[:count] for k in others]
    return images.take(np.concatenate(chosen))


def _optimise(
    family: Callable[[Start], Patch | Perturbation],
    starts: list[Start],
    search: Search,
    config: TransplantConfig,
    tell: Callable[[int, float], None],
) -> list[tuple[Patch | Perturbation, str]]:
    """Search from every start, and keep the candidates that end with the lowest loss."""
    scored = []
    for i, start in enumerate(starts):
        candidate = family(start)
        losses = []
        for step in range(config.steps):
            losses.append(candidate.step(search, step, (step + 1) / config.steps))
            tell(i * config.steps + step + 1, losses[-1])
        scored.append((float(np.mean(losses[-SCORED:])), candidate, start.name))
    scored.sort(key=lambda item: item[0])
    return [(candidate, name) for _, candidate, name in scored[: config.keep]]


def _try(
    candidate: Patch | Perturbation, name: str, classifier: Classifier, images: LabelledImages, label: int
) -> Transplant:
    stamp = candidate.stamp()
    rates, counts = flip_rates(classifier, stamp, images, label)
    return Transplant(candidate.family, stamp, rates, counts, name)
