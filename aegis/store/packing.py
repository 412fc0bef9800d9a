"""Results of the costly steps as plain arrays, and back, bit for bit."""

from __future__ import annotations

import dataclasses

import numpy as np

from aegis.core.types import Applicability, CandidateTrigger, Evidence, Stamp
from aegis.records.schema1 import family_of

Arrays = dict[str, np.ndarray]


def pack_applicability(measured: Applicability) -> Arrays:
    """Converts applicability to arrays."""
    confusion = {} if measured.confusion is None else {"called": measured.confusion}
    return confusion | {
        "accuracy": np.array(measured.accuracy),
        "ladder": np.array([measured.epsilons, measured.robust_accuracies]),
        "radii": np.array(measured.universal_radii),
        "areas": np.array(measured.universal_areas),
    }


def unpack_applicability(arrays: Arrays) -> Applicability:
    """Converts the arrays of ``pack_applicability`` back.

    Raises:
        KeyError, TypeError, ValueError: if an array is missing or damaged.
    """
    epsilons, accuracies = arrays["ladder"].tolist()
    return Applicability(
        float(arrays["accuracy"]),
        tuple(epsilons),
        tuple(accuracies),
        arrays.get("called"),
        tuple(arrays["radii"].tolist()),
        tuple(arrays["areas"].tolist()),
    )


def pack_evidence(evidence: Evidence) -> Arrays:
    """Converts evidence to arrays; those of candidate triggers are stacked, their names begin with ``t_``."""
    plain = {
        field.name: np.asarray(getattr(evidence, field.name))
        for field in dataclasses.fields(evidence)
        if field.name != "triggers"
    }
    if not evidence.triggers:
        return plain
    found = evidence.triggers
    return plain | {
        "t_family": np.array([t.family for t in found]),
        "t_start": np.array([t.start for t in found]),
        "t_source": np.array([-1 if t.source is None else t.source for t in found]),
        "t_called": np.stack([t.confusion for t in found]),
        "t_keep": np.stack([t.stamp.keep for t in found]),
        "t_add": np.stack([t.stamp.add for t in found]),
        "t_pruned": np.array([t.smallest is not None for t in found]),
        "t_rate": np.array([np.nan if t.smallest_rate is None else t.smallest_rate for t in found]),
        "t_least_keep": np.stack([t.shown.keep for t in found]),
        "t_least_add": np.stack([t.shown.add for t in found]),
    }


def unpack_evidence(arrays: Arrays) -> Evidence:
    """Converts the arrays of ``pack_evidence`` back.

    Raises:
        KeyError, TypeError, ValueError: if an array is missing or damaged.
    """
    kept = {name: array for name, array in arrays.items() if not name.startswith("t_")}
    label, budgets = int(kept.pop("label")), tuple(kept.pop("budgets").tolist())
    triggers = tuple(_candidate(arrays, i, label) for i in range(len(arrays.get("t_family", ()))))
    return Evidence(label=label, budgets=budgets, triggers=triggers, **kept)


def _candidate(arrays: Arrays, i: int, label: int) -> CandidateTrigger:
    source = int(arrays["t_source"][i])
    smallest = Stamp(arrays["t_least_keep"][i], arrays["t_least_add"][i]) if arrays["t_pruned"][i] else None
    return CandidateTrigger(
        family_of(str(arrays["t_family"][i])),  # type: ignore[arg-type]
        label,
        Stamp(arrays["t_keep"][i], arrays["t_add"][i]),
        arrays["t_called"][i],
        str(arrays["t_start"][i]),
        None if source < 0 else source,
        smallest,
        None if np.isnan(arrays["t_rate"][i]) else float(arrays["t_rate"][i]),
    )
