"""Decodes one picture file from an untrusted source."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image, ImageOps

from aegis.core.errors import DataError
from aegis.data.arrays import Array

# Pillow's readers of other formats are rarely used and rarely audited, and one of them (EPS) runs code from the file.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
)
# How files of these formats begin, and how many bytes it takes to see it.
_BEGINNING = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\0\0\0\0|P[1-7f]\s|II[*+]\0|MM\0[*+]|RIFF.{4}WEBP", re.DOTALL
)
HEAD = 16


def is_named_picture(name: str) -> bool:
    """Tells whether a file's name ends like that of a picture.

    Args:
        name: of the file.
    """
    return name.lower().endswith(ENDINGS)


def begins_as_picture(head: bytes) -> bool:
    """Tells whether a file begins like a picture of a known format, whatever its name.

    Args:
        head: its first bytes, at least ``HEAD`` if it has as many.
    """
    return _BEGINNING.match(head) is not None


def open_picture(path: str, content: bytes) -> Image.Image:
    """Reads the heading of a picture, and none of its pixels.

    Args:
        path: of the file, for messages.
        content: of the file.

    Raises:
        DataError: if it is no picture of a known format, or a decompression bomb.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _bomb(path) from error
    # Pillow's many readers may raise anything on a damaged file.
    except Exception as error:
        raise DataError(
            "picture files only: PNG, JPEG, BMP, GIF, PPM, TIFF or WebP",
            f"{path}, which is none",
            "Remove or convert that file.",
        ) from error
    # Pillow itself only warns up to twice its limit.
    if Image.MAX_IMAGE_PIXELS is not None and image.width * image.height > Image.MAX_IMAGE_PIXELS:
        raise _bomb(path)
    return image


def pixels_of(path: str, image: Image.Image, size: int | None) -> Array:
    """Decodes the pixels of an opened picture.

    Args:
        path: of the file, for messages.
        image: the opened picture.
        size: side in pixels to which it is scaled and cropped, or None to keep its own.

    Returns:
        uint8 of shape (h, w) for grey pictures, else (h, w, 3); transparency is left out.

    Raises:
        DataError: if it is damaged, or of more than 16 bits a channel.
    """
    try:
        image.load()
    except Exception as error:
        raise DataError("whole picture files", f"{path}: {error}", "Remove or replace that file.") from error
    image = _eight_bit(path, image)
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _bomb(path: str) -> DataError:
    return DataError(
        f"pictures of at most {Image.MAX_IMAGE_PIXELS:,} pixels", f"more at {path}", "Scale it down or leave it out."
    )


def _eight_bit(path: str, image: Image.Image) -> Image.Image:
    """Converts greyscale to mode ``L`` and everything else to ``RGB``, without transparency."""
    if image.mode in ("L", "RGB"):
        return image
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError("pictures of 8 or 16 bits a channel", f"{path} with mode {image.mode}", "Convert it first.")
    if image.mode in ("1", "LA", "La"):
        return image.convert("L")
    colours = image.convert("RGB")
    pixels = np.asarray(colours)
    is_grey = image.mode == "P" and (pixels == pixels[..., :1]).all()
    return colours.convert("L") if is_grey else colours
