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
class Estimate:
    """A share of pairs of classes, with its 95% interval by the percentile bootstrap over models.

    Args:
        share: in [0, 1]; 0.5 is chance.
        interval: its bounds.
    """

    share: float
    interval: tuple[float, float]

    def __str__(self) -> str:
        return f"{self.share:.2f} ({self.interval[0]:.2f} to {self.interval[1]:.2f})"


@dataclass(frozen=True)
class Separation:
    """How well one number separates targets from benign classes.

    Args:
        space, rule, statistic, budget: the number, as in ``spaces.Description``.
        auc: share of all pairs of a target and a benign class in which the target has more; ties count half.
        within: the same over pairs of one model, which needs no scale that all models share.
        first: share of infected models whose largest number is a target's; ties count in part.
        infected: number of these models; those without a benign class are left out.
    """

    space: Space
    rule: str
    statistic: Statistic
    budget: float
    auc: Estimate
    within: Estimate
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
        ranked = [m for m in models if m.targets and m.benign]
        if not ranked:
            continue
        first = float(np.mean([share_first(m) for m in ranked]))
        separated.append(Separation(space, rule, statistic, budget, *areas(models), first, len(ranked)))
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


def areas(models: Sequence[Classes]) -> tuple[Estimate, Estimate]:
    """Computes the area under the ROC curve over the classes of all models, and that over pairs within a model.

    Args:
        models: the classes of each model, at least one of which has both targets and benign classes.

    Returns:
        Both areas; their intervals draw whole models with replacement.
    """
    wins = np.array([[_wins(a.targets, b.benign) for b in models] for a in models])
    pairs = np.array([[len(a.targets) * len(b.benign) for b in models] for a in models], float)
    count = len(models)
    drawn = numpy_generator(SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES).astype(float)
    both = (np.einsum("ri,ij,rj->r", drawn, one, drawn, optimize=True) for one in (wins, pairs))
    inside = (drawn @ one.diagonal() for one in (wins, pairs))
    return (
        _estimate(wins.sum() / pairs.sum(), *both),
        _estimate(wins.trace() / pairs.trace(), *inside),
    )


def _estimate(share: float, won: np.ndarray, pairs: np.ndarray) -> Estimate:
    # A draw without any target, or without a benign class, says nothing.
    shares = won[pairs > 0] / pairs[pairs > 0]
    low, high = np.quantile(shares, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Estimate(float(share), (float(low), float(high)))


def _wins(targets: Sequence[float], benign: Sequence[float]) -> float:
    difference = np.subtract.outer(targets, benign)
    return float((difference > 0).sum() + 0.5 * (difference == 0).sum())
