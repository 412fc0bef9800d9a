"""Reads folders and archives of picture files as arrays."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from aegis.core.errors import DataError
from aegis.data import tables
from aegis.data.arrays import MAX_VALUES, Array, Arrays, too_large
from aegis.data.decode import HEAD, begins_as_picture, is_named_picture, open_picture, pixels_of
from aegis.data.layout import LayoutError, arrange, listed
from aegis.data.tables import Table, read_table
from aegis.data.tree import MAX_FILE_BYTES, Parts, walk

# With a target size, more may be decoded than is kept: 5,000 photographs of one megapixel fit.
MAX_DECODED = 2**34
# Bytes of text and number of tables that are looked at; a data set has one table or two, or one for each class.
MAX_TEXT = 64 * 2**20
MAX_TABLES = 32


def read_pictures(source: Path, size: int | None = None) -> Arrays:
    """Reads a folder or archive of pictures whose folders, tables or names say their classes.

    Args:
        source: a folder, a zip file or a tar archive.
        size: side in pixels to which images are scaled and cropped, or None to require one common size.

    Returns:
        Both splits, uint8 of shape (n, h, w) or (n, h, w, 3), the class names, and what the user is to be told.

    Raises:
        DataError: if the layout or an image cannot be used.
    """
    paths, beside, listings = _survey(source)
    try:
        layout = arrange(paths, listings)
    except LayoutError as error:
        raise _layout_error(source, str(error)) from error
    with warnings.catch_warnings():
        # Pillow warns of damaged metadata beside intact pixels; damaged pixels still raise errors.
        warnings.simplefilter("ignore")
        decoded = _decode_all(source, {*layout.train, *layout.test}, size)
    number = {name: label for label, name in enumerate(layout.class_names)}
    train, test = (_stack(decoded, split, number) for split in (layout.train, layout.test))
    # Files beside the folders of classes (a readme, a list of labels) are no surprise.
    among = [path for path in beside if len(path) > 1 and not any("/".join(path) in note for note in layout.notes)]
    notes = [f"Files that are no pictures were left out: {listed(among)}."] if among else []
    return Arrays(*train, *test, layout.class_names, (*layout.notes, *notes))


def _survey(source: Path) -> tuple[list[Parts], list[Parts], list[Table]]:
    """Paths of pictures and of other files, and the tables among these; pictures are not read yet."""
    pictures: list[Parts] = []
    texts: dict[Parts, bytes] = {}
    room = MAX_TEXT
    for path, content in walk(source, _wanted):
        if is_named_picture(path[-1]) or begins_as_picture(content):
            pictures.append(path)
            continue
        room -= len(content)
        texts[path] = content if room > 0 and path[-1].lower().endswith(tables.ENDINGS) else b""
    # A table of all pictures lies above those of single classes.
    likely = sorted((path for path, content in texts.items() if content), key=lambda path: (len(path), path))
    found = (read_table(path, texts[path]) for path in likely[:MAX_TABLES])
    return pictures, sorted(texts), [table for table in found if table]


def _wanted(path: Parts) -> int:
    if is_named_picture(path[-1]):
        return 0
    return tables.MAX_BYTES if path[-1].lower().endswith(tables.ENDINGS) else HEAD


def _decode_all(source: Path, wanted: Collection[Parts], size: int | None) -> dict[Parts, Array]:
    pictures: dict[Parts, Array] = {}
    decoded, first = 0, None
    for parts, content in walk(source, lambda parts: MAX_FILE_BYTES if parts in wanted else 0):
        if parts not in wanted:
            continue
        path = "/".join(parts)
        image = open_picture(path, content)
        decoded += 3 * image.width * image.height
        if decoded > (MAX_VALUES if size is None else MAX_DECODED):
            raise too_large(f"pictures in {source.name}", decoded)
        pixels = pixels_of(path, image, size)
        first = first or (path, pixels.shape)
        if pixels.shape[:2] != first[1][:2]:
            raise DataError(
                f"pictures of one size in {source.name}",
                f"{first[1][1]} x {first[1][0]} at {first[0]} but {pixels.shape[1]} x {pixels.shape[0]} at {path}",
                "Give the side in pixels that the model expects, to which all are scaled and cropped: --size N, in "
                "Python size=N.",
            )
        pictures[parts] = pixels
    if len(pictures) < len(wanted):
        raise DataError(f"{len(wanted):,} pictures in {source.name}", f"{len(pictures):,} a moment later", "Try again.")
    return _all_grey_or_all_colour(pictures)


def _all_grey_or_all_colour(pictures: dict[Parts, Array]) -> dict[Parts, Array]:
    if len({pixels.ndim for pixels in pictures.values()}) < 2:
        return pictures
    return {path: pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=2) for path, pixels in pictures.items()}


def _stack(
    decoded: Mapping[Parts, Array], classes: Mapping[Parts, str], number: Mapping[str, int]
) -> tuple[Array, Array]:
    images = np.stack([decoded[path] for path in classes])
    return images, np.array([number[name] for name in classes.values()], dtype=np.int64)


def _layout_error(source: Path, got: str) -> DataError:
    return DataError(
        f"one folder of pictures per class in {source} (CLASS/picture, or train/CLASS/picture and test/CLASS/picture)",
        got,
        "Arrange the pictures so, or give a CSV file beside them with the columns filename and class; give several of "
        "at least two classes.",
    )
