"""Measures how well a number tells targets from benign classes, with intervals over models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aegis.core.runtime import numpy_generator
from aegis.experiments.detection_rates import WORKS
from aegis.experiments.spaces import Space, SpacesRecord, Statistic
from aegis.lab.bank.record import BankRecord

RESAMPLES, LEVEL, SEED = 2000, 0.95, 0


@dataclass(frozen=True)
class Classes:
    """One number about the classes of one model.

    Args:
        targets: of the classes that a working trigger leads to.
        benign: of the others, without those that a failed attack was to lead to.
    """

    targets: tuple[float, ...]
    benign: tuple[float, ...]


@dataclass(frozen=True)
class Separation:
    """How well one number separates targets from benign classes.

    Args:
        space, rule, statistic, budget: the number, as in ``spaces.Description``.
        auc: share of all pairs of a target and a benign class in which the target has more; ties count half.
        interval: bounds of its 95% interval by the bootstrap over models.
        first: share of infected models whose largest number is a target's; ties count in part.
        infected: number of these models; those without a benign class are left out.
    """

    space: Space
    rule: str
    statistic: Statistic
    budget: float
    auc: float
    interval: tuple[float, float]
    first: float
    infected: int


def separations(found: Sequence[tuple[BankRecord, SpacesRecord]]) -> list[Separation]:
    """Measures every number that all models have.

    Args:
        found: what is true of each model, with what was measured of it.

    Returns:
        One separation for each number; none unless there are targets and benign classes.
    """
    values = [
        {(d.space, d.rule, d.statistic, d.budget): d.values for d in measured.descriptions} for _, measured in found
    ]
    common = [key for key in values[0] if all(key in one for one in values)] if values else []
    separated = []
    for space, rule, statistic, budget in common:
        models = [
            classes_of(known, one[space, rule, statistic, budget])
            for (known, _), one in zip(found, values, strict=True)
        ]
        if not (any(m.targets for m in models) and any(m.benign for m in models)):
            continue
        auc, interval = auc_over_models(models)
        ranked = [m for m in models if m.targets and m.benign]
        first = float(np.mean([share_first(m) for m in ranked])) if ranked else 0.0
        separated.append(Separation(space, rule, statistic, budget, auc, interval, first, len(ranked)))
    return separated


def classes_of(known: BankRecord, values: Sequence[float]) -> Classes:
    """Tells a model's targets from its benign classes.

    Args:
        known: what is true of the model.
        values: a number for each class.

    Returns:
        The numbers of both.
    """
    triggers = known.triggers if known.infected else ()
    working = {
        target
        for trigger, lift in zip(triggers, known.lifts if known.infected else (), strict=True)
        if lift >= WORKS
        for target in trigger.goal.targets(len(values))
    }
    meant = {target for trigger in triggers for target in trigger.goal.targets(len(values))}
    return Classes(
        tuple(values[label] for label in sorted(working)),
        tuple(value for label, value in enumerate(values) if label not in meant),
    )


def share_first(model: Classes) -> float:
    """Computes the share of targets among the classes with the largest number."""
    largest = max(*model.targets, *model.benign)
    targets, benign = (sum(value == largest for value in values) for values in (model.targets, model.benign))
    return targets / (targets + benign)


def auc_over_models(models: Sequence[Classes]) -> tuple[float, tuple[float, float]]:
    """Computes the area under the ROC curve over the classes of all models.

    Args:
        models: the classes of each model, with at least one target and one benign class among them.

    Returns:
        The area, and its 95% interval by the percentile bootstrap, which draws whole models with replacement.
    """
    wins = np.array([[_wins(a.targets, b.benign) for b in models] for a in models])
    pairs = np.array([[len(a.targets) * len(b.benign) for b in models] for a in models], float)
    generator, count = numpy_generator(SEED), len(models)
    drawn = generator.multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(float)
    won, all_of_them = (np.einsum("ri,ij,rj->r", drawn, one, drawn, optimize=True) for one in (wins, pairs))
    areas = won[all_of_them > 0] / all_of_them[all_of_them > 0]
    low, high = np.quantile(areas, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(wins.sum() / pairs.sum()), (float(low), float(high))


def _wins(targets: Sequence[float], benign: Sequence[float]) -> float:
    difference = np.subtract.outer(targets, benign)
    return float((difference > 0).sum() + 0.5 * (difference == 0).sum())
