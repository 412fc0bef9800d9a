"""A few of a user's images, for a first look; no torch here."""

from __future__ import annotations

from dataclasses import replace

from aegis.core.types import Dataset
from aegis.detect.bounds import fewer

# Images that a network is tried on: as many as it takes at a time, within these limits. Fewer would tell nothing.
FEWEST, MOST = 50, 250


def few(images: Dataset) -> Dataset:
    """Takes as many images as a first look needs.

    Args:
        images: the data set.

    Returns:
        Some of both splits, at even distances.
    """
    train = images.train.spread(fewer(MOST * 4, FEWEST, images.shape))
    return replace(images, train=train, test=images.test.spread(MOST))
