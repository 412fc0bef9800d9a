"""What was chosen on the Scan page, and the order that it becomes; no Streamlit and no torch here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aegis.core.errors import AegisError, CheckpointError
from aegis.models.card import Identity
from aegis.ui.order import Order
from aegis.ui.scan.settings import Settings
from aegis.ui.uploads import UPLOADED, Upload, Workspace


@dataclass(frozen=True, eq=False, kw_only=True)
class Suspect:
    """What was chosen, before torch has seen it.

    Args:
        file: its name.
        sha256: of the file.
        path: where a bundled one lies, or None.
        upload: what came from the browser, or None.
        identity: what its card says, or None.
        architecture, mean, std: what the user says.
    """

    file: str
    sha256: str
    path: Path | None = None
    upload: Upload | None = None
    identity: Identity | None = None
    architecture: str | None = None
    mean: str | None = None
    std: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Images:
    """Which images were chosen: a name, or what came from the browser."""

    source: str | None = None
    upload: Upload | None = None


def place(suspect: Suspect, images: Images, settings: Settings, measure_only: bool) -> Order:
    """An order with its uploads in a workspace of its own.

    Raises:
        AegisError: if an upload cannot be written.
    """
    workspace = Workspace() if suspect.upload or images.upload else None
    try:
        checkpoint = workspace.put(suspect.upload, "model") if workspace and suspect.upload else suspect.path
        archive = workspace.put(images.upload, "images") if workspace and images.upload else None
    except AegisError:
        assert workspace is not None
        workspace.remove()
        raise
    if checkpoint is None:
        raise CheckpointError("a checkpoint", "none", "Choose one.")
    return Order(
        file=UPLOADED + suspect.file if suspect.upload else suspect.file,
        checkpoint=checkpoint,
        source=images.source,
        images=archive,
        images_name=UPLOADED + images.upload.name if images.upload else "",
        architecture=suspect.architecture,
        mean=suspect.mean,
        std=suspect.std,
        preset=settings.preset,
        changes=settings.changes,
        labels=settings.labels,
        measure_only=measure_only,
        workspace=workspace,
        fingerprint=fingerprint(suspect, images),
    )


def fingerprint(suspect: Suspect, images: Images) -> tuple[str, ...]:
    """What accuracy and robustness depend on, as far as it is known before anything is read."""
    which = digest(images.upload) if images.upload else images.source or ""
    return (suspect.sha256, suspect.architecture or "", suspect.mean or "", suspect.std or "", which)


def digest(upload: Upload) -> str:
    """SHA-256 of an upload, in hex."""
    return hashlib.sha256(upload.content).hexdigest()
