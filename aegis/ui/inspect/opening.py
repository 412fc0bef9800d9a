"""The budget that a class is opened at: the one whose images show most; no Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from aegis.core.types import CandidateTrigger, Evidence

# Share of the most translated images that a small budget has to reach, and correlation from which on changes are like
# the trigger.
NEARLY_ALL, ALIKE = 0.9, 0.2
ROUNDED = 0.5 / 255


@dataclass(frozen=True)
class Opening:
    """A budget, and why a class is opened at it.

    Args:
        budget: L2 radius, one of the scan's.
        because: the reason, in words that follow the budget.
    """

    budget: float
    because: str


def choose_opening(
    evidence: Evidence, trigger: CandidateTrigger | None, seeds: Float32[np.ndarray, "n c h w"] | None
) -> Opening:
    """Chooses the budget at which the mean change is most like the trigger that was found.

    Where none was found, or no change is like it, it is the smallest budget that translates nearly all images that any
    budget does: larger ones only bury them in noise.

    Args:
        evidence: of the class.
        trigger: the trigger that the class was flagged for, or None.
        seeds: the images before translation in [0, 1], shape (n, c, h, w), or None where they are gone.

    Returns:
        The budget; the smaller of two that are as good.
    """
    if trigger is not None and seeds is not None:
        alike = [resemblance(moved, seeds, trigger) for moved in evidence.translated]
        best = int(np.argmax(alike))
        if alike[best] >= ALIKE:
            said = f"where the mean change is most like the trigger found (correlation {alike[best]:.2f})"
            return Opening(evidence.budgets[best], said)
    reached = evidence.success >= NEARLY_ALL * evidence.success.max()
    first = int(np.argmax(reached))
    return Opening(
        evidence.budgets[first], f"the smallest change that turns {evidence.success[first]:.0%} of the images"
    )


def resemblance(translated: np.ndarray, seeds: Float32[np.ndarray, "n c h w"], trigger: CandidateTrigger) -> float:
    """Correlates the mean change of images with what the trigger does to their mean, over pixels and channels.

    Args:
        translated: the images after translation as 8-bit pictures, shape (n, c, h, w).
        seeds: the same images before it, in [0, 1].
        trigger: the trigger.

    Returns:
        Pearson's correlation, in [-1, 1]; 0 where either is the same everywhere, or too small to be seen.
    """
    mean = seeds.mean(axis=0)
    change = translated.mean(axis=0, dtype=np.float32) / 255 - mean
    effect = trigger.shown(mean[None])[0] - mean
    # Less is what eight bits a pixel have rounded.
    if np.abs(change).max() < ROUNDED:
        return 0.0
    change, effect = change - change.mean(), effect - effect.mean()
    norms = float(np.linalg.norm(change) * np.linalg.norm(effect))
    return float((change * effect).sum()) / norms if norms > 0 else 0.0
