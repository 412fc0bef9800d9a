"""Checks that the fields of a record agree with each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aegis.records.record import ClassRecord, ScanRecord


def contradictions(record: ScanRecord) -> Iterator[str]:
    """Find fields of a record that contradict each other; readers use such numbers to look things up.

    Args:
        record: the scan.

    Yields:
        A sentence for each contradiction.
    """
    classes, model, control = len(record.data.class_names), record.model, record.control
    if len(model.epsilons) != len(model.robust_accuracies):
        yield f"model has {len(model.epsilons)} epsilons, but {len(model.robust_accuracies)} robust_accuracies"
    if control is not None:
        yield from _beyond("control: target", [control.target], classes)
    yield from _beyond("labels", record.labels or (), classes)
    yield from _beyond("classes: label", [found.label for found in record.classes], classes)
    if record.triage is not None and len(record.triage.sizes) != classes:
        yield f"triage has {len(record.triage.sizes)} sizes, but there are {classes} classes"
    flagged = {found.label for found in record.classes if found.flagged}
    if flagged != set(record.flagged_classes):
        yield f"flagged_classes are {sorted(record.flagged_classes)}, but the flagged ones {sorted(flagged)}"
    for found in record.classes:
        for said in _class_contradictions(found, classes):
            yield f"class {found.label}: {said}"


def _class_contradictions(found: ClassRecord, classes: int) -> Iterator[str]:
    for name in ("clusters_by_budget", "translated_clusters_by_budget", "bandwidths", "translation_success"):
        if (given := len(getattr(found, name))) != len(found.budgets):
            yield f"{len(found.budgets)} budgets, but {given} {name}"
    if found.strongest is not None and not 0 <= found.strongest < len(found.triggers):
        yield f"strongest is {found.strongest}, but there are {len(found.triggers)} triggers, counted from 0"
    for i, one in enumerate(found.triggers):
        where = f"trigger {i}"
        yield from _beyond(f"{where}: source", [] if one.source is None else [one.source], classes)
        if len(one.flip_rates) > classes:
            yield f"{where}: {len(one.flip_rates)} flip_rates, but {classes} class_names"
        if one.destinations is not None:
            yield from _beyond(f"{where}: destinations", one.destinations, classes)
            if len(one.destinations) != len(one.flip_rates):
                yield f"{where}: {len(one.destinations)} destinations, but {len(one.flip_rates)} flip_rates"


def _beyond(name: str, labels: Iterable[int], classes: int) -> Iterator[str]:
    yield from (
        f"{name} is {label}, but there are {classes} classes, counted from 0"
        for label in labels
        if not 0 <= label < classes
    )
