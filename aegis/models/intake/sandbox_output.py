"""What a worker left, taken with care: if a file has taken it over, what it left is as hostile as the file was."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.card import Identity, read_identity
from aegis.models.intake.archive import WHAT_IS_READ
from aegis.models.intake.file_kinds import SAVE_PLAINLY
from aegis.models.intake.formats import HEADER_LIMIT, IDENTITY_KEY, read_header
from aegis.models.intake.tensor_limits import check_plain, plain_header

REFUSAL_LIMIT = 2**16


def take(out: Path, room: int) -> tuple[dict[str, Tensor], Identity | None]:
    """The tensors that a worker wrote, floating-point ones as float32, and the identity it copied.

    Args:
        out: the file.
        room: bytes that the tensors may take together.

    Raises:
        CheckpointError: if they are not plain or not finite.
    """
    _check_left(out, room + HEADER_LIMIT)
    header = read_header(out)
    notes = None if header is None else header.get("__metadata__", {})
    if header is None or not isinstance(notes, dict) or not notes.keys() <= {IDENTITY_KEY}:
        raise _taken_over("something that is not plain tensors")
    check_plain(plain_header(header), room)
    identity = read_identity(out)
    try:
        # Cloned, since the file they are mapped from goes away with the folder.
        found = {name: _widened(tensor).clone() for name, tensor in load_file(out).items()}
    except SafetensorError as error:
        raise CheckpointError(
            WHAT_IS_READ, f"tensors with impossible names or sizes ({error})", SAVE_PLAINLY
        ) from error
    if broken := [name for name, tensor in found.items() if not torch.isfinite(tensor).all()]:
        raise CheckpointError(
            "finite weights",
            f"NaN or infinite values in {_names(broken)}",
            "The training diverged or the file is damaged; take an earlier checkpoint.",
        )
    return found, identity


def refusal(out: Path) -> CheckpointError | None:
    """What a worker said that refused a file, or None if it said nothing.

    Raises:
        CheckpointError: if what it left is no such message.
    """
    path = out.with_name(f"{out.name}.json")
    if not os.path.lexists(path):
        return None
    _check_left(path, REFUSAL_LIMIT)
    try:
        said = json.loads(path.read_bytes())
        expected, got, advice = (printable(said[key], 600) for key in ("expected", "got", "advice"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _taken_over("a message that cannot be read") from error
    return CheckpointError(expected, got, advice)


def _check_left(path: Path, limit: int) -> None:
    # Nobody else has a name or a handle for it by now: the worker and its children have ended.
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise _taken_over("a link, a pipe or a device")
    if found.st_size > limit:
        raise _taken_over(f"{found.st_size} bytes where at most {limit} may be")


def _taken_over(left: str) -> CheckpointError:
    return CheckpointError(
        WHAT_IS_READ,
        f"a file whose reader left {left}: it may have been taken over",
        "Do not open this file with other programs, and report it.",
    )


def _widened(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _names(names: list[str]) -> str:
    return ", ".join(printable(name) for name in names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
