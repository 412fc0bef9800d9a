"""The smallest part of a trigger that works nearly as well: what is left of it is what the model looks for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aegis.core.types import Stamp

# A perturbation has no pixels to leave out; it is made weaker in so many steps.
STEPS = 32


def minimise_trigger(stamp: Stamp, rate: Callable[[Stamp], float], keep: float) -> Stamp:
    """The smallest part of a stamp that keeps this share of its success: fewer pixels of a patch, or a smaller norm.

    Args:
        stamp: a patch, which replaces at least a part of some pixels, or a perturbation.
        rate: the success of a stamp, in [0, 1].
        keep: share of the whole stamp's success, in [0, 1].
    """
    whole = stamp.touched.sum() if _replaces(stamp) else STEPS
    enough = keep * rate(stamp)
    low, high, best = 0, int(whole), stamp
    # Success hardly falls where a part grows, so halving finds the smallest part that is enough.
    while high - low > 1:
        middle = (low + high) // 2
        smaller = part(stamp, middle)
        if rate(smaller) >= enough:
            high, best = middle, smaller
        else:
            low = middle
    return best


def part(stamp: Stamp, count: int) -> Stamp:
    """The so many pixels that a patch replaces most of, or so many of ``STEPS`` parts of a perturbation's norm."""
    if not _replaces(stamp):
        return Stamp(stamp.keep, stamp.add * np.float32(count / STEPS))
    weight = (1 - stamp.keep).max(axis=0)
    chosen = np.zeros(weight.size, bool)
    chosen[np.argsort(-weight.ravel(), kind="stable")[:count]] = True
    inside = chosen.reshape(weight.shape)
    return Stamp(
        np.where(inside, stamp.keep, np.float32(1)).astype(np.float32), np.where(inside, stamp.add, np.float32(0))
    )


def _replaces(stamp: Stamp) -> bool:
    return bool((stamp.keep != 1).any())
