"""Data sets derived from the named ones: larger images, more classes and fewer.

Of every class the first images are taken, so that a derived data set is the same whatever else its origin holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aegis.core.types import Dataset, LabelledImages
from aegis.data.arrays import Array
from aegis.data.named import read_named

SIDE = 32


@dataclass(frozen=True, kw_only=True)
class Derived:
    """Describes how a data set is derived.

    Args:
        origins: the named data sets that it is made of, one after the other.
        train, test: the most images of each class.
        classes: names of the classes that are kept, in this order; None keeps all.
        change: changes the pixels of each data set, or None.
    """

    origins: tuple[str, ...]
    train: int
    test: int
    classes: tuple[str, ...] | None = None
    change: Callable[[Array], Array] | None = None


def read_derived(name: str) -> Dataset:
    """Reads a derived data set.

    Args:
        name: one of ``DERIVED``.

    Raises:
        DataError: if a data set that it is made of cannot be read.
    """
    how = DERIVED[name]
    origins = [read_named(origin) for origin in how.origins]
    splits = [
        _joined([_derived(getattr(origin, split), how, count) for origin in origins])
        for split, count in (("train", how.train), ("test", how.test))
    ]
    return Dataset(name, *splits)


def _derived(images: LabelledImages, how: Derived, count: int) -> LabelledImages:
    names = how.classes or images.class_names
    chosen = [np.flatnonzero(images.labels == images.class_names.index(name))[:count] for name in names]
    # In the order of their origin, which need not be sorted by class.
    positions = np.sort(np.concatenate(chosen))
    number = {images.class_names.index(name): i for i, name in enumerate(names)}
    labels = np.array([number[int(label)] for label in images.labels[positions]], np.int64)
    pixels = images.pixels[positions]
    return LabelledImages(pixels if how.change is None else how.change(pixels), labels, names)


def _joined(parts: Sequence[LabelledImages]) -> LabelledImages:
    names = tuple(name for part in parts for name in part.class_names)
    offsets = np.cumsum([0, *(len(part.class_names) for part in parts)])
    labels = np.concatenate([part.labels + offset for part, offset in zip(parts, offsets)])
    return LabelledImages(np.concatenate([part.pixels for part in parts]), labels, names)


def twice(pixels: Array) -> Array:
    """Doubles the side of images by bilinear interpolation, as Pillow does it.

    Args:
        pixels: images in [0, 1], shape (n, c, h, w).
    """
    return _doubled(_doubled(pixels, 2), 3)


def _doubled(pixels: Array, axis: int) -> Array:
    before = np.take(pixels, [0, *range(pixels.shape[axis] - 1)], axis)
    after = np.take(pixels, [*range(1, pixels.shape[axis]), pixels.shape[axis] - 1], axis)
    quarter, most = np.float32(0.25), np.float32(0.75)
    pairs = np.stack([most * pixels + quarter * before, most * pixels + quarter * after], axis=axis + 1)
    shape = list(pixels.shape)
    shape[axis] *= 2
    # Rounding may pass 1 by the last digit.
    return np.clip(pairs.reshape(shape), 0, 1)


def colour_32(pixels: Array) -> Array:
    """Puts images into a black frame of 32 pixels a side, with three channels.

    Args:
        pixels: images of at most 32 pixels a side, shape (n, c, h, w) with one channel or three.
    """
    margins = [(SIDE - side) // 2 for side in pixels.shape[2:]]
    frame = [(0, 0), (0, 0), *((m, SIDE - side - m) for m, side in zip(margins, pixels.shape[2:]))]
    return np.pad(np.broadcast_to(pixels, (len(pixels), 3, *pixels.shape[2:])), frame)


DERIVED: dict[str, Derived] = {
    "cifar10_64": Derived(origins=("cifar10",), train=1000, test=200, change=twice),
    "cifar10_64_many": Derived(origins=("cifar10",), train=3000, test=200, change=twice),
    "thirty_classes": Derived(origins=("mnist", "fashion_mnist", "cifar10"), train=800, test=150, change=colour_32),
    "mnist_two_classes": Derived(origins=("mnist",), train=1500, test=250, classes=("3", "8")),
    "fashion_mnist_five_classes": Derived(
        origins=("fashion_mnist",), train=1500, test=250, classes=("T-shirt/top", "Trouser", "Dress", "Sneaker", "Bag")
    ),
    "cifar10_five_classes": Derived(
        origins=("cifar10",), train=2000, test=300, classes=("airplane", "bird", "dog", "ship", "truck")
    ),
}
