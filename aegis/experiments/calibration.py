"""Computes the null distributions of the detector: how far benign classes of calibration models exceed each other and
references of their data.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aegis.core.files import write_text
from aegis.core.types import FAMILIES, Family
from aegis.detect.verdict import judge_again
from aegis.experiments.detection_rates import Case
from aegis.records.config import VerdictConfig
from aegis.records.fitting import reference_model
from aegis.records.null_distribution import CALIBRATION, UNBOUNDED, Compared, NullDistribution, student_threshold
from aegis.records.record import ClassRecord
from aegis.records.reference_files import SHIPPED, write_references
from aegis.records.references import Levels, ReferenceModel, References, largest_excesses

# Backdoors in many classes look like a high level, so that none higher than a benign model's is allowed for. Pairs of
# classes are another matter: some benign models have weak ones nearly everywhere.
BOUNDED = ("patch", "perturbation")
# Share of benign models for which references do not stand.
UNLIKE = 0.01


@dataclass(frozen=True)
class Benign:
    """What the benign classes of one model reach.

    Args:
        name: the model.
        excess: how far they exceed what is expected of them at most, in logits, for each family of triggers.
        tests: classes or pairs that each of these is the largest of.
        levels: the excess that it shows in other classes than each one, in logits, for each family that has a level.
    """

    name: str
    excess: Mapping[Family, float]
    tests: Mapping[Family, int]
    levels: Mapping[Family, Levels]


def benign_excesses(cases: Iterable[Case], tables: Mapping[str, References] | None = None) -> list[Benign]:
    """Measures how far benign classes of every model that has some exceed what is expected, from its first scan.

    Further seeds are ignored, because scans of one model are not independent.

    Args:
        cases: suspects with their scans.
        tables: references by data set, without which models count no longer; None to compare classes with each other
            alone.

    Returns:
        One entry for each model.
    """
    found = []
    for case in cases:
        scan, suspect = case.scans[0], case.suspect
        benign = case.benign
        if not benign:
            continue
        names = scan.data.class_names
        expected = (
            tables.get(suspect.data) if tables is not None else References(images=(), class_names=names, models=())
        )
        if expected is None:
            continue
        expected = expected.without(suspect.name)
        # Highest levels are what is measured here, so none bounds them yet.
        free = replace(expected, nulls=tuple(replace(null, most=UNBOUNDED) for null in expected.nulls))
        fitted = free.fitted_to(as_reference(case, scan.classes))
        excess, others = largest_excesses(as_reference(case, benign), fitted), len(scan.classes) - 1
        tests = {family: len(benign) * (others if family == "source-specific" else 1) for family in excess}
        found.append(Benign(suspect.name, excess, tests, fitted.levels))
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
    """Makes references from scans: of each model the classes that no backdoor leads to.

    Certified networks are left out, since a few pixels lead many of them nearly anywhere.

    Args:
        cases: the models with their scans.
        digests: by data set, further digests of images that the models stand for.

    Returns:
        References by data set.
    """
    by_data: dict[str, list[Case]] = {}
    for case in cases:
        if not case.suspect.recipe.get("certified"):
            by_data.setdefault(case.suspect.data, []).append(case)
    return {
        data: References(
            images=tuple(dict.fromkeys([own[0].scans[0].data.digest, *digests.get(data, ())])),
            class_names=own[0].scans[0].data.class_names,
            models=tuple(as_reference(case, case.benign) for case in own),
        )
        for data, own in by_data.items()
    }


def reference_nulls(benign: Iterable[Benign]) -> tuple[NullDistribution, ...]:
    """Creates the null distribution of each family for scans with references.

    Args:
        benign: calibration models, compared with references.

    Returns:
        As ``nulls_of``, without models for which references do not stand.
    """
    known = list(benign)
    if len(known) < 2:
        return ()
    levels = {model.name: statistics.mean(model.levels["source-specific"]) for model in known}
    unlike = round(student_threshold(list(levels.values()), UNLIKE), 4)
    return nulls_of([model for model in known if levels[model.name] <= unlike], unlike)


def nulls_of(benign: Iterable[Benign], unlike: float = UNBOUNDED) -> tuple[NullDistribution, ...]:
    """Creates the null distribution of each family.

    Args:
        benign: calibration models.
        unlike: as in ``NullDistribution``.

    Returns:
        One for each family of which at least two models have an excess.
    """
    known, found = list(benign), []
    for family in FAMILIES:
        own = [model for model in known if family in model.excess]
        if len(own) < 2:
            continue
        levels = [model.levels.get(family, (0.0,)) for model in own]
        found.append(
            NullDistribution(
                family=family,
                maxima=tuple(round(model.excess[family], 4) for model in own),
                tests=min(model.tests[family] for model in own),
                usual=round(statistics.mean(map(statistics.mean, levels)), 4),
                most=round(max(map(max, levels)), 4) if family in BOUNDED else UNBOUNDED,
                unlike=unlike,
            )
        )
    return tuple(found)


def keep_calibration(
    nulls: Mapping[Compared, Sequence[NullDistribution]],
    models: Sequence[str],
    tables: Mapping[str, References],
    path: Path = CALIBRATION,
) -> None:
    """Writes the file of null distributions that the detector reads, and the references beside it.

    Args:
        nulls: the null distributions.
        models: names of the calibration models.
        tables: references by data set.
        path: the file.

    Raises:
        StoreError: if it cannot be written.
    """
    text = {"models": list(models)} | {how: list(map(asdict, those)) for how, those in nulls.items()}
    write_text(path, json.dumps(text, indent=1) + "\n")
    for data, table in tables.items():
        write_references(table, path.parent / SHIPPED.name / f"{data}.json")


def judged_with(
    cases: Iterable[Case], calibration: Sequence[Case], tables: Mapping[str, References] | None = None
) -> list[Case]:
    """Judges suspects by calibration models.

    Args:
        cases: suspects with their scans.
        calibration: calibration models with their scans.
        tables: references of every data set, or None to judge without any.

    Returns:
        The suspects with new verdicts; none with fewer than two calibration models.
    """
    alone = nulls_of(benign_excesses(calibration))
    known = reference_nulls(benign_excesses(calibration, tables)) if tables is not None else alone
    if not known:
        return []
    found = []
    for case in cases:
        own = None if tables is None else tables[case.suspect.data].without(case.suspect.name)
        references = replace(own, nulls=known) if own and own.models else None
        config = VerdictConfig(nulls=alone, references=references)
        found.append(Case(case.suspect, tuple(judge_again(scan, config) for scan in case.scans)))
    return found
