"""Says which images belong to a suspect."""

from __future__ import annotations

from pathlib import Path

from aegis.core.errors import DataError
from aegis.data import default_source
from aegis.models.card import read_identity
from aegis.models.intake.formats import recognise


def source_of(checkpoint: Path, data: str | None = None) -> str:
    """Names the images of a suspect, once its file is known to be a checkpoint.

    Args:
        checkpoint: the file with the card.
        data: name or path as a user gave it; None for the bundled sample of the data set on the card.

    Raises:
        AegisError: if the file is none, or nobody says which images they are.
    """
    recognise(checkpoint)
    if data is not None:
        return data
    identity = read_identity(checkpoint)
    if identity is None or identity.data is None:
        what = "a checkpoint without a card" if identity is None else "a card that names no data set"
        raise DataError("to know which images this model was made for", what, "Give --data NAME, FILE.npz or FOLDER.")
    return default_source(identity.data)
