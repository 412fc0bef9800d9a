"""Loads a checkpoint and its images, from options and the card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.cli.options import numbers
from aegis.cli.output import Printer, clean
from aegis.cli.progress import waiting
from aegis.core.errors import DataError
from aegis.core.types import Dataset
from aegis.data import default_source, load_dataset
from aegis.models.card import read_identity
from aegis.models.intake.formats import recognise

if TYPE_CHECKING:
    from aegis.models.load import Suspect


def images_for(checkpoint: Path, data: str | None) -> Dataset:
    """Loads the images asked for, or the bundled sample of the data set on the card.

    Args:
        checkpoint: the file with the card.
        data: name or path as it was typed; None where it was left out.

    Raises:
        AegisError: if the file is no checkpoint, or there are no such images.
    """
    recognise(checkpoint)
    if data is not None:
        return load_dataset(data)
    identity = read_identity(checkpoint)
    if identity is None or identity.data is None:
        what = "a checkpoint without a card" if identity is None else "a card that names no data set"
        raise DataError("to know which images this model was made for", what, "Give --data NAME, FILE.npz or FOLDER.")
    return load_dataset(default_source(identity.data))


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
    if suspect.recognised is not None and not quiet:
        said = f"Recognised as {suspect.identity.architecture} ({suspect.recognised})."
        Printer(stderr=True).note(clean(said, 1000))
    return suspect


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
