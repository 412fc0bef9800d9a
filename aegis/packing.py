"""Results of the costly steps as plain arrays, and back, bit for bit."""

from __future__ import annotations

import dataclasses

import numpy as np

from aegis.types import Applicability, Evidence, Stamp, Transplant

Arrays = dict[str, np.ndarray]


def pack_applicability(measured: Applicability) -> Arrays:
    """Applicability as arrays."""
    return {
        "accuracy": np.array(measured.accuracy),
        "ladder": np.array([measured.epsilons, measured.robust_accuracies]),
        "objections": np.array(measured.objections, dtype=np.str_),
    }


def unpack_applicability(arrays: Arrays) -> Applicability:
    """Applicability from its arrays."""
    epsilons, accuracies = arrays["ladder"].tolist()
    return Applicability(
        float(arrays["accuracy"]), tuple(epsilons), tuple(accuracies), tuple(arrays["objections"].tolist())
    )


def pack_evidence(evidence: Evidence) -> Arrays:
    """Evidence as arrays; transplants side by side."""
    plain = {
        field.name: np.asarray(getattr(evidence, field.name))
        for field in dataclasses.fields(evidence)
        if field.name != "transplants"
    }
    if not evidence.transplants:
        return plain
    found = evidence.transplants
    return plain | {
        "t_family": np.array([t.family for t in found]),
        "t_start": np.array([t.start for t in found]),
        "t_keep": np.stack([t.stamp.keep for t in found]),
        "t_add": np.stack([t.stamp.add for t in found]),
        "t_rates": np.stack([t.flip_rates for t in found]),
        "t_counts": np.stack([t.counts for t in found]),
    }


def unpack_evidence(arrays: Arrays) -> Evidence:
    """Evidence from its arrays."""
    columns = [arrays.get(f"t_{name}", ()) for name in ("family", "keep", "add", "rates", "counts", "start")]
    transplants = tuple(
        Transplant(str(family), Stamp(keep, add), rates, counts, str(start))  # type: ignore[arg-type]
        for family, keep, add, rates, counts, start in zip(*columns, strict=True)
    )
    kept = {name: array for name, array in arrays.items() if not name.startswith("t_")}
    label, budgets = int(kept.pop("label")), tuple(kept.pop("budgets").tolist())
    return Evidence(label=label, budgets=budgets, transplants=transplants, **kept)
