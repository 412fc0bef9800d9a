"""Converts a data set to the size and channels that a model expects."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from aegis.core.errors import DataError
from aegis.core.types import Dataset, LabelledImages
from aegis.data.arrays import Array

MAX_SIZE = 1024
CHANNELS = (1, 3)
# How bright red, green and blue look (ITU-R 601), as every usual library weighs them.
_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)


def check_size(size: int | None, limit: int = MAX_SIZE) -> None:
    """Checks a size that was asked for.

    Args:
        size: side in pixels, or None.
        limit: largest side.

    Raises:
        DataError: if it is outside 1 to the limit.
    """
    if size is not None and not 1 <= size <= limit:
        raise DataError(f"a size from 1 to {limit} pixels", str(size), "Give the side that the model expects.")


def converted(data: Dataset, size: int | None = None, channels: int | None = None) -> Dataset:
    """Converts images to a size and a number of channels.

    Args:
        data: the data set.
        size: side in pixels, or None to keep it.
        channels: 1 or 3, or None to keep them.

    Returns:
        The data set under the same name; itself if nothing changes.

    Raises:
        DataError: for other sizes and channels.
    """
    check_size(size)
    if channels not in (None, *CHANNELS):
        raise DataError("1 channel (grey) or 3 (colour)", str(channels), "Give what the model expects.")
    if channels not in (None, data.shape[0]):
        data = _changed(data, lambda pixels: _with_channels(pixels, channels or 0))
    if size is not None and data.shape[1:] != (size, size):
        data = _changed(data, lambda pixels: _scaled(pixels, size))
    return data


def _changed(data: Dataset, change: Callable[[Array], Array]) -> Dataset:
    splits = (LabelledImages(change(part.pixels), part.labels, part.class_names) for part in (data.train, data.test))
    return Dataset(data.name, *splits)


def _with_channels(pixels: Array, channels: int) -> Array:
    given = pixels.shape[1]
    if given == 1:
        return np.repeat(pixels, channels, axis=1)
    if given < 3:
        raise DataError("images of 1, 3 or 4 channels to convert", f"{given} channels", "Convert them yourself.")
    colours = pixels[:, :3]
    if channels == 3:
        return np.ascontiguousarray(colours)
    # Grey pictures that were saved in colour keep their values to the last bit.
    if (colours == colours[:, :1]).all():
        return np.ascontiguousarray(colours[:, :1])
    grey: Array = np.einsum("nchw,c->nhw", colours, _WEIGHTS)[:, None]
    return np.clip(grey, 0, 1)


def _scaled(pixels: Array, size: int) -> Array:
    """Scales images to squares after cropping the longer side, as pictures are scaled when they are read."""
    *_, height, width = pixels.shape
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    flat = pixels.reshape(-1, height, width)
    scaled = np.empty((len(flat), size, size), np.float32)
    for i, image in enumerate(flat):
        scaled[i] = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR, box=box))
    # Weights that sum to one may pass 1 by the last digit.
    return np.clip(scaled.reshape(*pixels.shape[:2], size, size), 0, 1)
