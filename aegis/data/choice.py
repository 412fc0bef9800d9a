"""Chooses images and labels among named arrays, whoever named them, and divides what has no split for testing."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from aegis.data.arrays import Array, Arrays
from aegis.data.labels import to_labels
from aegis.data.splits import SAID, held_out, split_of

USUAL = ("x_train", "y_train", "x_test", "y_test")
_IMAGES = ("x", "image", "images", "data", "pixels")
_LABELS = ("y", "label", "labels", "target", "targets")
# A split for training without a name, as in a file of one split.
_WHOLE = ""


@dataclass(frozen=True)
class Choice:
    """Says which arrays are the images and labels of which split.

    Args:
        train: names of images and labels for training.
        test: the same for testing; None if there are none.
        notes: what the user is told.
    """

    train: tuple[str, str]
    test: tuple[str, str] | None
    notes: tuple[str, ...] = ()


def choose(names: Collection[str]) -> Choice | None:
    """Finds images and labels by usual names, such as ``x_train`` and ``y_train`` or ``train_images`` and
    ``train_labels``.

    Args:
        names: of all arrays.

    Returns:
        The choice; None if none of the names fit together.
    """
    if set(USUAL) <= set(names):
        return Choice(USUAL[:2], USUAL[2:])
    found: dict[str, dict[str, str]] = {}
    for name in sorted(names):
        if role := _role(name):
            split, kind = role
            # The first of two names for one thing, and x_train before its synonyms.
            if name in USUAL or kind not in found.get(split, {}):
                found.setdefault(split, {})[kind] = name
    pairs = {split: (of["x"], of["y"]) for split, of in found.items() if len(of) == 2}
    train = next((split for split in ("train", _WHOLE) if split in pairs), None)
    if train is None:
        if len(pairs) != 1:
            return None
        (train,) = pairs
    held = next((split for split in ("test", "val") if split in pairs and split != train), None)
    notes = []
    if held == "val":
        notes.append("Images of val are taken for testing.")
    elif held and "val" in pairs:
        notes.append("Images of val were left out.")
    return Choice(pairs[train], pairs[held] if held else None, tuple(notes))


def _role(name: str) -> tuple[str, str] | None:
    """Reads a name as split, and ``x`` for images or ``y`` for labels; None if it is another thing's."""
    words = [word for word in re.split(r"[\W_]+", name.casefold()) if word]
    if len(words) == 1 and (joined := re.fullmatch(r"([xy])(train|test|val)", words[0])):
        words = [joined[1], joined[2]]
    kinds = [kind for word in words for kind, known in (("x", _IMAGES), ("y", _LABELS)) if word in known]
    splits = [split for word in words if (split := split_of(word))]
    if len(kinds) != 1 or len(kinds) + len(splits) != len(words) or len(splits) > 1:
        return None
    return (splits[0] if splits else _WHOLE), kinds[0]


def assemble(
    choice: Choice,
    read: Callable[[str], Array],
    class_names: tuple[str, ...] | None = None,
    notes: Collection[str] = (),
) -> Arrays:
    """Reads the chosen arrays.

    Args:
        choice: which they are.
        read: reads an array by its name.
        class_names: one name for each class in label order, or None.
        notes: what the user is to be told besides.

    Returns:
        Both splits, unchecked; without one for testing, every fifth image of a class.

    Raises:
        DataError: as ``read`` and ``to_labels``.
    """
    x, y = (read(name) for name in choice.train)
    told = (*choice.notes, *notes)
    if choice.test is not None:
        x_test, y_test = (read(name) for name in choice.test)
        return Arrays(x, y, x_test, y_test, class_names, told)
    labels = to_labels(y, choice.train[1])
    if x.ndim == 0 or len(x) != len(labels):
        # The message for this is that of all arrays.
        return Arrays(x, y, x, y, class_names, told)
    mask = held_out(labels.tolist())
    return Arrays(x[~mask], y[~mask], x[mask], y[mask], class_names, (*told, SAID))
