"""Does the patch that a scan found lie where the trigger lies?"""

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
    """The patch of one scan beside one visible trigger.

    Args:
        suspect, seed: of the scan.
        trigger: its kind.
        target: its class; None of one that leads every class to the next.
        pixels: how many the trigger replaces.
        success: how often the trigger turns images of other classes into its target, in [0, 1].
        found: the smallest part of the best patch for this target that works; None if no patch did, or the scan does
            not flag the target.
        shared: pixels that both replace.
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
        """Share of the trigger's pixels that were found, in [0, 1]."""
        return self.shared / self.pixels if self.found else None

    @property
    def overlap(self) -> float | None:
        """Intersection over union of both, in [0, 1]."""
        return self.shared / (self.pixels + self.found.pixels - self.shared) if self.found else None


def located(case: Case) -> Iterator[Located]:
    """Every scan of a suspect beside each of its triggers that replaces pixels."""
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
    """Where a trigger replaces pixels; None for one that does not."""
    if not TRIGGERS[planted.kind].replaces:
        return None
    options: dict[str, Any] = {"kind": planted.kind, "target": planted.target} | planted.options
    return make_trigger(TriggerSpec(**options), shape).touched


def _best(scan: ScanRecord, planted: Planted) -> TriggerRecord | None:
    """The patch that does most of what the trigger does, of those that work and lead to flagged classes."""
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
    """Whether a candidate is for whom the trigger is for, or for all."""
    if one.family == "all-to-all":
        return planted.all_to_all
    return one.source is None or one.source == planted.source
