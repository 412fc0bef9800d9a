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
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from aegis.attacks.patches import Patches
from aegis.attacks.stamps import Perturbations, Stamps, Start
from aegis.core.runtime import Event, Report, Throttle
from aegis.core.types import CandidateTrigger, Family, LabelledImages
from aegis.detect.bounds import at_once
from aegis.detect.optimise import Candidate, Frames, Search
from aegis.detect.sources import Seeds
from aegis.detect.starts import cluster_starts, noise_starts, source_starts
from aegis.detect.success import best_first, fooled_by_trigger_only, hold_out, witnesses
from aegis.metrics import predict
from aegis.models.classifier import Classifier
from aegis.records.config import TriggerSearchConfig

# Rounds of the source-specific search: shares of the usual steps, attempts that are left, as a share of the first, and
# how many times the usual seeds. Every round costs about the same.
ROUNDS = ((0.5, 1.0, 1), (0.5, 0.35, 2), (0.7, 0.2, 3))
# Families whose triggers are made for images of every other class.
EVERYWHERE: tuple[Family, ...] = ("patch", "perturbation")
S = TypeVar("S", bound=Stamps)


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
    drawn: Seeds | None = None,
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
        drawn: how the seeds were drawn; None for evenly, to search for source-specific triggers of every class.

    Returns:
        Candidate triggers, family by family, the most successful of each first.
    """
    drawn = drawn or Seeds(np.arange(len(seeds)), len(seeds))
    search = Search.of(
        classifier,
        seeds,
        sources,
        label,
        teller(report, label, 2 * config.steps + sum(_steps(config)) + 4 * config.refine_steps),
        drawn.evenly,
        drawn.sources,
    )
    changes = cluster_starts(seeds[: drawn.evenly], translated[:, : drawn.evenly], config.clusters, generator)
    noise = noise_starts(seeds.shape[1:], config.tiles, generator)
    everywhere = witnesses(len(held_out.class_names), label, generator)
    judged = hold_out(held_out, config.held_out, generator, sorted({*everywhere, *(drawn.sources or ())}))
    found: list[CandidateTrigger] = []
    alone = source_starts(seeds, sources, translated, search.by_source)
    said = predict(classifier, judged.pixels)
    for family, candidates in _sought(search, changes, alone, noise, config):
        chosen = fooled_by_trigger_only(family, said, judged.labels, label)
        if family in EVERYWHERE:
            # Of the classes that source-specific triggers are searched for, more are near than of others.
            chosen &= np.isin(judged.labels, everywhere)
        images = judged.take(chosen)
        found += best_first(search, family, candidates, images, config)
    return tuple(found)


def _sought(
    search: Search,
    changes: Sequence[Start],
    alone: Mapping[int, Sequence[Start]],
    noise: Sequence[Start],
    config: TriggerSearchConfig,
) -> Iterator[tuple[Family, list[Candidate]]]:
    """Runs the searches of each family in turn and gives their candidates."""
    yield from search_everywhere(search, changes, noise, config)
    area = config.area
    assert area is not None
    rows = search.by_source
    each = [Attempt(start, rows[k], k) for k in rows for start in [*alone[k], *noise]]
    share = config.source_specific_share * area
    # Some triggers are of one piece and some are not, so every second start of a source class favours the former.
    coherent = [i % 2 == 0 for k in rows for i in range(len(alone[k]) + len(noise))]
    patches = Patches.at([one.start for one in each], share, config.initial_area, search.seeds.device, coherent)
    patches, each = _halve(search, patches, each, config)
    patches, losses = _refined(search, patches, each, config.refine_steps, config.batch // 2)
    yield "source-specific", _best_first(patches, losses, each)
    best = sorted(range(len(each)), key=lambda i: losses[i])[: config.top_k]
    wider = patches.again(best, area)
    losses = search.refine(wider, search.everyone, config.refine_steps, config.batch, away=True)
    yield "all-to-all", _best_first(wider, losses, [Attempt(each[i].start, search.everyone) for i in best])


def search_everywhere(
    search: Search, changes: Sequence[Start], noise: Sequence[Start], config: TriggerSearchConfig
) -> Iterator[tuple[Family, list[Candidate]]]:
    """Searches for triggers that are made for images of every other class.

    Args:
        search: with the seeds.
        changes: starts from what translation changed.
        noise: further starts, of patches alone.
        config: settings of the search, with area and radius set.

    Yields:
        Each family with its best candidates, best first.
    """
    device, area, radius = search.seeds.device, config.area, config.radius
    assert area is not None, "the caller sets the area from what the model's classes need"
    assert radius is not None, "the caller sets the radius from what the model's classes need"
    everyone = [Attempt(start, search.everyone) for start in (*changes, *noise)]
    stamps: Stamps = Patches.at([one.start for one in everyone], area, config.initial_area, device)
    yield "patch", _survey(search, stamps, everyone, config.screening_batch, config)[1]
    # A perturbation covers the whole image from the first step on, so starts from noise at other places add nothing.
    stamps = Perturbations.at(changes, radius, device)
    yield "perturbation", _survey(search, stamps, everyone[: len(changes)], config.screening_batch, config)[1]


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
    stamps, losses = _refined(search, stamps, attempts, config.steps, seeds)
    best = sorted(range(len(attempts)), key=lambda i: losses[i])[: config.top_k]
    chosen = [attempts[i] for i in best]
    finer, losses = _refined(search, stamps.again(best), chosen, config.refine_steps, config.batch)
    return best, _best_first(finer, losses, chosen)


def _refined(
    search: Search,
    stamps: S,
    attempts: Sequence[Attempt],
    steps: int,
    batch: int,
    progress: tuple[float, float] = (0.0, 1.0),
) -> tuple[S, list[float]]:
    """Optimises stamps side by side, as many at once as fit into memory.

    Args:
        search, steps, batch, progress: as in ``Search.refine``.
        stamps: may be changed.
        attempts: one for each stamp.

    Returns:
        The optimised stamps, and the mean of the last losses of each.
    """
    positions = torch.cat([one.positions for one in attempts])
    most = at_once(batch, tuple(search.seeds.shape[1:]))
    if len(attempts) <= most:
        return stamps, search.refine(stamps, positions, steps, batch, progress=progress)
    parts, losses = [], []
    for chosen in torch.arange(len(attempts)).split(most):
        parts.append(stamps.some(chosen.tolist()))
        own = replace(search, tell=partial(search.tell, share=len(chosen) / len(attempts)))
        losses += own.refine(parts[-1], positions[chosen.tolist()], steps, batch, progress=progress)
    return stamps.joined(parts), losses


def _halve(
    search: Search, patches: Patches, attempts: Sequence[Attempt], config: TriggerSearchConfig
) -> tuple[Patches, list[Attempt]]:
    """Optimises all attempts, dropping the worst after every round while the others get more seeds.

    Returns:
        The best attempt of each source class, with its patch.

    Source: successive halving (Jamieson and Talwalkar 2016).
    """
    left, steps = list(attempts), _steps(config)
    for i, (_, _, times) in enumerate(ROUNDS):
        batch = times * config.source_screening_batch
        progress = (sum(steps[:i]) / sum(steps), sum(steps[: i + 1]) / sum(steps))
        patches, losses = _refined(search, patches, left, steps[i], batch, progress)
        last = i + 1 == len(ROUNDS)
        best = _most_promising(losses, left, 0 if last else round(ROUNDS[i + 1][1] * len(attempts)))
        left = [left[j] for j in best]
        patches = patches.again(best) if last else patches.some(best)
    return patches, left


def _most_promising(losses: Sequence[float], attempts: Sequence[Attempt], count: int) -> list[int]:
    """Selects attempts: the best of each source class, then the best of all, up to a count.

    Most source classes have no backdoor, so that the effort goes to those that may.

    Returns:
        Positions of the attempts.
    """
    ordered = sorted(range(len(losses)), key=lambda j: losses[j])
    best = {attempts[j].source: j for j in reversed(ordered)}
    first = [j for j in ordered if best[attempts[j].source] == j]
    others = [j for j in ordered if best[attempts[j].source] != j]
    return first + others[: max(0, count - len(first))]


def _steps(config: TriggerSearchConfig) -> list[int]:
    """Steps of each round of the source-specific search."""
    return [max(1, round(share * config.steps)) for share, _, _ in ROUNDS]


def _best_first(stamps: Stamps, losses: Sequence[float], attempts: Sequence[Attempt]) -> list[Candidate]:
    found = [
        Candidate(stamp, loss, one.start.name, one.source)
        for stamp, loss, one in zip(stamps.stamps(), losses, attempts, strict=True)
    ]
    return sorted(found, key=lambda candidate: candidate.loss)


def teller(report: Report, label: int, total: int) -> Callable[..., None]:
    """Creates a callback that counts steps over all searches.

    Args:
        report: receives events of stage ``search``.
        label: the class under test.
        total: number of all steps.
    """
    throttle, done = Throttle(report), 0.0

    def tell(losses: Tensor, show: Callable[[], Frames], share: float = 1.0) -> None:
        nonlocal done
        done += share
        step = round(done)
        # A loss is read from the device only when somebody is told, because reading waits for the device.
        if throttle.due(step, total):
            loss = float(losses.mean())
            report(Event(stage="search", label=label, step=step, total=total, loss=loss, frames=show()))

    return tell
