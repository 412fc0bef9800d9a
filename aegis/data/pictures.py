"""Reads picture files, one folder per class, as arrays."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from aegis.core.errors import DataError
from aegis.data.arrays import MAX_VALUES, Array, Arrays, too_large
from aegis.data.tree import File, Parts, walk

SPLITS = ("train", "test")
# Without folders for splits, the first of every five images of a class is held out. Its place among the sorted names
# decides, so that the same folder gives the same split on every machine.
HELD_OUT = 5

# With a target size, more may be decoded than is kept: 5,000 photographs of one megapixel fit.
MAX_DECODED = 2**34
# Pillow's readers of other formats are rarely used and rarely audited, and one of them (EPS) runs code from the file.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

Picture = tuple[Parts, Array]


def read_pictures(source: Path, size: int | None = None) -> Arrays:
    """Reads a folder or archive with one folder per class, optionally inside folders ``train`` and ``test``.

    Args:
        source: a folder, a zip file or a tar archive.
        size: side in pixels to which images are scaled and cropped, or None to require one common size.

    Returns:
        Both splits, uint8 of shape (n, h, w) or (n, h, w, 3), and the class names.

    Raises:
        DataError: if the layout or an image cannot be used.
    """
    with warnings.catch_warnings():
        # Pillow warns of damaged metadata beside intact pixels; damaged pixels still raise errors.
        warnings.simplefilter("ignore")
        pictures = _decode_all(source, walk(source), size)
    pictures = _without_common_top(sorted(pictures, key=lambda picture: picture[0]))
    has_splits = {parts[0] for parts, _ in pictures} == set(SPLITS)
    for parts, _ in pictures:
        if len(parts) != 2 + has_splits:
            raise _layout_error(source, f"a picture at {'/'.join(parts)}")
    pictures = _all_grey_or_all_colour(pictures)
    if has_splits:
        train, test = ([picture for picture in pictures if picture[0][0] == split] for split in SPLITS)
    else:
        train, test = _every_fifth(pictures)
    names = tuple(sorted({parts[-2] for parts, _ in pictures}))
    if len(names) < 2 or not train or not test:
        raise _layout_error(source, f"{len(pictures)} pictures in {len(names)} classes")
    return Arrays(*_stack(train, names), *_stack(test, names), names)


def _decode_all(source: Path, files: Iterable[File], size: int | None) -> list[Picture]:
    pictures: list[Picture] = []
    decoded = 0
    for parts, content in files:
        # Files beside the folders (a readme, a list of labels) belong to no class.
        if len(parts) == 1:
            continue
        path = "/".join(parts)
        image = _open(path, content)
        decoded += 3 * image.width * image.height
        if decoded > (MAX_VALUES if size is None else MAX_DECODED):
            raise too_large(f"pictures in {source.name}", decoded)
        pixels = _decode(path, image, size)
        if pictures and pixels.shape[:2] != pictures[0][1].shape[:2]:
            first, shape = pictures[0][1].shape[:2], pixels.shape[:2]
            raise DataError(
                f"pictures of one size in {source.name}",
                f"{first[1]} x {first[0]} at {'/'.join(pictures[0][0])} but {shape[1]} x {shape[0]} at {path}",
                "Scale and crop them all to the size that the model expects; in Python, aegis.load_dataset does it if "
                "it is given size.",
            )
        pictures.append((parts, pixels))
    if not pictures:
        raise _layout_error(source, "no pictures inside folders")
    return pictures


def _open(path: str, content: bytes) -> Image.Image:
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


def _bomb(path: str) -> DataError:
    return DataError(
        f"pictures of at most {Image.MAX_IMAGE_PIXELS:,} pixels", f"more at {path}", "Scale it down or leave it out."
    )


def _decode(path: str, image: Image.Image, size: int | None) -> Array:
    try:
        image.load()
    except Exception as error:
        raise DataError("whole picture files", f"{path}: {error}", "Remove or replace that file.") from error
    image = _eight_bit(path, image)
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


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


def _without_common_top(pictures: list[Picture]) -> list[Picture]:
    first, depth = pictures[0][0], 0
    # Archives may nest folders deeper than Python can recurse.
    while first[depth] not in SPLITS and all(
        len(parts) >= depth + 3 and parts[depth] == first[depth] for parts, _ in pictures
    ):
        depth += 1
    return [(parts[depth:], pixels) for parts, pixels in pictures]


def _all_grey_or_all_colour(pictures: list[Picture]) -> list[Picture]:
    if len({pixels.ndim for _, pixels in pictures}) == 1:
        return pictures
    return [(parts, pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=2)) for parts, pixels in pictures]


def _every_fifth(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    seen: Counter[str] = Counter()
    train: list[Picture] = []
    test: list[Picture] = []
    for picture in pictures:
        name = picture[0][0]
        (train if seen[name] % HELD_OUT else test).append(picture)
        seen[name] += 1
    return train, test


def _stack(pictures: Sequence[Picture], names: tuple[str, ...]) -> tuple[Array, Array]:
    labels = {name: label for label, name in enumerate(names)}
    images = np.stack([pixels for _, pixels in pictures])
    return images, np.array([labels[parts[-2]] for parts, _ in pictures], dtype=np.int64)


def _layout_error(source: Path, got: str) -> DataError:
    return DataError(
        f"one folder of pictures per class in {source} (CLASS/picture, or train/CLASS/picture and test/CLASS/picture)",
        got,
        "Arrange the pictures so; give several of at least two classes.",
    )
