"""Computes the null distributions of the detector: scores that benign classes of calibration models reach."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aegis.core.files import write_text
from aegis.core.types import FAMILIES, Family
from aegis.detect.verdict import judge_again
from aegis.experiments.detection_rates import Case
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import CALIBRATION, NullDistribution
from aegis.records.ranking import best_score


@dataclass(frozen=True)
class Benign:
    """The highest scores of the benign classes of one model.

    Args:
        name: the model.
        data: its data set.
        kind: the kinds of its triggers, or *clean*.
        scores: highest score of its benign classes for each family of triggers, in [0, 1].
    """

    name: str
    data: str
    kind: str
    scores: Mapping[Family, float]


def benign_scores(cases: Iterable[Case]) -> list[Benign]:
    """Collects the scores of benign classes of every model that has some, from its first scan.

    Further seeds are ignored, because scans of one model are not independent.

    Args:
        cases: suspects with their scans.

    Returns:
        The scores, one entry for each model.
    """
    found = []
    for case in cases:
        scan, suspect = case.scans[0], case.suspect
        benign = [one for one in scan.classes if one.label not in case.targets]
        if not benign:
            continue
        scores = {family: max(best_score(one, family) or 0.0 for one in benign) for family in FAMILIES}
        found.append(Benign(suspect.name, suspect.data, case.kind, scores))
    return found


def nulls_of(benign: Iterable[Benign]) -> tuple[NullDistribution, ...]:
    """Creates the null distribution of each family.

    Args:
        benign: scores of the calibration models.

    Returns:
        One distribution for each family.
    """
    benign = list(benign)
    return tuple(
        NullDistribution(family=family, maxima=tuple(model.scores[family] for model in benign)) for family in FAMILIES
    )


def keep_calibration(benign: Iterable[Benign], path: Path = CALIBRATION) -> None:
    """Writes the file of null distributions that the detector reads.

    Args:
        benign: scores of the calibration models.
        path: the file.

    Raises:
        StoreError: if it cannot be written.
    """
    benign = list(benign)
    text = {
        "models": [model.name for model in benign],
        "maxima": {null.family: null.maxima for null in nulls_of(benign)},
    }
    write_text(path, json.dumps(text, indent=1) + "\n")


def crossed(judged: Iterable[Case], benign: Iterable[Benign], by: str) -> list[Case]:
    """Judges suspects by calibration models of other data sets or other kinds of triggers (cross-validation).

    Args:
        judged: suspects with their scans.
        benign: scores of the calibration models.
        by: ``data`` or ``kind``: calibration models that share it with a suspect are left out; for a clean suspect and
            ``kind``, only the suspect itself is.

    Returns:
        The suspects with new verdicts; suspects with fewer than two calibration models are left out.
    """
    benign = list(benign)
    found = []
    for case in judged:
        own = case.suspect.data if by == "data" else case.kind
        others = [model for model in benign if model.name != case.suspect.name]
        left = [model for model in others if getattr(model, by) != own or own == "clean"]
        if len(left) < 2:
            continue
        found += judged_with([case], nulls_of(left))
    return found


def judged_with(cases: Iterable[Case], nulls: tuple[NullDistribution, ...]) -> list[Case]:
    """Judges suspects by other null distributions.

    Args:
        cases: suspects with their scans.
        nulls: one distribution for each family.

    Returns:
        The suspects with new verdicts.
    """
    config = VerdictConfig(nulls=nulls)
    return [Case(case.suspect, tuple(judge_again(scan, config) for scan in case.scans)) for case in cases]
