"""Reduces a trigger to the smallest part that works nearly as well, which shows what the model responds to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aegis.core.types import Stamp

# A perturbation is everywhere, so it is weakened instead; its norm is divided into this number of parts.
STEPS = 32


def minimise_trigger(stamp: Stamp, rate: Callable[[Stamp], float], keep: float) -> Stamp:
    """Finds the smallest part of a stamp that keeps a share of its success: fewer pixels of a patch, or a smaller norm.

    Args:
        stamp: a patch, which replaces at least a part of some pixels, or a perturbation.
        rate: measures the attack success rate of a stamp, in [0, 1].
        keep: share of the whole stamp's success to keep, in [0, 1].

    Returns:
        The smallest part found by bisection.
    """
    whole = stamp.touched.sum() if _replaces(stamp) else STEPS
    enough = keep * rate(stamp)
    low, high, best = 0, int(whole), stamp
    # Larger parts hardly ever succeed less, so bisection finds the smallest sufficient part.
    while high - low > 1:
        middle = (low + high) // 2
        smaller = part(stamp, middle)
        if rate(smaller) >= enough:
            high, best = middle, smaller
        else:
            low = middle
    return best


def part(stamp: Stamp, count: int) -> Stamp:
    """Takes a part of a stamp: the pixels that a patch replaces most, or a fraction of a perturbation.

    Args:
        stamp: a patch or a perturbation.
        count: number of pixels of a patch, or number of ``STEPS`` parts of a perturbation's norm; at least 0.

    Returns:
        The part.
    """
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
