"""Names of splits, and the rule that holds images out for testing where there is no split for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

import numpy as np

from aegis.data.arrays import Array

# Without a split for testing, the first of every five images of a class is held out. Its place among the sorted names,
# or in the array, decides, so that the same data give the same split on every machine.
HELD_OUT = 5
SAID = "Every fifth image of a class was held out for testing, since there is no split for it."

_WORDS = {
    "train": ("train", "training", "trainset", "final_training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing", "testset", "final_test"),
}
SPLIT_OF = {word: split for split, words in _WORDS.items() for word in words}
# Folders between a class or a split and its pictures.
FILLERS = ("images", "image", "imgs", "img")


def split_of(name: str) -> str | None:
    """Reads the name of a folder, a part of a file's name or of an array's as one of *train*, *val* and *test*.

    Args:
        name: in any case.

    Returns:
        The split; None if it names none.
    """
    return SPLIT_OF.get(name.casefold())


def held_out(classes: Iterable[Hashable]) -> Array:
    """Chooses the images that are held out for testing.

    Args:
        classes: the class of every image, in their order.

    Returns:
        A mask, bool of shape (n,).
    """
    seen: Counter[Hashable] = Counter()
    chosen = []
    for name in classes:
        chosen.append(seen[name] % HELD_OUT == 0)
        seen[name] += 1
    return np.array(chosen, dtype=bool)
