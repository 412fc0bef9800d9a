"""Findings made up from what their candidates do to images of five classes."""

from dataclasses import replace

import numpy as np

from aegis.core.types import Applicability, CandidateTrigger, Clusters, Embedding, Evidence, Finding, Stamp
from aegis.detect.verdict import conclude
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import of_scores
from tests import candidates
from tests.candidates import NULLS

NAMES = ("ant", "bee", "cat", "dog", "eel")
FIT = Applicability(0.9, (0.5, 1.0), (0.8, 0.3))
# One trigger in a hundred benign models is too many, and what turns less than half is no backdoor.
RULE = VerdictConfig(nulls=NULLS, alpha=0.01, min_score=0.5, source_quantile=0.75)


def stamp(family: str) -> Stamp:
    """Two pixels of a patch, or a perturbation of the same norm."""
    keep, add = np.ones((1, 4, 4), np.float32), np.zeros((1, 4, 4), np.float32)
    add[0, :2, 0] = 1.5
    if family != "perturbation":
        keep[0, :2, 0] = 0
    return Stamp(keep, add)


def candidate(family: str, rates: list[float], label: int = 2, **about: object) -> CandidateTrigger:
    """What flips these shares of the four other classes, or of all five."""
    every = rates if len(rates) == len(NAMES) else np.insert(np.array(rates), label, np.nan)
    return candidates.candidate(family, label, every, stamp(family), **about)


def judged(*triggers: CandidateTrigger, rule: VerdictConfig = RULE):
    """What is recorded of class 2 with these candidates."""
    return conclude(FIT, [finding(triggers=triggers)], NAMES, rule).classes[0].record


def with_null(family: str, *maxima: float) -> VerdictConfig:
    """The rule, where benign classes reach so much in one family."""
    others = [null for null in NULLS if null.family != family]
    return replace(RULE, nulls=(*others, of_scores(family, maxima)))


def finding(label: int = 2, clusters: tuple[int, ...] = (2,), triggers: tuple[CandidateTrigger, ...] = ()) -> Finding:
    budgets = tuple(float(i + 1) for i in range(len(clusters)))
    evidence = Evidence(
        label=label,
        budgets=budgets,
        seed_index=np.arange(6),
        train_index=np.arange(6),
        translated=np.zeros((len(clusters), 6, 1, 4, 4), np.uint8),
        features=np.zeros((len(clusters), 12, 3), np.float32),
        success=np.ones(len(clusters), np.float32),
        triggers=triggers,
    )
    points = np.zeros((12, 2), np.float32)
    return Finding(
        evidence,
        tuple(Embedding(points, evidence.is_translated, budget) for budget in budgets),
        tuple(Clusters(np.arange(12) % count, 1.0) for count in clusters),
        tuple(Clusters(np.where(evidence.is_translated, 0, -1), 1.0) for _ in clusters),
    )
