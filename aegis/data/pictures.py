"""Picture files, one folder per class, as arrays."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from aegis.data.arrays import MAX_VALUES, Array, Arrays, too_large
from aegis.data.tree import File, walk
from aegis.errors import DataError

SPLITS = ("train", "test")
# Without splits of their own, the first of every five images of a class is held out: its place among the sorted
# names decides, so that the same folder gives the same split everywhere.
HELD_OUT = 5

Picture = tuple[PurePosixPath, Array]


def read_pictures(source: Path, size: int | None = None) -> Arrays:
    """Read a folder or archive with one folder per class, in which ``train`` and ``test`` may come first.

    Args:
        source: a folder, a zip file or a tar archive.
        size: side in pixels to which images are scaled and cropped, or None to require one common size.

    Raises:
        DataError: if the layout or an image cannot be used.
    """
    pictures = sorted(_decode_all(source, walk(source), size), key=lambda picture: picture[0])
    pictures = _without_common_top(pictures)
    has_splits = {path.parts[0] for path, _ in pictures} == set(SPLITS)
    for path, _ in pictures:
        if len(path.parts) != 2 + has_splits:
            raise _layout_error(source, f"a picture at {path}")
    train, test = _by_folder(pictures) if has_splits else _every_fifth(pictures)
    names = tuple(sorted({path.parts[-2] for path, _ in pictures}))
    if len(names) < 2 or not train or not test:
        raise _layout_error(source, f"{len(pictures)} pictures in {len(names)} classes")
    return Arrays(*_stack(train, names), *_stack(test, names), names)


def _decode_all(source: Path, files: Iterable[File], size: int | None) -> list[Picture]:
    pictures: list[Picture] = []
    values = 0
    for path, content in files:
        image = _open(path, content)
        values += image.width * image.height * 3 if size is None else size * size * 3
        if values > MAX_VALUES:
            raise too_large(f"pictures in {source.name}", values)
        pixels = _decode(path, image, size)
        if pictures and pixels.shape[:2] != pictures[0][1].shape[:2]:
            first, shape = pictures[0][1].shape[:2], pixels.shape[:2]
            raise DataError(
                f"pictures of one size in {source.name}",
                f"{first[1]} x {first[0]} at {pictures[0][0]} but {shape[1]} x {shape[0]} at {path}",
                "Give the side in pixels to which all are scaled and cropped (size), or scale them yourself.",
            )
        pictures.append((path, pixels))
    if not pictures:
        raise _layout_error(source, "no files")
    return pictures


def _open(path: PurePosixPath, content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow only warns between its limit and twice that; both are far beyond any image to scan.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(content))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            f"pictures of at most {Image.MAX_IMAGE_PIXELS:,} pixels", f"{path}: {error}", "Leave it out."
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError("picture files only", f"{path}, which is none", "Remove or replace that file.") from error


def _decode(path: PurePosixPath, image: Image.Image, size: int | None) -> Array:
    try:
        image.load()
        image = _eight_bit(path, image)
        if size is not None:
            image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise DataError("whole picture files", f"{path}: {error}", "Remove or replace that file.") from error
    return np.asarray(image)


def _eight_bit(path: PurePosixPath, image: Image.Image) -> Image.Image:
    """Greyscale as ``L`` and everything else as ``RGB``; transparency is dropped."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise DataError("pictures of 8 or 16 bits a channel", f"{path} with mode {image.mode}", "Convert it first.")
    if image.mode in ("1", "L", "LA", "La"):
        return image.convert("L")
    colours = image.convert("RGB")
    if image.mode == "P" and _is_grey(np.asarray(colours)):
        return colours.convert("L")
    return colours


def _is_grey(pixels: Array) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _without_common_top(pictures: list[Picture]) -> list[Picture]:
    while len(pictures[0][0].parts) > 2 and len({path.parts[0] for path, _ in pictures}) == 1:
        if pictures[0][0].parts[0] in SPLITS:
            break
        pictures = [(PurePosixPath(*path.parts[1:]), pixels) for path, pixels in pictures]
    return pictures


def _by_folder(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    train, test = ([p for p in pictures if p[0].parts[0] == split] for split in SPLITS)
    return train, test


def _every_fifth(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    seen: dict[str, int] = {}
    train: list[Picture] = []
    test: list[Picture] = []
    for picture in pictures:
        name = picture[0].parts[0]
        place = seen[name] = seen.get(name, -1) + 1
        (train if place % HELD_OUT else test).append(picture)
    return train, test


def _stack(pictures: Sequence[Picture], names: tuple[str, ...]) -> tuple[Array, Array]:
    labels = {name: label for label, name in enumerate(names)}
    colour = any(pixels.ndim == 3 for _, pixels in pictures)
    images = [np.stack([p] * 3, axis=2) if colour and p.ndim == 2 else p for _, p in pictures]
    return np.stack(images), np.array([labels[path.parts[-2]] for path, _ in pictures], dtype=np.int64)


def _layout_error(source: Path, got: str) -> DataError:
    return DataError(
        f"one folder of pictures per class in {source} (CLASS/picture, or train/CLASS/picture and test/CLASS/picture)",
        got,
        "Arrange the pictures so; give several of at least two classes.",
    )
