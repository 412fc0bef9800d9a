"""Checks arrays of any usual layout and converts them to a data set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aegis.core.errors import DataError
from aegis.core.text import control_character
from aegis.core.types import Dataset, LabelledImages, Labels, Pixels, as_pixels
from aegis.data.labels import counted_from_1, is_one_hot, to_labels

Array = np.ndarray[Any, np.dtype[Any]]

# Picture formats hold at most four channels, so an axis of more than four is not the channels.
MAX_CHANNELS = 4
# One float32 array of 4 GiB: six times the whole of CIFAR-10, and still within a laptop's memory.
MAX_VALUES = 2**30
# The limit of a model's card, in characters.
MAX_NAME = 200


@dataclass(frozen=True, eq=False)
class Arrays:
    """Holds two splits as they were read, unchecked.

    Args:
        x_train: uint8 or float, of shape (n, h, w), (n, h, w, c) or (n, c, h, w).
        y_train: integer labels, shape (n,) or (n, 1).
        x_test: as ``x_train``.
        y_test: as ``y_train``.
        class_names: one name for each class in label order, or None to number them.
        notes: what the user is told of how they were read, a sentence each.
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def to_dataset(arrays: Arrays, name: str, tell: Callable[[str], None] = lambda said: None) -> Dataset:
    """Checks two splits and converts them to float32 images in [0, 1] of shape (n, c, h, w) and int64 labels.

    Args:
        arrays: both splits as they were read.
        name: name of the data set.
        tell: told in a sentence what was read in another way than it was written.

    Returns:
        The checked data set.

    Raises:
        DataError: if images or labels cannot be used.
    """
    for note in arrays.notes:
        tell(note)
    y_train, y_test = _labels(arrays, tell)
    names = _class_names(arrays.class_names, np.concatenate([y_train, y_test]))
    splits = []
    for split, raw, labels in (("train", arrays.x_train, y_train), ("test", arrays.x_test, y_test)):
        _check_lengths(split, raw, labels)
        _check_classes(split, labels, names)
        pixels = to_pixels(raw, f"x_{split}")
        if split == "train" and not _is_usual(raw):
            tell(f"Pixels of type {raw.dtype} are whole numbers up to 255, and were divided by 255.")
        splits.append(LabelledImages(pixels, labels, names))
    return Dataset(name, *splits)


def _labels(arrays: Arrays, tell: Callable[[str], None]) -> tuple[Array, Array]:
    y_train, y_test = to_labels(arrays.y_train, "y_train"), to_labels(arrays.y_test, "y_test")
    if is_one_hot(arrays.y_train):
        tell("Labels are one-hot: the place of the 1 is the class.")
    if not counted_from_1(np.concatenate([y_train, y_test])):
        return y_train, y_test
    tell("Labels are counted from 1 and were lowered by 1: class 0 is the one that the file calls 1.")
    return y_train - 1, y_test - 1


def to_pixels(raw: Array, what: str = "images") -> Pixels:
    """Converts images of any usual layout to float32 with channels first.

    Three axes are (n, h, w). Of four axes, the channels are the second or the last, whichever has length 1 to 4; if
    both have, the one that leaves square images; else the last. uint8 is divided by 255, and floats are kept; so are
    whole numbers of other types if they are plainly 8-bit pixels: none below 0, some above 1, and none above 255.

    Args:
        raw: uint8, float in [0, 1], or whole numbers from 0 to 255 of any type.
        what: name of the array in messages.

    Returns:
        Images, float32 in [0, 1], of shape (n, c, h, w).

    Raises:
        DataError: for other types, layouts and values.
    """
    if raw.size <= MAX_VALUES and _is_plainly_8_bit(raw):
        raw = raw.astype(np.uint8)
    if raw.dtype != np.uint8 and raw.dtype.kind != "f":
        raise DataError(
            f"{what} of type uint8 (0 to 255) or float (0 to 1)",
            f"type {raw.dtype}" + (f" from {raw.min()} to {raw.max()}" if raw.dtype.kind in "iu" and raw.size else ""),
            "Convert and save it again.",
        )
    if raw.ndim not in (3, 4) or 0 in raw.shape:
        raise DataError(
            f"{what} of shape (n, h, w), (n, h, w, c) or (n, c, h, w), none of them 0",
            f"shape {raw.shape}",
            _unflattened(raw) or "Save one array of all images of the split.",
        )
    if raw.size > MAX_VALUES:
        raise too_large(what, raw.size)
    if raw.dtype.kind == "f":
        _check_floats(raw, what)
    raw = _channels_first(raw, what)
    return as_pixels(raw) if raw.dtype == np.uint8 else np.array(raw, dtype=np.float32, order="C")


