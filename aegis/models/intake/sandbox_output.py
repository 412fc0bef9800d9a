"""Takes the worker's output with care: a file that compromised the worker may have written it."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
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
from aegis.models.intake.formats import ENTRY_KEY, HEADER_LIMIT, IDENTITY_KEY, TOP, read_header
from aegis.models.intake.tensor_limits import check_plain, plain_header

REFUSAL_LIMIT = 2**16


@dataclass(frozen=True)
class Layout:
    """Where in a file the network lay.

    Args:
        entry: name of its entry; ``TOP`` for a file that is nothing else.
        others: names of networks in the file that differ from it.
        code: names of code in the file, of which nothing was run.
    """

    entry: str = TOP
    others: tuple[str, ...] = ()
    code: tuple[str, ...] = ()


def take(out: Path, room: int) -> tuple[dict[str, Tensor], Identity | None, Layout]:
    """Reads the tensors and the identity that a worker wrote.

    Args:
        out: the file that the worker wrote.
        room: bytes that the tensors may take together.

    Returns:
        Tensors by name, floating-point ones as float32, the identity or None, and where they lay.

    Raises:
        CheckpointError: if the tensors are not plain or not finite.
    """
    _check_left(out, room + HEADER_LIMIT)
    header = read_header(out)
    notes = None if header is None else header.get("__metadata__", {})
    if header is None or not isinstance(notes, dict) or not notes.keys() <= {IDENTITY_KEY, ENTRY_KEY}:
        raise _taken_over("something that is not plain tensors")
    check_plain(plain_header(header), room)
    identity, layout = read_identity(out), _layout(notes.get(ENTRY_KEY))
    try:
        # Cloned, because the file they are mapped from is removed with its folder.
        found = {
            name: (tensor.float() if tensor.is_floating_point() else tensor).clone()
            for name, tensor in load_file(out).items()
        }
    except SafetensorError as error:
        raise CheckpointError(
            WHAT_IS_READ, f"tensors with impossible names or sizes ({error})", SAVE_PLAINLY
        ) from error
    if broken := [name for name, tensor in found.items() if not torch.isfinite(tensor).all()]:
        more = f" and {len(broken) - 3} more" if broken[3:] else ""
        raise CheckpointError(
            "finite weights",
            f"NaN or infinite values in {', '.join(map(printable, broken[:3]))}{more}",
            "The training diverged or the file is damaged; take an earlier checkpoint.",
        )
    return found, identity, layout


def _layout(text: object) -> Layout:
    if text is None:
        return Layout()
    try:
        said = json.loads(str(text))
        name, *lists = said["name"], said["others"], said["code"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _taken_over("a message that cannot be read") from error
    texts = [name, *(text for one in lists if isinstance(one, list) for text in one)]
    if not all(isinstance(one, list) for one in lists) or not all(isinstance(text, str) for text in texts):
        raise _taken_over("a message that cannot be read")
    return Layout(name, *map(tuple, lists))


def refusal(out: Path) -> CheckpointError | None:
    """Reads the worker's reason for refusing a file.

    Args:
        out: the file that the worker was to write; the reason lies beside it.

    Returns:
        The reason as an error, or None if the worker refused nothing.

    Raises:
        CheckpointError: if the worker left something else than a reason.
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
    # The worker and its children have ended, so nobody can change the file between this check and the reading.
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
