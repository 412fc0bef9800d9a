"""Loads a checkpoint and its images, from options and the card."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.cli.options import numbers
from aegis.cli.output import Printer, clean
from aegis.cli.progress import waiting
from aegis.core.errors import CheckpointError, DataError
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.models.card import MAX_SIDE
from aegis.services.image_source import source_of

# What torch says of images with other channels or of another size than a network's first and last layers take.
_CHANNELS = re.compile(r"to have ([13]) channels, but got [134] channels")
_SIZES = re.compile(r"shapes cannot be multiplied|[Kk]ernel size can't be greater|Output size is too small")

if TYPE_CHECKING:
    from aegis.models.load import Suspect


def images_for(checkpoint: Path, data: str | None, size: int | None, channels: int | None, quiet: bool) -> Dataset:
    """Loads the images asked for, or the bundled sample of the data set on the card, and tells how they were read.

    Args:
        checkpoint: the file with the card.
        data: name or path as it was typed; None where it was left out.
        size, channels: as in ``load_dataset``.
        quiet: tell nothing.

    Raises:
        AegisError: if the file is no checkpoint, or there are no such images.
    """
    told: list[str] = []
    with waiting("reading images", quiet):
        images = load_dataset(source_of(checkpoint, data), size=size, channels=channels, tell=told.append)
    check_side(images)
    tell(told, quiet)
    return images


def check_side(images: Dataset) -> None:
    """Checks that images are no larger than a model's card allows.

    Raises:
        DataError: if they are.
    """
    _, height, width = images.shape
    if max(height, width) > MAX_SIDE:
        raise DataError(
            f"images of at most {MAX_SIDE} x {MAX_SIDE} pixels",
            f"{width} x {height}",
            f"Give the side that the model was trained with, to which they are scaled and cropped: --size {MAX_SIDE}.",
        )


def tell(told: Sequence[str], quiet: bool) -> None:
    """Tells how images were read, on the stream of messages.

    Args:
        told: sentences.
        quiet: tell nothing.
    """
    if not quiet:
        for sentence in told:
            Printer(stderr=True).note(clean(sentence, 400))


def load(
    checkpoint: Path,
    images: Dataset,
    arch: str | None = None,
    mean: str | None = None,
    std: str | None = None,
    entry: str | None = None,
    quiet: bool = False,
) -> Suspect:
    """Loads the model in the sandbox, and says as what it was recognised if nobody names its architecture.

    Args:
        checkpoint: the file.
        images: that the model must fit.
        arch, mean, std, entry: what the user typed.
        quiet: say nothing.

    Raises:
        AegisError: if it cannot be used, or does not fit the images.
    """
    from aegis.models.load import load_checkpoint

    try:
        suspect = load_checkpoint(
            checkpoint,
            architecture=arch,
            shape=images.shape,
            class_names=images.class_names,
            mean=numbers(mean, "--mean"),
            std=numbers(std, "--std"),
            entry=entry,
            images=images.test,
        )
    except CheckpointError as error:
        raise CheckpointError(error.expected, error.got, _advice(error)) from error
    if suspect.recognised is not None and not quiet:
        said = f"Recognised as {suspect.identity.architecture} ({suspect.recognised})."
        Printer(stderr=True).note(clean(said, 1000))
    return suspect


def _advice(error: CheckpointError) -> str:
    """What to do, with the option that converts images where their size or channels do not fit the network."""
    if found := _CHANNELS.search(error.got):
        return f"Give --channels {found[1]}, which converts the images, or check --arch."
    if _SIZES.search(error.got):
        return f"{error.advice} If the pictures show the same at another size, --size N scales them to it."
    return error.advice


def reader(
    checkpoint: Path,
    images: Dataset,
    arch: str | None,
    mean: str | None,
    std: str | None,
    entry: str | None,
    quiet: bool,
) -> Callable[[], Suspect]:
    """Makes a function that loads the model and shows that it does, unless quiet; other arguments as in ``load``."""

    def read() -> Suspect:
        with waiting("reading the model", quiet):
            return load(checkpoint, images, arch, mean, std, entry, quiet)

    return read