def _unflattened(raw: Array) -> str:
    """What to do about images that are rows of numbers; empty if they are not."""
    if raw.ndim == 2:
        for channels in (1, 3):
            side = math.isqrt(raw.shape[1] // channels)
            if side and channels * side * side == raw.shape[1]:
                return f"Reshape its rows, to ({channels}, {side}, {side}) or ({side}, {side}, {channels}) each."
    return ""


def too_large(what: str, values: int) -> DataError:
    """Builds the error for more pixel values than ``MAX_VALUES``.

    Args:
        what: name of the array in the message.
        values: number of pixel values.

    Returns:
        The error, to be raised by the caller.
    """
    return DataError(
        f"{what} with at most {MAX_VALUES:,} pixel values",
        f"{values:,}",
        "Give fewer or smaller images; a few hundred per class are enough for a scan.",
    )


def _is_usual(raw: Array) -> bool:
    return raw.dtype == np.uint8 or (raw.dtype.kind == "f" and bool(raw.max() <= 1))


def _is_plainly_8_bit(raw: Array) -> bool:
    if raw.dtype == np.uint8 or raw.dtype.kind not in "iuf" or raw.size == 0:
        return False
    if not 1 < raw.max() <= 255 or raw.min() < 0:
        return False
    return raw.dtype.kind != "f" or bool((raw == np.floor(raw)).all())


def _check_floats(raw: Array, what: str) -> None:
    low, high = float(raw.min()), float(raw.max())
    if not np.isfinite((low, high)).all():
        raise DataError(f"finite values in {what}", "NaN or infinite values", "Remove or repair those images.")
    if low < 0 or high > 1:
        raise DataError(
            f"float {what} between 0 and 1",
            f"values from {low:g} to {high:g}",
            "Undo any normalisation and divide by the largest possible value, or save 8-bit pixels as uint8.",
        )


def _channels_first(raw: Array, what: str) -> Array:
    if raw.ndim == 3:
        return raw[:, None]
    _, a, b, c = raw.shape
    first, last = a <= MAX_CHANNELS, c <= MAX_CHANNELS
    if not first and not last:
        raise DataError(
            f"{what} of shape (n, h, w), (n, h, w, c) or (n, c, h, w) with 1 to {MAX_CHANNELS} channels",
            f"shape {raw.shape}",
            "Move or cut the channels.",
        )
    if first and last:
        last = a == b or b != c
    return np.moveaxis(raw, 3, 1) if last else raw


def _class_names(names: tuple[str, ...] | None, labels: Labels) -> tuple[str, ...]:
    count = int(labels.max()) + 1
    if names is None:
        # A stray label must be reported, and must not create a list of two billion names.
        if count > len(labels):
            raise DataError(
                "labels from 0 to the number of classes - 1",
                f"a label {count - 1} among {len(labels)} images",
                "Number the classes 0, 1, 2, ...",
            )
        names = tuple(str(i) for i in range(count))
    if len(names) < 2:
        raise DataError("at least two classes", f"{len(names)}", "Give images of every class the model knows.")
    if len(set(names)) < len(names) or not all(names):
        raise DataError("class names that differ", repr(names), "Give every class its own name.")
    for name in names:
        if (found := control_character(name)) or len(name) > MAX_NAME:
            raise DataError(
                f"class names of at most {MAX_NAME} characters, none of which steers a terminal",
                f"{name[:MAX_NAME]!a}, with {found or f'{len(name)} characters'}",
                "Rename that class.",
            )
    if count > len(names):
        raise DataError(
            f"labels from 0 to {len(names) - 1}, as there are {len(names)} class names",
            f"a label {count - 1}",
            "Give a name to every class or correct the labels.",
        )
    return names


def _check_lengths(split: str, raw: Array, labels: Labels) -> None:
    if raw.ndim == 0 or len(raw) != len(labels):
        raise DataError(
            f"as many labels in y_{split} as images in x_{split}",
            f"{len(labels)} labels and {len(raw) if raw.ndim else 0} images",
            "Make the two arrays the same length.",
        )


def _check_classes(split: str, labels: Labels, names: tuple[str, ...]) -> None:
    counts = np.bincount(labels, minlength=len(names))
    if not counts.all():
        missing = np.flatnonzero(counts == 0)
        more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
        raise DataError(
            f"{split} images of every class",
            f"none of class {', '.join(f'{label} ({names[label]})' for label in missing[:3].tolist())}{more}",
            "Add images of it, or number the classes without gaps.",
        )
