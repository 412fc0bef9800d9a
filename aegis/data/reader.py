"""Reads a data set again as it was read before: in other processes, and from a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from aegis.core.errors import DataError
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.data.conversion import CHANNELS


def _silent(said: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Reader:
    """Reads data sets at one size and with the same channels; other processes may be sent one.

    Args:
        size, channels: as in ``load_dataset``.
        tell: as in ``load_dataset``; no part of what makes two readers equal, or of what other processes
            are sent.
    """

    size: int | None = None
    channels: int | None = None
    tell: Annotated[Callable[[str], None], Field(exclude=True)] = field(default=_silent, compare=False)

    def __call__(self, source: str) -> Dataset:
        """Reads a data set.

        Args:
            source: name or path, as in ``load_dataset``.

        Raises:
            DataError: as ``load_dataset``.
        """
        return load_dataset(source, size=self.size, channels=self.channels, tell=self.tell)


def same_images(images: Dataset, digest: str) -> Dataset:
    """Gives images on, unless they are others than elsewhere.

    Args:
        images: that are read here.
        digest: of the data set elsewhere, in hex; empty if nobody read it.

    Returns:
        The images.

    Raises:
        DataError: if they are others.
    """
    if digest and images.digest != digest:
        raise DataError(
            f"the images {images.name} that others have",
            "other images of this name",
            "Give every node the same images.",
        )
    return images


def load_as_recorded(source: str, digest: str, shape: tuple[int, int, int]) -> Dataset:
    """Reads the images of an earlier scan, which may have been scaled or converted for it.

    Args:
        source: name or path.
        digest: of the data set that was scanned, in hex.
        shape: channels, height and width of its images.

    Returns:
        The data set; another one if the source has changed.

    Raises:
        DataError: if it can be read in neither way.
    """
    try:
        found = load_dataset(source)
    except DataError:
        found = None
    if found is not None and found.digest == digest:
        return found
    channels, height, width = shape
    again = Reader(height if height == width else None, channels if channels in CHANNELS else None)
    try:
        return again(source)
    except DataError:
        if found is None:
            raise
        return found
