"""Bounds what a scan of many classes or of large images costs; all others are left as they are."""

from __future__ import annotations

import math

# Up to so many classes, and up to so many pixels an image, a scan does everything for every class.
MANY_CLASSES = 30
LARGE = 64 * 64
# Of more classes, so many are sources of the source-specific search: as many as a model of ten classes has.
SOURCES = 9
# Triggers are tried on held-out images of so many of them.
WITNESSES = 20
# Classes, at least, whose universal perturbations and patches are measured; their median stands for all.
FEWEST_MEASURED = 5
# Images, at least, that are attacked; and images of a class, at least, in a step of a universal search.
FEWEST_ATTACKED, FEWEST_IN_BATCH = 60, 8
# Images that are predicted to measure accuracy.
PREDICTED = 1000
# Pixel values of the images of one optimisation step, which take some ten times as much memory on their way through it;
# a little more than thirty classes of the largest images take that are not large.
STEP_VALUES = 20_000_000
# Of large images, which themselves take much memory.
LARGE_STEP_VALUES = 8_000_000
# Pixel values of the held-out images.
HELD_VALUES = 2**25


def is_large(classes: int, shape: tuple[int, ...]) -> bool:
    """Tells whether bounds apply to a scan.

    Args:
        classes: of the model.
        shape: channels, height and width of its images.
    """
    return classes > MANY_CLASSES or _pixels(shape) > LARGE


def fewer(count: int, least: int, shape: tuple[int, ...]) -> int:
    """Lowers a number of images so that large ones take no longer than the largest ones that are not large.

    Args:
        count: number of images where they are not large.
        least: the fewest that serve the purpose.
        shape: channels, height and width of an image.

    Returns:
        The number; unchanged up to ``LARGE`` pixels.
    """
    if _pixels(shape) <= LARGE:
        return count
    return min(count, max(least, round(count * LARGE / _pixels(shape))))


def measured_classes(classes: int, shape: tuple[int, ...]) -> list[int]:
    """Chooses the classes whose universal perturbations and patches are measured.

    Args:
        classes: of the model.
        shape: channels, height and width of its images.

    Returns:
        Labels: all up to ``MANY_CLASSES``, else some at even distances.
    """
    if classes <= MANY_CLASSES:
        return list(range(classes))
    count = fewer(MANY_CLASSES, FEWEST_MEASURED, shape)
    return [i * classes // count for i in range(count)]


def held_out_count(count: int, classes: int, shape: tuple[int, ...]) -> int:
    """Lowers the number of held-out images of a class so that all of them fit into memory.

    Args:
        count: wanted of each class.
        classes: number of classes that images are held out of.
        shape: channels, height and width of an image.

    Returns:
        The number, at least 1.
    """
    return max(1, min(count, HELD_VALUES // (classes * math.prod(shape))))


def at_once(batch: int, shape: tuple[int, ...]) -> int:
    """Computes how many stamps are optimised side by side.

    Args:
        batch: images of each in a step.
        shape: channels, height and width of an image.

    Returns:
        The number, at least 1.
    """
    values = STEP_VALUES if _pixels(shape) <= LARGE else LARGE_STEP_VALUES
    return max(1, values // (batch * math.prod(shape)))


def _pixels(shape: tuple[int, ...]) -> int:
    return shape[1] * shape[2]
