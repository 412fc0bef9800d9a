"""The checkpoints in a folder and their cards; no Streamlit here, and torch is imported only inside."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from aegis.core.errors import AegisError, CheckpointError
from aegis.core.folders import default_folder
from aegis.core.text import printable
from aegis.data import DATASETS
from aegis.models.card import Identity, read_identity
from aegis.models.intake.formats import recognise

if TYPE_CHECKING:
    from aegis.models.load import Suspect
    from aegis.records.record import ScanRecord

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "assets" / "models"


@dataclass(frozen=True)
class ListedSuspect:
    """A checkpoint as Home shows it: its identity, without the truth on its card.

    Args:
        path: of the file.
        size: in bytes; 0 if it cannot be read.
        sha256: of the whole file, in hex; empty if it cannot be read.
        identity: from its card; None without one.
        problem: why it cannot be scanned, for people; empty if nothing is wrong.
    """

    path: Path
    size: int = 0
    sha256: str = ""
    identity: Identity | None = None
    problem: str = ""


def command_for(path: Path) -> str:
    """Writes the command line that scans a checkpoint, to be typed in the project's folder."""
    return f"aegis scan {shlex.quote(str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path))}"


def suspects_folder() -> Path:
    """Finds the folder of suspects: ``AEGIS_SUSPECTS``, or the bundled one."""
    return Path(os.environ.get("AEGIS_SUSPECTS") or BUNDLED).absolute()


def list_suspects(folder: Path) -> list[Path]:
    """Lists the safetensors files in a folder.

    Args:
        folder: may be missing.
    """
    return sorted(folder.glob("*.safetensors"))


def lab_folder() -> Path:
    """Finds the folder of models that were trained on the Attack Lab page.

    Raises:
        StoreError: if the folder of results cannot be told.
    """
    return default_folder() / "lab"


def all_suspects() -> list[Path]:
    """Lists the checkpoints that pages offer: those in the folder of suspects, then those trained here."""
    return [*list_suspects(suspects_folder()), *list_suspects(lab_folder())]


def neutral_names(suspects: Sequence[ListedSuspect]) -> dict[Path, str]:
    """Names checkpoints for people; bundled ones by a letter, since their files' names say what a scan is to find out.

    Args:
        suspects: the checkpoints.

    Returns:
        A name for each path: the data set and a letter, in the order of digests, or the file's own.
    """
    names = {one.path: printable(one.path.name, 120) for one in suspects}
    bundled = sorted((one for one in suspects if one.path.parent == BUNDLED), key=lambda one: one.sha256)
    for data, info in DATASETS.items():
        alike = [one for one in bundled if one.identity and one.identity.data == data]
        names |= {one.path: f"{info.title} {letter}" for one, letter in zip(alike, ascii_uppercase)}
    return names


def examine(path: Path) -> ListedSuspect:
    """Reads the card of a checkpoint.

    Returns:
        Its identity, or what is wrong with it.
    """
    try:
        # Reading a pipe would block, and an unbounded header would fill the memory.
        recognise(path)
        check_whole(path)
        identity = read_identity(path)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return ListedSuspect(path, path.stat().st_size, sha256, identity)
    except AegisError as error:
        return ListedSuspect(path, problem=str(error))
    except OSError as error:
        return ListedSuspect(path, problem=str(_unreadable(error.strerror or type(error).__name__)))


def check_whole(path: Path) -> None:
    """Refuses a safetensors file that breaks off or is something else; no tensor is read.

    Args:
        path: a file that ``recognise`` has let through.

    Raises:
        CheckpointError: if it does not read as such.
    """
    try:
        # Compares the header with the length of the file, and reads no tensor.
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise CheckpointError(
            "a whole safetensors file",
            f"one that does not read as such ({printable(str(error), 120)})",
            "It is truncated, damaged or of another kind; copy or save it again.",
        ) from error


def _unreadable(got: str) -> CheckpointError:
    return CheckpointError("a file that can be read", got, "Check its type and permissions.")


def load_again(path: Path, record: ScanRecord) -> Suspect | None:
    """Loads the model of a finished scan.

    Returns:
        The model; None if the file holds another one.

    Raises:
        AegisError: if the file cannot be loaded.
    """
    from aegis.models.architectures import runs_foreign_code
    from aegis.models.load import load_checkpoint

    architecture = record.model.architecture
    # A record must not choose code that is run.
    if runs_foreign_code(architecture):
        return None
    suspect = load_checkpoint(
        path,
        architecture=architecture,
        shape=record.data.shape,
        class_names=record.data.class_names,
        entry=record.model.entry,
    )
    return suspect if suspect.digest == record.model.digest else None
