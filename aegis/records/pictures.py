"""Converts arrays to pictures of images and triggers."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from aegis.core.types import CandidateTrigger, as_8_bit

Rgb = UInt8[np.ndarray, "h w 3"]

# Background of a patch: tinted, so that its grey and white pixels stay visible.
UNTOUCHED = (214, 226, 240)
# Side in pixels: PDF readers blur smaller pictures when they enlarge them.
SIDE = 168


def as_rgb(pictures: UInt8[np.ndarray, "*b c h w"]) -> UInt8[np.ndarray, "*b h w 3"]:
    """Convert pictures to colour; other than three channels are averaged to grey.

    Args:
        pictures: 8 bits, channels third from last.

    Returns:
        The same with channels last.
    """
    if pictures.shape[-3] != 3:
        pictures = pictures.mean(axis=-3, keepdims=True).round().astype(np.uint8)
    last = np.moveaxis(pictures, -3, -1)
    coloured: np.ndarray = np.ascontiguousarray(np.broadcast_to(last, (*last.shape[:-1], 3)))
    return coloured


def trigger(candidate: CandidateTrigger) -> Rgb:
    """Draw a candidate trigger alone: the pixels of a patch, or a perturbation in diverging colours.

    Args:
        candidate: the candidate.

    Returns:
        The picture.
    """
    stamp = candidate.shown
    if candidate.family != "perturbation":
        tint = np.array(UNTOUCHED, np.float32)[:, None, None] / 255
        return as_rgb(as_8_bit(_three(stamp.add) + _three(stamp.keep) * tint))
    change = stamp.add.mean(axis=0)
    return coloured(0.5 + change / (2 * max(float(np.abs(change).max()), 1e-12)), "PuOr")


def _three(image: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "3 h w"]:
    return image if len(image) == 3 else np.repeat(image.mean(axis=0, keepdims=True), 3, axis=0)


def coloured(values: Float32[np.ndarray, "h w"], palette: str) -> Rgb:
    """Colour values by a colour map.

    Args:
        values: in [0, 1].
        palette: name of a matplotlib colour map.

    Returns:
        The picture.
    """
    from matplotlib import colormaps

    return np.asarray(colormaps[palette](values, bytes=True)[..., :3])


def strip(pictures: list[Rgb], side: int = SIDE // 2) -> UInt8[np.ndarray, "side across 3"]:
    """Put pictures side by side with narrow white gaps.

    Args:
        pictures: at least one.
        side: height in pixels.

    Returns:
        One picture.
    """
    gap = np.full((side, max(side // 16, 2), 3), 255, np.uint8)
    scaled = [np.asarray(_scaled(picture, side)) for picture in pictures]
    return np.concatenate([part for picture in scaled for part in (picture, gap)][:-1], axis=1)


def png(picture: Rgb, side: int | None = SIDE) -> io.BytesIO:
    """Encode a picture as PNG.

    Args:
        picture: the picture.
        side: height in pixels that it is scaled to; None leaves it as it is.

    Returns:
        The file, at its beginning.
    """
    image = Image.fromarray(picture) if side is None else _scaled(picture, side)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    file.seek(0)
    return file


def _scaled(picture: Rgb, side: int) -> Image.Image:
    height, width = picture.shape[:2]
    size = (max(1, round(width * side / height)), side)
    # Enlarged pixels stay sharp squares.
    method = Image.Resampling.NEAREST if side >= height else Image.Resampling.BOX
    return Image.fromarray(picture).resize(size, method)


def where_changed(
    seeds: Float32[np.ndarray, "n c h w"], translated: Float32[np.ndarray, "n c h w"]
) -> Float32[np.ndarray, "h w"]:
    """Average how much each pixel changed, over images and channels.

    Args:
        seeds: images before translation, in [0, 1].
        translated: the same after it.

    Returns:
        Mean absolute changes, in [0, 1].
    """
    where: np.ndarray = np.abs(translated - seeds).mean(axis=(0, 1))
    return where
