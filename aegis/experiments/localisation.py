"""Compares the position of the patch that a scan found with that of the true trigger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from aegis.experiments.detection_rates import Case
from aegis.lab.triggers import TRIGGERS, TriggerSpec, make_trigger
from aegis.models.card import Planted
from aegis.records.record import ScanRecord, TriggerRecord


@dataclass(frozen=True)
class Located:
    """The best patch of one scan beside one visible trigger.

    Args:
        suspect, seed: suspect and seed of the scan.
        trigger: kind of the trigger.
        target: its target class; None for an all-to-all backdoor.
        pixels: number of pixels that the trigger replaces.
        success: its attack success rate on images of other classes, in [0, 1].
        found: the best patch for this target that works; None without one, or if the scan does not flag the target.
        shared: number of pixels that both replace.
    """

    suspect: str
    seed: int
    trigger: str
    target: int | None
    pixels: int
    success: float
    found: TriggerRecord | None
    shared: int

    @property
    def recall(self) -> float | None:
        """Share of the trigger's pixels that the patch covers, in [0, 1]; None without a patch."""
        return self.shared / self.pixels if self.found else None

    @property
    def overlap(self) -> float | None:
        """Intersection over union of the pixels of both, in [0, 1]; None without a patch."""
        return self.shared / (self.pixels + self.found.pixels - self.shared) if self.found else None


def located(case: Case) -> Iterator[Located]:
    """Compares every scan of a suspect with each of its triggers that replaces pixels.

    Args:
        case: the suspect with its scans.

    Returns:
        One comparison for each scan and trigger.
    """
    for scan in case.scans:
        for i, planted in enumerate(case.suspect.triggers):
            where = _replaced(planted, scan.data.shape)
            if where is None:
                continue
            found = _best(scan, planted)
            theirs = np.zeros(where.size, bool)
            theirs[list(found.where or ()) if found else []] = True
            yield Located(
                suspect=case.suspect.name,
                seed=int(scan.config["gather"]["seed"]),
                trigger=planted.kind,
                target=None if planted.all_to_all else planted.target,
                pixels=int(where.sum()),
                success=case.suspect.metrics[f"attack_success_other_classes{f'_{i + 1}' if i else ''}"],
                found=found,
                shared=int((where.ravel() & theirs).sum()),
            )


def _replaced(planted: Planted, shape: tuple[int, int, int]) -> Bool[np.ndarray, "h w"] | None:
    """Gives the mask of the pixels that a trigger replaces; None for one that changes pixels only a little."""
    if not TRIGGERS[planted.kind].replaces:
        return None
    options: dict[str, Any] = {"kind": planted.kind, "target": planted.target} | planted.options
    return make_trigger(TriggerSpec(**options), shape).touched


def _best(scan: ScanRecord, planted: Planted) -> TriggerRecord | None:
    """Finds the patch of highest score that leads to a flagged target and is made for the trigger's images."""
    flagged = planted.goal.targets(len(scan.data.class_names)) & set(scan.flagged_classes)
    patches = [
        one
        for found in scan.classes
        if found.label in flagged
        for one in found.triggers
        if one.where is not None and _alike(one, planted)
    ]
    return max(patches, key=lambda one: one.score_or_rate, default=None)


def _alike(one: TriggerRecord, planted: Planted) -> bool:
    """Tells whether a candidate is made for the same images as the trigger, or for all images."""
    if one.family == "all-to-all":
        return planted.all_to_all
    return one.source is None or one.source == planted.source
