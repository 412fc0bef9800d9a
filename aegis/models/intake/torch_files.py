"""Reads files of torch.save, in the worker only, through torch's own loader for weights."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch.serialization import safe_globals

from aegis.core.archives import opened_zip
from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.intake.archive import WHAT_IS_READ
from aegis.models.intake.class_ids import CLASS_OF, with_calls
from aegis.models.intake.entries import CONTAINERS, Entry, choose
from aegis.models.intake.file_kinds import SAVE_PLAINLY
from aegis.models.intake.formats import Format
from aegis.models.intake.inert import is_harmless, stand_in
from aegis.models.intake.pickles import globals_in
from aegis.models.intake.quantised import check_not_quantised
from aegis.models.intake.tensor_limits import DTYPES, check_plain, room_for

# Learning rates and accuracies in checkpoints are often NumPy values, which are dropped without a word.
FORGOTTEN = (
    "numpy.dtype",
    "numpy.ndarray",
    *(f"numpy.{core}.multiarray.{made}" for core in ("core", "_core") for made in ("scalar", "_reconstruct")),
)
_CODES = {getattr(torch, name): code for code, (name, _) in DTYPES.items()}


@dataclass(frozen=True, eq=False)
class TorchFile:
    """What was read from a file of torch.save.

    Args:
        tensors: name, type, shape and bytes of each tensor.
        entry: name of the network that they belong to.
        others: names of networks in the file that differ from it.
        code: names of code in the file, for which something inert was put.
    """

    tensors: list[tuple[str, str, list[int], memoryview]]
    entry: str
    others: tuple[str, ...]
    code: tuple[str, ...] = ()


def read_torch(source: Path, kind: Format, wanted: str | None = None) -> TorchFile:
    """Reads a network from a file written by torch.save, in its present or its older format.

    Args:
        source: the file.
        kind: its format.
        wanted: name of the network's entry; None for the only one.

    Returns:
        Its tensors.

    Raises:
        CheckpointError: if it holds anything but tensors and plain values, or several networks that differ.
    """
    code: tuple[str, ...] = ()
    try:
        with source.open("rb") as file:
            content = _load(file)
    except pickle.UnpicklingError:
        code = tuple(sorted(name for name in _globals(source, kind) if not _is_plain(name)))
        if not code or not all(map(is_harmless, code)):
            check_not_quantised(code=code)
            raise _refused(code) from None
        try:
            with _with_classes(source, kind) as file:
                content = _load(file, *code, CLASS_OF)
        except (pickle.UnpicklingError, RuntimeError) as error:
            raise _refused(code) from error
    if not isinstance(content, CONTAINERS):
        raise CheckpointError("a dictionary of tensors", f"a {type(content).__name__}", SAVE_PLAINLY)
    entry, others = choose(content, wanted)
    check_not_quantised(filter(_is_text, entry.content), (str(tensor.dtype) for tensor in entry.tensors.values()))
    state = _state_dict(entry)
    for name, tensor in state.items():
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in _CODES:
            found = f"{tensor.dtype}, {tensor.layout}, {tensor.device.type} in {printable(name)}"
            raise CheckpointError(f"dense tensors of type {', '.join(DTYPES)}", found, SAVE_PLAINLY)
    kinds = {name: (_CODES[tensor.dtype], list(tensor.shape)) for name, tensor in state.items()}
    check_plain(kinds, room_for(source.stat().st_size))
    return TorchFile([(name, *kinds[name], _bytes(tensor)) for name, tensor in state.items()], entry.name, others, code)


def _bytes(tensor: torch.Tensor) -> memoryview:
    flat = tensor.resolve_neg().contiguous().reshape(-1)
    # A tensor of one value counts as contiguous with any stride, but cannot be viewed as bytes with it.
    if flat.stride(0) != 1:
        flat = flat.clone(memory_format=torch.contiguous_format)
    return flat.view(torch.uint8).numpy().data


def _is_text(name: object) -> TypeGuard[str]:
    return isinstance(name, str)


def _state_dict(entry: Entry) -> dict[str, torch.Tensor]:
    state = entry.content
    names = [_shown(key) for key in state if not isinstance(key, str) or key == "__metadata__"]
    others = [
        f"{printable(k)} ({type(v).__name__})"
        for k, v in dict.items(state)
        if isinstance(k, str) and not isinstance(v, torch.Tensor)
    ]
    if others or names:
        where = "a flat dictionary of tensors, or one inside another dictionary"
        raise CheckpointError(where, f"other entries too: {', '.join((others + names)[:3])}", SAVE_PLAINLY)
    return entry.tensors


def _shown(key: object) -> str:
    # The text of a nested key may be longer than the memory.
    plain = isinstance(key, str | bytes | int | float | None)
    return f"{printable(repr(key)) if plain else f'a {type(key).__name__}'} (as a name)"


def _with_classes(source: Path, kind: Format) -> io.BufferedReader | io.BytesIO:
    """Opens a file such that it gives the classes of modules in a way that torch's reader for weights knows."""
    return io.BytesIO(with_calls(source.read_bytes())) if kind == "torch pickle" else source.open("rb")


def _load(file: io.BufferedReader | io.BytesIO, *code: str) -> Any:  # noqa: ANN401 - whatever is in the file
    """Reads a file by torch's reader for weights, with something inert in place of names of code.

    Torch gets an open file, since it would judge a path by its ending.
    """
    with warnings.catch_warnings(action="ignore"), safe_globals([*map(stand_in, (*FORGOTTEN, *code))]):
        return torch.load(file, map_location="cpu", weights_only=True)


def _refused(code: Sequence[str]) -> CheckpointError:
    if not code:
        return CheckpointError(WHAT_IS_READ, "a pickle that torch.save did not write, or a damaged one", SAVE_PLAINLY)
    shown = ", ".join(map(printable, code[:5])) + (f" and {len(code) - 5} more" if len(code) > 5 else "")
    return CheckpointError(WHAT_IS_READ, f"a pickle that runs code: {shown}. Nothing of it was run", SAVE_PLAINLY)


def _globals(source: Path, kind: Format) -> set[str]:
    try:
        if kind == "torch pickle":
            return globals_in(source.read_bytes())
        with opened_zip(source) as archive:
            return globals_in(archive.read(next(n for n in archive.namelist() if n.endswith("/data.pkl"))))
    except Exception:  # the refusal stands without the names
        return set()


def _is_plain(name: str) -> bool:
    return (
        name in ("collections.OrderedDict", "collections.Counter", "torch.Size", "torch.nn.parameter.Parameter")
        or name in ("_codecs.encode", "torch.device", "torch.Tensor", "torch._tensor._rebuild_from_type_v2", *FORGOTTEN)
        or name.startswith(("torch._utils._rebuild_", "torch.storage"))
        or (name.startswith("torch.") and name.endswith("Storage"))
    )
