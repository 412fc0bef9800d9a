"""Arrays as pictures: images in rows, triggers made visible."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from aegis.core.types import CandidateTrigger

Rgb = UInt8[np.ndarray, "h w 3"]

# Where a patch touches nothing: a tint, so that neither a grey nor a white pixel of it is lost.
UNTOUCHED = (214, 226, 240)
# Pixels to which a picture is enlarged: readers smooth what is smaller.
SIDE = 168


def as_8_bit(pixels: Float32[np.ndarray, "*b c h w"]) -> UInt8[np.ndarray, "*b c h w"]:
    """Pixels in [0, 1] as 8-bit pictures; what lies beyond is cut off."""
    pictures: np.ndarray = (pixels * 255).round().clip(0, 255).astype(np.uint8)
    return pictures


def as_rgb(pictures: UInt8[np.ndarray, "*b c h w"]) -> UInt8[np.ndarray, "*b h w 3"]:
    """Pictures in colour; where there are not three channels, their mean in grey."""
    if pictures.shape[-3] != 3:
        pictures = pictures.mean(axis=-3, keepdims=True).round().astype(np.uint8)
    last = np.moveaxis(pictures, -3, -1)
    coloured: np.ndarray = np.ascontiguousarray(np.broadcast_to(last, (*last.shape[:-1], 3)))
    return coloured


def trigger(candidate: CandidateTrigger) -> Rgb:
    """A candidate trigger alone: the pixels of a patch, or a perturbation in diverging colours."""
    stamp = candidate.shown
    if candidate.family != "perturbation":
        tint = np.array(UNTOUCHED, np.float32)[:, None, None] / 255
        return as_rgb(as_8_bit(_three(stamp.add) + _three(stamp.keep) * tint))
    change = stamp.add.mean(axis=0)
    return coloured(0.5 + change / (2 * max(float(np.abs(change).max()), 1e-12)), "PuOr")


def _three(image: Float32[np.ndarray, "c h w"]) -> Float32[np.ndarray, "3 h w"]:
    return image if len(image) == 3 else np.repeat(image.mean(axis=0, keepdims=True), 3, axis=0)


def coloured(values: Float32[np.ndarray, "h w"], palette: str) -> Rgb:
    """Values in [0, 1] in the colours of a matplotlib colour map."""
    from matplotlib import colormaps

    return np.asarray(colormaps[palette](values, bytes=True)[..., :3])


def strip(pictures: list[Rgb], side: int = SIDE // 2) -> UInt8[np.ndarray, "side across 3"]:
    """Pictures side by side with narrow white gaps."""
    gap = np.full((side, max(side // 16, 2), 3), 255, np.uint8)
    scaled = [np.asarray(_scaled(picture, side)) for picture in pictures]
    return np.concatenate([part for picture in scaled for part in (picture, gap)][:-1], axis=1)


def png(picture: Rgb, side: int | None = SIDE) -> io.BytesIO:
    """A picture as a file, scaled to a height in pixels."""
    image = Image.fromarray(picture) if side is None else _scaled(picture, side)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    file.seek(0)
    return file


def _scaled(picture: Rgb, side: int) -> Image.Image:
    height, width = picture.shape[:2]
    size = (max(1, round(width * side / height)), side)
    # Pixels stay squares when they grow.
    method = Image.Resampling.NEAREST if side >= height else Image.Resampling.BOX
    return Image.fromarray(picture).resize(size, method)


def where_changed(
    seeds: Float32[np.ndarray, "n c h w"], translated: Float32[np.ndarray, "n c h w"]
) -> Float32[np.ndarray, "h w"]:
    """Mean absolute change of each pixel over images and channels, in [0, 1], shape (h, w)."""
    where: np.ndarray = np.abs(translated - seeds).mean(axis=(0, 1))
    return where
