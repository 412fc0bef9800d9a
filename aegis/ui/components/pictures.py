"""Pictures of the Scan page: strips of translated images, triggers on benign images; no Streamlit here."""

from __future__ import annotations

import base64

import numpy as np
from jaxtyping import Float32, UInt8

from aegis.core.types import CandidateTrigger, LabelledImages, Stamp, as_8_bit
from aegis.records.pictures import as_rgb
from aegis.ui.components.gallery import grow, png

Picture = UInt8[np.ndarray, "rows columns 3"]
# Background of a patch.
EMPTY = 0.5


def as_picture(image: Float32[np.ndarray, "c h w"], side: int = 112) -> Picture:
    """Convert an image to 8-bit colours and enlarge it by whole pixels to about a side.

    Args:
        image: in [0, 1].
        side: in pixels.

    Returns:
        The picture.
    """
    return grow(as_rgb(as_8_bit(image)), side)


def address(picture: Picture) -> str:
    """Encode a picture as a data URL.

    Args:
        picture: the picture.

    Returns:
        The URL.
    """
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode()}"


def strip(frames: Float32[np.ndarray, "n c h w"], side: int = 56) -> Picture:
    """Put images side by side with a gap between them.

    Args:
        frames: in [0, 1].
        side: of each, in pixels.

    Returns:
        One picture.
    """
    cells = [as_picture(frame, side) for frame in frames]
    height = cells[0].shape[0]
    gap = np.full((height, 4, 3), 128, np.uint8)
    row = [part for cell in cells for part in (cell, gap)][:-1]
    return np.concatenate(row, axis=1)


def trigger_picture(candidate: CandidateTrigger) -> Float32[np.ndarray, "c h w"]:
    """Draw a trigger alone: a patch on grey, or a perturbation around grey scaled to full strength.

    Args:
        candidate: the trigger.

    Returns:
        An image in [0, 1].
    """
    stamp = candidate.shown
    if candidate.family != "perturbation":
        alone: np.ndarray = stamp.add + EMPTY * stamp.keep
        return alone
    largest = max(float(np.abs(stamp.add).max()), 1e-6)
    return np.asarray(EMPTY + stamp.add / (2 * largest), np.float32)


def stamped(image: Float32[np.ndarray, "c h w"], stamp: Stamp) -> Float32[np.ndarray, "c h w"]:
    """Apply a trigger to one image.

    Args:
        image: in [0, 1].
        stamp: the trigger.

    Returns:
        The image with it.
    """
    changed: np.ndarray = stamp(image[None])[0]
    return changed


def benign_image(
    images: LabelledImages, candidate: CandidateTrigger
) -> tuple[Float32[np.ndarray, "c h w"], int] | None:
    """Find a held-out image of the class on which the trigger works best.

    Args:
        images: the test images.
        candidate: the trigger.

    Returns:
        The image and its label; None if there is none.
    """
    for label in np.argsort(-np.nan_to_num(candidate.flip_rates, nan=-1)).tolist():
        found = np.flatnonzero(images.labels == label)
        if len(found) and not np.isnan(candidate.flip_rates[label]):
            return images.pixels[found[0]], int(label)
    return None
