"""The causal test: ask the clusters of translated images for a trigger and try it on benign images.

A cluster is a hint, a trigger is a cause. Searches start from what translation changed, and from noise where it
changed nothing; they are refined over many seeds, and what they come to is tried on held-out images: a backdoor
flips nearly all that it is made for with a small stamp, a benign class of a robust model does not. Backdoors differ
in whom they are made for, and so do the searches: images of every other class, images of one class alone, or every
class at once, each led to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from aegis.attacks.stamps import Patches, Perturbations, Stamps, Start
from aegis.core.runtime import Event, Report, Throttle
from aegis.core.types import CandidateTrigger, Family, LabelledImages, Stamp
from aegis.detect.minimise import minimise_trigger
from aegis.detect.starts import cluster_starts, noise_starts, source_starts
from aegis.metrics import confusion_with_trigger, predict
from aegis.models.classifier import Classifier
from aegis.records.config import TriggerSearchConfig

# A stamp is scored by its last losses: one batch alone would be a lottery.
SCORED = 3
# Held-out images are judged in so many folds, and a score is what every fold shows.
FOLDS = 2
# Below this share of its seeds a stamp does not work, and its smallest part would mean nothing.
WORKS = 0.5


@dataclass(frozen=True, eq=False)
class Candidate:
    """A stamp that a search came to, with its last loss, where it began, and the only class it is for."""

    stamp: Stamp
    loss: float
    start: str
    source: int | None = None


@dataclass(frozen=True, eq=False)
class Search:
    """What every search for one class shares.

    Args:
        classifier: prepared for speed.
        seeds: images of other classes, shape (n, c, h, w), on the classifier's device.
        sources: their classes, shape (n,), on the same.
        label: the class under test.
        tell: is told the mean loss after each step.
    """

    classifier: Classifier
    seeds: Tensor
    sources: Tensor
    label: int
    tell: Callable[[float], None]

    def refine(self, stamps: Stamps, positions: Tensor, steps: int, batch: int, away: bool = False) -> list[float]:
        """Refine stamps side by side, and give the last loss of each.

        Args:
            stamps: g of them.
            positions: of the seeds that each is refined on, shape (g, m), or (1, m) for all the same.
            steps: so many.
            batch: seeds of each stamp in a step.
            away: lead each image away from its own class, instead of all into the class under test.
        """
        last: list[Tensor] = []
        for step in range(steps):
            turn = torch.arange(step * batch, (step + 1) * batch) % positions.shape[1]
            chosen = positions[:, turn]
            stamped = stamps.on(self.seeds[chosen], (step + 1) / steps)
            labels = self.sources[chosen].expand(len(stamped), -1).flatten()
            each, gradient = self._down(stamped.detach().flatten(0, 1), labels, away)
            losses = each.view(len(stamped), -1).mean(1)
            stamps.step(stamped, gradient.view_as(stamped), (step + 1) / steps)
            last = [*last[1 - SCORED :], losses]
            self.tell(float(losses.mean()))
        means: list[float] = torch.stack(last).mean(0).tolist()
        return means

    def _down(self, images: Tensor, labels: Tensor, away: bool) -> tuple[Tensor, Tensor]:
        """The loss of each image and its gradient, by as many images at a time as memory likes."""
        parts = []
        for x, y in zip(images.split(self.classifier.batch), labels.split(self.classifier.batch), strict=True):
            leaf = x.requires_grad_()
            logits = self.classifier(leaf)
            losses = _away(logits, y) if away else _towards(logits, self.label)
            parts.append((losses.detach(), *torch.autograd.grad(losses.sum(), leaf)))
        each, gradients = zip(*parts, strict=True)
        return torch.cat(each), torch.cat(gradients)

    def success(self, stamp: Stamp, positions: Tensor, away: bool) -> float:
        """Share of seeds that a stamp leads where it should."""
        said = torch.from_numpy(predict(self.classifier, stamp(self.seeds[positions].cpu().numpy())))
        led = said != self.sources[positions].cpu() if away else said == self.label
        return float(led.float().mean())

    @property
    def everyone(self) -> Tensor:
        """Positions of all seeds, shape (1, n)."""
        return torch.arange(len(self.seeds), device=self.seeds.device)[None]

    @property
    def by_source(self) -> dict[int, Tensor]:
        """Positions of as many seeds of each source class, each of shape (1, m); those of rare classes come again."""
        rows = {k: torch.nonzero(self.sources == k)[:, 0] for k in sorted(set(self.sources.tolist()))}
        most = torch.arange(max(map(len, rows.values())), device=self.sources.device)
        return {k: row[most % len(row)][None] for k, row in rows.items()}


def _towards(logits: Tensor, label: int) -> Tensor:
    return functional.cross_entropy(logits, torch.full((len(logits),), label, device=logits.device), reduction="none")


def _away(logits: Tensor, labels: Tensor) -> Tensor:
    """Minus the logarithm of how little the model believes in the label, shape (n,)."""
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], float("-inf")).logsumexp(1)
    return functional.softplus(own - others)


def search_triggers(
    classifier: Classifier,
    seeds: Float32[np.ndarray, "n c h w"],
    sources: Int64[np.ndarray, " n"],
    translated: UInt8[np.ndarray, "b n c h w"],
    held_out: LabelledImages,
    label: int,
    config: TriggerSearchConfig,
    generator: np.random.Generator,
    report: Report,
) -> tuple[CandidateTrigger, ...]:
    """Candidate triggers of every family, tried on held-out images; the best of each family come first.

    Args:
        classifier: prepared for speed.
        seeds: images of other classes.
        sources: their classes.
        translated: the same images moved into the class, at each budget.
        held_out: images that no search sees; what stamps do is measured on them.
        label: the class under test.
        config: how much is tried, with area and radius set.
        generator: of clusters, of noise and of the held-out choice.
        report: told of stage ``search``; may raise ``Cancelled``.
    """
    device = classifier.mean.device
    search = Search(
        classifier,
        torch.from_numpy(seeds).to(device),
        torch.from_numpy(sources).to(device),
        label,
        _teller(report, label, config),
    )
    changes = cluster_starts(seeds, translated, config.clusters, generator)
    noise = noise_starts(seeds.shape[1:], config.tiles, generator)
    judged = hold_out(held_out, config.held_out, generator)
    found: list[CandidateTrigger] = []
    alone = source_starts(seeds, sources, translated)
    for family, candidates in _sought(search, changes, alone, noise, config):
        tried = [_try(search, family, one, judged, config) for one in candidates]
        found += sorted(tried, key=lambda t: t.flip_rate, reverse=True)
    return tuple(found)


def _sought(
    search: Search,
    changes: Sequence[Start],
    alone: Mapping[int, Sequence[Start]],
    noise: Sequence[Start],
    config: TriggerSearchConfig,
) -> Iterator[tuple[Family, list[Candidate]]]:
    """The families in turn, each with what its searches came to."""
    device, area, radius = search.seeds.device, config.area, config.radius
    assert area is not None, "scan sets the area from what the model's classes need"
    assert radius is not None, "scan sets the radius from what the model's classes need"
    everyone = [Attempt(start, search.everyone) for start in (*changes, *noise)]
    stamps: Stamps = Patches.at([one.start for one in everyone], area, config.initial_area, device)
    yield "patch", _survey(search, stamps, everyone, config.screening_batch, config)[1]
    # Unlike a patch, it is everywhere from the first step on, and has nowhere else to be looked for.
    stamps = Perturbations.at(changes, radius, device)
    yield "perturbation", _survey(search, stamps, everyone[: len(changes)], config.screening_batch, config)[1]
    rows = search.by_source
    each = [Attempt(start, rows[k], k) for k in rows for start in [*alone[k], *noise]]
    patches = Patches.at([one.start for one in each], config.source_specific_share * area, config.initial_area, device)
    best, candidates = _survey(search, patches, each, config.source_screening_batch, config)
    yield "source-specific", candidates
    wider = patches.again(best, area)
    losses = search.refine(wider, search.everyone, config.refine_steps, config.batch, away=True)
    yield "all-to-all", _best_first(wider, losses, [Attempt(each[i].start, search.everyone) for i in best])


@dataclass(frozen=True, eq=False)
class Attempt:
    """A start with positions of the seeds that it is refined on, shape (1, m), and the only class they are of."""

    start: Start
    positions: Tensor
    source: int | None = None


def _survey(
    search: Search, stamps: Stamps, attempts: Sequence[Attempt], seeds: int, config: TriggerSearchConfig
) -> tuple[list[int], list[Candidate]]:
    """Every attempt with few seeds a step, side by side; then the best are refined on with more of them.

    Returns:
        Positions of the best attempts, and what became of these.
    """
    losses = search.refine(stamps, torch.cat([one.positions for one in attempts]), config.steps, seeds)
    best = sorted(range(len(attempts)), key=lambda i: losses[i])[: config.top_k]
    chosen, finer = [attempts[i] for i in best], stamps.again(best)
    losses = search.refine(finer, torch.cat([one.positions for one in chosen]), config.refine_steps, config.batch)
    return best, _best_first(finer, losses, chosen)


def _best_first(stamps: Stamps, losses: Sequence[float], attempts: Sequence[Attempt]) -> list[Candidate]:
    found = [
        Candidate(stamp, loss, one.start.name, one.source)
        for stamp, loss, one in zip(stamps.stamps(), losses, attempts, strict=True)
    ]
    return sorted(found, key=lambda candidate: candidate.loss)


def _try(
    search: Search, family: Family, one: Candidate, images: LabelledImages, config: TriggerSearchConfig
) -> CandidateTrigger:
    """A candidate on the held-out images that it is for, and its smallest part if it works."""
    away = family == "all-to-all"
    if one.source is not None:
        images = images.take(images.labels == one.source)
    elif not away:
        images = images.take(images.labels != search.label)
    # A class with one image alone leaves the second fold without any.
    folds = [images.take(np.arange(i, len(images), FOLDS)) for i in range(min(FOLDS, len(images)))]

    def tried(stamp: Stamp) -> CandidateTrigger:
        called = np.stack([confusion_with_trigger(search.classifier, stamp, fold) for fold in folds])
        return CandidateTrigger(family, search.label, stamp, called, one.start, one.source)

    whole = tried(one.stamp)
    seeds = search.everyone[0] if one.source is None else torch.nonzero(search.sources == one.source)[:, 0]
    positions = seeds[: config.minimised_on]
    if search.success(one.stamp, positions, away) < WORKS:
        return whole
    smallest = minimise_trigger(one.stamp, lambda stamp: search.success(stamp, positions, away), config.minimised_share)
    return replace(whole, smallest=smallest, smallest_rate=tried(smallest).flip_rate)


def hold_out(images: LabelledImages, count: int, generator: np.random.Generator) -> LabelledImages:
    """At most ``count`` images of every class."""
    classes = range(len(images.class_names))
    return images.take(
        np.concatenate([generator.permutation(np.flatnonzero(images.labels == k))[:count] for k in classes])
    )


def _teller(report: Report, label: int, config: TriggerSearchConfig) -> Callable[[float], None]:
    """Counts steps over all searches: three surveys, and a finish for every family."""
    throttle, total, done = Throttle(report), 3 * config.steps + 4 * config.refine_steps, 0

    def tell(loss: float) -> None:
        nonlocal done
        done += 1
        throttle.send(Event(stage="search", label=label, step=done, total=total, loss=loss))

    return tell
