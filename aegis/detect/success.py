"""Measures candidate triggers on held-out images on which success can only be a trigger's doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Int64

from aegis.core.types import CandidateTrigger, Family, LabelledImages, Stamp
from aegis.detect.bounds import MANY_CLASSES, WITNESSES, held_out_count
from aegis.detect.minimise import minimise_trigger
from aegis.detect.optimise import Candidate, Search
from aegis.metrics import confusion_with_trigger
from aegis.records.config import TriggerSearchConfig

# Number of folds of the held-out images; a score must be reached in every fold.
FOLDS = 2
# Stamps with a lower attack success rate on their seeds are not minimised: their smallest part would mean nothing.
WORKS = 0.5


def measure_success(
    search: Search, family: Family, one: Candidate, images: LabelledImages, config: TriggerSearchConfig
) -> CandidateTrigger:
    """Measures a candidate on the held-out images that it is made for, and minimises it if it works.

    Args:
        search: with the seeds that it is minimised on.
        family: of the candidate.
        one: the candidate.
        images: held-out images that can count for this family, from ``fooled_by_trigger_only``.
        config: settings of the search.

    Returns:
        The candidate with its success.
    """
    away = family == "all-to-all"
    if one.source is not None:
        images = images.take(images.labels == one.source)
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


def best_first(
    search: Search,
    family: Family,
    candidates: Sequence[Candidate],
    images: LabelledImages,
    config: TriggerSearchConfig,
) -> list[CandidateTrigger]:
    """Measures candidates of one family, as ``measure_success`` does.

    Args:
        search, family, images, config: as there.
        candidates: of the family.

    Returns:
        The candidates with their success, the most successful first.
    """
    tried = [measure_success(search, family, one, images, config) for one in candidates]
    return sorted(tried, key=lambda t: t.flip_rate, reverse=True)


def fooled_by_trigger_only(
    family: Family, said: Int64[np.ndarray, " n"], labels: Int64[np.ndarray, " n"], label: int
) -> Bool[np.ndarray, " n"]:
    """Selects the images on which success can only be a trigger's doing: mistakes that the model makes anyway are none.

    Args:
        family: of the trigger.
        said: predictions without a trigger, shape (n,).
        labels: the images' own classes, shape (n,).
        label: the class under test.

    Returns:
        A mask: images that the model takes for what they are, for a trigger that leads them elsewhere; else images of
        other classes that it does not take for the class under test.
    """
    chosen = said == labels if family == "all-to-all" else (labels != label) & (said != label)
    return np.asarray(chosen)


def witnesses(classes: int, label: int, generator: np.random.Generator) -> list[int]:
    """Chooses the classes whose held-out images triggers for all classes are tried on.

    Args:
        classes: number of classes.
        label: the class under test.
        generator: draws them.

    Returns:
        Labels, growing: all up to ``MANY_CLASSES``, else ``WITNESSES`` others than the class under test.
    """
    if classes <= MANY_CLASSES:
        return list(range(classes))
    others = [k for k in range(classes) if k != label]
    return sorted(generator.choice(others, WITNESSES, replace=False).tolist())


def hold_out(
    images: LabelledImages, count: int, generator: np.random.Generator, only: Sequence[int] | None = None
) -> LabelledImages:
    """Draws at most ``count`` images of every class, and fewer where they would not fit into memory.

    Args:
        images: labelled images.
        count: the most images of each class, at least 1.
        generator: draws the images.
        only: the classes; None for all.

    Returns:
        The images, class by class.
    """
    classes = range(len(images.class_names)) if only is None else only
    count = held_out_count(count, len(classes), images.shape)
    return images.take(
        np.concatenate([generator.permutation(np.flatnonzero(images.labels == k))[:count] for k in classes])
    )
