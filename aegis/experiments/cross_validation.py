"""Judges suspects by calibration models that are unlike them: do thresholds hold for what nobody has seen?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from aegis.experiments.calibration import judged_with
from aegis.experiments.detection_rates import Case
from aegis.records.references import References


def architecture_family(architecture: str) -> str:
    """Finds the family of an architecture: its name without options and size.

    Args:
        architecture: as in ``architectures.build``.

    Returns:
        The name of the family.
    """
    return architecture.partition(",")[0].rstrip("0123456789")


# What a suspect must not share with the models that thresholds come from.
LEFT_OUT: dict[str, Callable[[Case], str]] = {
    "data": lambda case: case.suspect.data,
    "kind": lambda case: case.kind,
    "architecture": lambda case: architecture_family(case.suspect.architecture),
}


def crossed(
    judged: Iterable[Case], calibration: Sequence[Case], by: str, tables: Mapping[str, References] | None = None
) -> list[Case]:
    """Judges suspects by calibration models of other data sets, kinds of triggers or architectures (cross-validation).

    Args:
        judged: suspects with their scans.
        calibration: calibration models with their scans.
        by: one of ``LEFT_OUT``: calibration models that share it with a suspect are left out, for ``architecture``
            reference models too; for a clean suspect and ``kind``, only the suspect itself is.
        tables: references by data set, or None to judge without any.

    Returns:
        The suspects with new verdicts, without references where none are left; suspects with fewer than two calibration
        models are left out.
    """
    found = []
    for case in judged:
        own = LEFT_OUT[by](case)
        others = [one for one in calibration if one.suspect.name != case.suspect.name]
        left = [one for one in others if LEFT_OUT[by](one) != own or own == "clean"]
        known = _without(tables, own) if by == "architecture" and tables is not None else tables
        if known is not None and case.suspect.data not in known:
            known = None
        found += judged_with([case], left, known)
    return found


def _without(tables: Mapping[str, References], family: str) -> dict[str, References]:
    left = {
        data: tuple(model for model in table.models if architecture_family(model.architecture) != family)
        for data, table in tables.items()
    }
    return {data: replace(tables[data], models=models) for data, models in left.items() if models}
