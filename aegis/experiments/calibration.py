"""Where the detector's thresholds come from: what benign classes of calibration models reach."""

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
    """What the strongest benign class of one model reaches, by family of triggers."""

    name: str
    data: str
    kind: str
    scores: Mapping[Family, float]


def benign_scores(cases: Iterable[Case]) -> list[Benign]:
    """Of every model that has benign classes, by its first scan; seeds are not models."""
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
    """A null for each family."""
    benign = list(benign)
    return tuple(
        NullDistribution(family=family, maxima=tuple(model.scores[family] for model in benign)) for family in FAMILIES
    )


def keep_calibration(benign: Iterable[Benign], path: Path = CALIBRATION) -> None:
    """Write what the detector reads, with the names of the models it is from."""
    benign = list(benign)
    text = {
        "models": [model.name for model in benign],
        "maxima": {null.family: null.maxima for null in nulls_of(benign)},
    }
    write_text(path, json.dumps(text, indent=1) + "\n")


def crossed(judged: Iterable[Case], benign: Iterable[Benign], by: str) -> list[Case]:
    """Every case as it is judged by what the other data sets, or the other kinds of triggers, show.

    Args:
        judged: suspects with their scans.
        benign: calibration models.
        by: ``data`` or ``kind``: calibration models that share it with a suspect are left out. Clean models share
            their kind with none but themselves; a suspect that fewer than two models are left for is left out.
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
    """Cases as they are judged by these nulls."""
    config = VerdictConfig(nulls=nulls)
    return [Case(case.suspect, tuple(judge_again(scan, config) for scan in case.scans)) for case in cases]
