"""At which rank a triage has the target of a backdoor, by each number that classes could be ranked by."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aegis.core.types import Dataset
from aegis.detect.screen import ESTIMATED_ON, IMAGES, SHORT, Estimate, relative_sizes, searched
from aegis.experiments.detection_rates import WORKS
from aegis.lab.bank.record import BankRecord
from aegis.models.classifier import Classifier
from aegis.records.record import ScanRecord

# Ranks whose share is reported.
TOP = (1, 2, 3)


@dataclass(frozen=True)
class Placed:
    """Where the target of one suspect came.

    Args:
        suspect: its name.
        data: name of its data set.
        made_for: *every class*, or *one class*, whose images alone the trigger is made for.
        classes: number of classes.
        ranks: by the name of each number, the rank of the target, from 1; the best one of several targets.
    """

    suspect: str
    data: str
    made_for: str
    classes: int
    ranks: Mapping[str, int]


@dataclass(frozen=True)
class Recall:
    """How well one number ranks targets.

    Args:
        made_for: as in ``Placed``.
        number: its name.
        models: number of suspects.
        mean, worst: of the ranks.
        top: share of suspects whose target is among the first, for each of ``TOP``, in [0, 1].
    """

    made_for: str
    number: str
    models: int
    mean: float
    worst: int
    top: tuple[float, ...]


def place(suspect: BankRecord, scan: ScanRecord, more: Mapping[str, Sequence[float]] | None = None) -> Placed | None:
    """Ranks the classes of a suspect.

    Args:
        suspect: record of the suspect, with the truth.
        scan: a scan of it, whose measurements of all classes are taken.
        more: other numbers by name, or None.

    Returns:
        The ranks of its target; None without a working trigger that leads to one class.
    """
    working = [t for t, lift in zip(suspect.triggers, suspect.lifts, strict=True) if lift >= WORKS and not t.all_to_all]
    if not suspect.infected or not working:
        return None
    radii, areas = scan.model.universal_radii, scan.model.universal_areas
    numbers: dict[str, Sequence[float]] = {
        "norm": radii,
        "area": areas,
        "the smaller one": relative_sizes(radii, areas),
    }
    alone = all(t.source is not None for t in working)
    return Placed(
        suspect.name,
        suspect.data,
        "one class" if alone else "every class",
        len(radii),
        {name: min(_rank(values, t.target) for t in working) for name, values in (numbers | dict(more or {})).items()},
    )


def recalls(placed: Sequence[Placed]) -> list[Recall]:
    """Sums up the ranks, beside those of a random order.

    Args:
        placed: the suspects.

    Returns:
        One line for each kind of trigger and number, *chance* last.
    """
    found = []
    for made_for in dict.fromkeys(one.made_for for one in placed):
        own = [one for one in placed if one.made_for == made_for]
        for number in dict.fromkeys(name for one in own for name in one.ranks):
            ranks = [one.ranks[number] for one in own if number in one.ranks]
            top = tuple(sum(rank <= limit for rank in ranks) / len(ranks) for limit in TOP)
            found.append(Recall(made_for, number, len(ranks), sum(ranks) / len(ranks), max(ranks), top))
        chance = tuple(sum(min(1.0, limit / one.classes) for one in own) / len(own) for limit in TOP)
        mean = sum((one.classes + 1) / 2 for one in own) / len(own)
        found.append(Recall(made_for, "chance", len(own), mean, max(one.classes for one in own), chance))
    return found


def quick_numbers(classifier: Classifier, data: Dataset) -> dict[str, tuple[float, ...]]:
    """Ranks the classes of a suspect by what a triage takes first where there are many.

    Args:
        classifier: the model, prepared by ``Classifier.frozen`` for few calls.
        data: its images.

    Returns:
        Sizes by label: of the estimate, which decides for large images, and of the short search, which counts beside it
        for others.
    """
    images, labels = data.test.spread(IMAGES), list(classifier.labels)
    estimated = Estimate(classifier, images.spread(ESTIMATED_ON), labels).of(labels)
    short = searched(classifier, images, statistics.median_high(estimated[0]), labels, SHORT)
    return {"short search": relative_sizes(*short), "estimate": relative_sizes(*estimated)}


def _rank(values: Sequence[float], label: int) -> int:
    """The place of a class in growing order; of equal ones the last."""
    return sum(value <= values[label] for value in values)
