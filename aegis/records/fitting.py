"""Takes scores from records: of benign models, to be references, and of a suspect, to fit references to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aegis.core.types import FAMILIES, Family
from aegis.records.config import VerdictConfig
from aegis.records.record import ClassRecord, ScanRecord, TriggerRecord, settings
from aegis.records.references import ReferenceModel, References


def reference_model(
    name: str, architecture: str, accuracy: float, triggers: Sequence[Sequence[TriggerRecord]]
) -> ReferenceModel:
    """Takes the scores of a benign model from its candidate triggers.

    Args:
        name, architecture, accuracy: as in ``ReferenceModel``.
        triggers: the candidates of every class, in label order.

    Returns:
        The reference model.
    """
    classes: dict[Family, tuple[float | None, ...]] = {
        family: tuple(max((t.score_or_rate for t in found if t.family == family), default=None) for found in triggers)
        for family in FAMILIES
        if family != "source-specific"
    }
    return ReferenceModel(
        name=name, architecture=architecture, accuracy=accuracy, classes=classes, pairs=pairs_of(triggers)
    )


def pairs_of(triggers: Sequence[Sequence[TriggerRecord]]) -> tuple[tuple[float | None, ...], ...]:
    """Finds the score of the best source-specific trigger of every pair.

    Args:
        triggers: the candidates of every class, in label order; none for a class that was not tested.

    Returns:
        Scores of every source class (row) and target class (column); None where none was tried.
    """
    pairs: list[list[float | None]] = [[None] * len(triggers) for _ in triggers]
    for label, found in enumerate(triggers):
        for one in found:
            if one.source is not None:
                pairs[one.source][label] = max(one.score_or_rate, pairs[one.source][label] or 0.0)
    return tuple(map(tuple, pairs))


def fitted(config: VerdictConfig, classes: Sequence[ClassRecord], known: int) -> VerdictConfig:
    """Fits what is expected of a benign model to the suspect.

    Args:
        config: thresholds, with references or without.
        classes: the classes tested.
        known: number of the model's classes.

    Returns:
        The thresholds, with references that know how far the suspect exceeds them altogether; with none of them where
        there are none, or where they do not stand for the suspect.
    """
    tested = {found.label: found.triggers for found in classes}
    suspect = reference_model("suspect", "", 0.0, [tested.get(label, ()) for label in range(known)])
    if config.references is not None:
        found = config.references.fitted_to(suspect)
        if found.stand_for_suspect:
            return replace(config, references=found)
    none = References(images=(), class_names=("",) * known, models=(), nulls=config.nulls)
    return replace(config, references=none.fitted_to(suspect))


def verdict_settings(record: ScanRecord) -> VerdictConfig | None:
    """Reads the thresholds that a recorded scan was judged by, if this version understands them.

    Args:
        record: the scan.

    Returns:
        The thresholds, with references fitted to the suspect; None if another version of AEGIS wrote them.
    """
    config = settings(record)
    return None if config is None else fitted(config.verdict, record.classes, len(record.data.class_names))
