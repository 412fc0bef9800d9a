"""Trigger inversion: optimises candidate triggers and measures their success on held-out benign images.

Searches start from the changes that translation made, and from noise. They are optimised on seed images and then
applied to held-out benign images: the trigger of a backdoor succeeds on nearly all images that it is made for, while no
small trigger does so for a benign class of a robust model. Backdoors differ in the images that they are made for, and
so do the families of searches: images of every other class, images of one source class, or every class at once, each
led to another.
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

# Number of last losses that are averaged to score a stamp, because the loss of one batch is too noisy.
SCORED = 3
# Number of folds of the held-out images; a score must be reached in every fold.
FOLDS = 2
# Stamps with a lower attack success rate on their seeds are not minimised: their smallest part would mean nothing.
WORKS = 0.5


@dataclass(frozen=True, eq=False)
class Candidate:
    """A stamp that a search found.

    Args:
        stamp: the stamp.
        loss: mean of its last losses.
        start: where the search started, in words.
        source: the only class that the stamp is made for, or None.
    """

    stamp: Stamp
    loss: float
    start: str
    source: int | None = None


@dataclass(frozen=True, eq=False)
class Search:
    """Holds what all searches for one class share.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        seeds: images of other classes in [0, 1], shape (n, c, h, w), on the classifier's device.
        sources: their classes, shape (n,), on the same device.
        label: the class under test.
        tell: called with the mean loss after each step.
    """

    classifier: Classifier
    seeds: Tensor
    sources: Tensor
    label: int
    tell: Callable[[float], None]

    def refine(self, stamps: Stamps, positions: Tensor, steps: int, batch: int, away: bool = False) -> list[float]:
        """Optimises stamps side by side.

        Args:
            stamps: g stamps, changed in place.
            positions: positions of the seeds that each stamp is optimised on, shape (g, m), or (1, m) for all the same.
            steps: number of steps, at least 1.
            batch: seeds of each stamp in each step, at least 1.
            away: whether to lead each image away from its own class, instead of all into the class under test.

        Returns:
            Mean of the last losses of each stamp, length g.
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
        """Computes the loss and gradient of each image, in parts that fit the classifier's batch."""
        parts = []
        for x, y in zip(images.split(self.classifier.batch), labels.split(self.classifier.batch), strict=True):
            leaf = x.requires_grad_()
            logits = self.classifier(leaf)
            losses = _away(logits, y) if away else _towards(logits, self.label)
            parts.append((losses.detach(), *torch.autograd.grad(losses.sum(), leaf)))
        each, gradients = zip(*parts, strict=True)
        return torch.cat(each), torch.cat(gradients)

    def success(self, stamp: Stamp, positions: Tensor, away: bool) -> float:
        """Measures the attack success rate of a stamp on seeds.

        Args:
            stamp: the stamp.
            positions: positions of the seeds, shape (m,).
            away: whether any class but the image's own counts as success, instead of the class under test only.

        Returns:
            The share of successes, in [0, 1].
        """
        said = torch.from_numpy(predict(self.classifier, stamp(self.seeds[positions].cpu().numpy())))
        led = said != self.sources[positions].cpu() if away else said == self.label
        return float(led.float().mean())

    @property
    def everyone(self) -> Tensor:
        """Positions of all seeds, shape (1, n)."""
        return torch.arange(len(self.seeds), device=self.seeds.device)[None]

    @property
    def by_source(self) -> dict[int, Tensor]:
        """For each source class, positions of its seeds, each of shape (1, m); seeds of rarer classes are repeated."""
        rows = {k: torch.nonzero(self.sources == k)[:, 0] for k in sorted(set(self.sources.tolist()))}
        most = torch.arange(max(map(len, rows.values())), device=self.sources.device)
        return {k: row[most % len(row)][None] for k, row in rows.items()}


def _towards(logits: Tensor, label: int) -> Tensor:
    return functional.cross_entropy(logits, torch.full((len(logits),), label, device=logits.device), reduction="none")


