"""Computes the null distributions of the detector: scores that benign classes of calibration models reach."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from aegis.core.files import write_text
from aegis.core.types import FAMILIES, Family
from aegis.detect.verdict import judge_again
from aegis.experiments.detection_rates import Case
from aegis.records.config import VerdictConfig
from aegis.records.fitting import reference_model
from aegis.records.null_distribution import CALIBRATION, NullDistribution
from aegis.records.ranking import best_score
from aegis.records.record import ClassRecord
from aegis.records.references import (
    SHIPPED,
    ExcessNull,
    ReferenceModel,
    References,
    largest_excesses,
    write_references,
)


@dataclass(frozen=True)
class Benign:
    """What the benign classes of one model reach.

    Args:
        name: the model.
        data: its data set.
        kind: the kinds of its triggers, or *clean*.
        scores: highest score of its benign classes for each family of triggers, in [0, 1].
        excess: how far they exceed references of its data at most, in logits, for each family; empty without
            references.
        tests: classes or pairs that each of these is the largest of.
        levels: the excess that it shows in other classes than each one, in logits, for each family that has a level.
    """

    name: str
    data: str
    kind: str
    scores: Mapping[Family, float]
    excess: Mapping[Family, float] = field(default_factory=dict)
    tests: Mapping[Family, int] = field(default_factory=dict)
    levels: Mapping[Family, tuple[float, ...]] = field(default_factory=dict)


def benign_scores(cases: Iterable[Case], tables: Mapping[str, References] | None = None) -> list[Benign]:
    """Collects the scores of benign classes of every model that has some, from its first scan.

    Further seeds are ignored, because scans of one model are not independent.

    Args:
        cases: suspects with their scans.
        tables: references by data set, or None.

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
        table = (tables or {}).get(suspect.data)
        if table is None:
            found.append(Benign(suspect.name, suspect.data, case.kind, scores))
            continue
        # Highest levels are what is measured here, so none bounds them yet.
        free = replace(table, nulls=tuple(replace(null, most=math.inf) for null in table.nulls))
        table = free.fitted_to(as_reference(case, scan.classes))
        excess, others = largest_excesses(as_reference(case, benign), table), len(scan.classes) - 1
        tests = {family: len(benign) * (others if family == "source-specific" else 1) for family in excess}
        found.append(Benign(suspect.name, suspect.data, case.kind, scores, excess, tests, table.levels))
    return found


def as_reference(case: Case, classes: Iterable[ClassRecord]) -> ReferenceModel:
    """Takes what some classes of a scan reach for a reference model.

    Args:
        case: the suspect with its scan.
        classes: the classes to take; others have no scores.

    Returns:
        The reference model.
    """
    chosen, scan = {one.label: one.triggers for one in classes}, case.scans[0]
    triggers = [chosen.get(label, ()) for label in range(len(scan.data.class_names))]
    return reference_model(case.suspect.name, case.suspect.architecture, scan.model.accuracy, triggers)


def reference_tables(cases: Iterable[Case], digests: Mapping[str, Sequence[str]]) -> dict[str, References]:
    """Makes references from scans of benign models.

    Args:
        cases: the models with their scans.
        digests: by data set, further digests of images that the models stand for.

    Returns:
        References by data set.
    """
    by_data: dict[str, list[Case]] = {}
    for case in cases:
        by_data.setdefault(case.suspect.data, []).append(case)
    return {
        data: References(
            images=tuple(dict.fromkeys([own[0].scans[0].data.digest, *digests.get(data, ())])),
            class_names=own[0].scans[0].data.class_names,
            models=tuple(as_reference(case, case.scans[0].classes) for case in own),
        )
        for data, own in by_data.items()
    }


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


def excess_nulls_of(benign: Iterable[Benign]) -> tuple[ExcessNull, ...]:
    """Creates the null of each family for scans with references.

    Args:
        benign: calibration models, of which those with references count.

    Returns:
        One null for each family of which at least two models have an excess.
    """
    known = [model for model in benign if model.excess]
    found = []
    for family in FAMILIES:
        own = [model for model in known if family in model.excess]
        if len(own) < 2:
            continue
        levels = [model.levels.get(family, (0.0,)) for model in own]
        found.append(
            ExcessNull(
                family=family,
                maxima=tuple(round(model.excess[family], 4) for model in own),
                tests=min(model.tests[family] for model in own),
                usual=round(statistics.mean(map(statistics.mean, levels)), 4),
                most=round(max(map(max, levels)), 4),
            )
        )
    return tuple(found)


def keep_calibration(benign: Iterable[Benign], tables: Mapping[str, References], path: Path = CALIBRATION) -> None:
    """Writes the file of null distributions that the detector reads, and the references beside it.

    Args:
        benign: calibration models.
        tables: references by data set.
        path: the file.

    Raises:
        StoreError: if it cannot be written.
    """
    benign = list(benign)
    text = {
        "models": [model.name for model in benign],
        "maxima": {null.family: null.maxima for null in nulls_of(benign)},
        "excess": [asdict(null) for null in excess_nulls_of(benign)],
    }
    write_text(path, json.dumps(text, indent=1) + "\n")
    for data, table in tables.items():
        write_references(table, path.parent / SHIPPED.name / f"{data}.json")


def judged_with(
    cases: Iterable[Case], benign: Iterable[Benign], tables: Mapping[str, References] | None = None
) -> list[Case]:
    """Judges suspects by other calibration models.

    Args:
        cases: suspects with their scans.
        benign: calibration models.
        tables: references by data set, or None to judge without any.

    Returns:
        The suspects with new verdicts.
    """
    benign = list(benign)
    nulls, excess, found = nulls_of(benign), excess_nulls_of(benign), []
    for case in cases:
        table = (tables or {}).get(case.suspect.data)
        references = None if table is None else replace(table, nulls=excess)
        config = VerdictConfig(nulls=nulls, references=references)
        found.append(Case(case.suspect, tuple(judge_again(scan, config) for scan in case.scans)))
    return found