def _away(logits: Tensor, labels: Tensor) -> Tensor:
    """Computes -log(1 - p) for the model's probability p of the label, shape (n,)."""
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
    """Optimises candidate triggers of every family and measures their success on held-out benign images.

    Args:
        classifier: the model, prepared by ``Classifier.frozen``.
        seeds: images of other classes in [0, 1], shape (n, c, h, w).
        sources: their classes, shape (n,).
        translated: the same images translated into the class at each budget, as 8-bit pictures, shape (b, n, c, h, w).
        held_out: images that no search uses, on which success is measured.
        label: the class under test.
        config: settings of the search, with area and radius set.
        generator: draws the k-means seeds, the noise and the held-out images.
        report: receives events of stage ``search``; may raise ``Cancelled``.

    Returns:
        Candidate triggers, family by family, the most successful of each first.
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
    """Runs the searches of each family in turn and gives their candidates."""
    device, area, radius = search.seeds.device, config.area, config.radius
    assert area is not None, "scan sets the area from what the model's classes need"
    assert radius is not None, "scan sets the radius from what the model's classes need"
    everyone = [Attempt(start, search.everyone) for start in (*changes, *noise)]
    stamps: Stamps = Patches.at([one.start for one in everyone], area, config.initial_area, device)
    yield "patch", _survey(search, stamps, everyone, config.screening_batch, config)[1]
    # A perturbation covers the whole image from the first step on, so starts from noise at other places add nothing.
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
    """One start of a search, with the seeds it is optimised on.

    Args:
        start: the starting point.
        positions: positions of the seeds, shape (1, m).
        source: the only class of these seeds, or None.
    """

    start: Start
    positions: Tensor
    source: int | None = None


def _survey(
    search: Search, stamps: Stamps, attempts: Sequence[Attempt], seeds: int, config: TriggerSearchConfig
) -> tuple[list[int], list[Candidate]]:
    """Optimises all attempts with small batches, then continues the best of them with larger ones.

    Returns:
        Positions of the best attempts, and their candidates.
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
    """Measures a candidate on the held-out images that it is made for, and minimises it if it works."""
    away = family == "all-to-all"
    if one.source is not None:
        images = images.take(images.labels == one.source)
    elif not away:
        images = images.take(images.labels != search.label)
    # With a single image there is a single fold.
    folds = [images.take(np.arange(i, len(images), FOLDS)) for i in range(min(FOLDS, len(images)))]

    def tried(stamp: Stamp) -> CandidateTrigger:
        confusion = np.stack([confusion_with_trigger(search.classifier, stamp, fold) for fold in folds])
        return CandidateTrigger(family, search.label, stamp, confusion, one.start, one.source)

    whole = tried(one.stamp)
    seeds = search.everyone[0] if one.source is None else torch.nonzero(search.sources == one.source)[:, 0]
    positions = seeds[: config.minimised_on]
    if search.success(one.stamp, positions, away) < WORKS:
        return whole
    smallest = minimise_trigger(one.stamp, lambda stamp: search.success(stamp, positions, away), config.minimised_share)
    return replace(whole, smallest=smallest, smallest_rate=tried(smallest).flip_rate)


def hold_out(images: LabelledImages, count: int, generator: np.random.Generator) -> LabelledImages:
    """Draws at most ``count`` images of every class.

    Args:
        images: labelled images.
        count: the most images of each class, at least 1.
        generator: draws the images.

    Returns:
        The images, class by class.
    """
    classes = range(len(images.class_names))
    return images.take(
        np.concatenate([generator.permutation(np.flatnonzero(images.labels == k))[:count] for k in classes])
    )


def _teller(report: Report, label: int, config: TriggerSearchConfig) -> Callable[[float], None]:
    """Creates a callback that counts steps over all searches: three screenings, and a refinement for each family."""
    throttle, total, done = Throttle(report), 3 * config.steps + 4 * config.refine_steps, 0

    def tell(loss: float) -> None:
        nonlocal done
        done += 1
        throttle.send(Event(stage="search", label=label, step=done, total=total, loss=loss))

    return tell
