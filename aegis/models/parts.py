"""Tells several networks apart whose tensors lie side by side in one state dictionary, under a prefix each."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.intake.entries import SEPARATOR, Entry, listed, shared_prefix

# Fewer equal parts than two are one network, and so are layers: only a network has modules within modules.
LEAST = 2


def parts_of(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Splits a state dictionary into networks, if it consists of several with the same names and shapes.

    Args:
        tensors: by name.

    Returns:
        The tensors of each network by the prefix of its names; empty for one network.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    shared = shared_prefix(list(tensors))
    for name, tensor in tensors.items():
        prefix, _, rest = name.removeprefix(shared).partition(".")
        parts.setdefault(shared + prefix, {})[rest] = tensor
    shapes = [{name: tensor.shape for name, tensor in part.items()} for part in parts.values()]
    alike = len(parts) >= LEAST and all(one == shapes[0] for one in shapes) and any("." in name for name in shapes[0])
    return parts if alike else {}


def choose_part(
    tensors: dict[str, Tensor], entry: str, wanted: str | None
) -> tuple[dict[str, Tensor], str, tuple[str, ...]]:
    """Finds the network to use among several in one state dictionary.

    Args:
        tensors: by name.
        entry: name of the dictionary's own entry in the file.
        wanted: name of the network; None for the only one.

    Returns:
        Its tensors, its name, and the names of others that differ from it.

    Raises:
        CheckpointError: if several networks differ and none is named, or none has the name.
    """
    parts = {f"{entry}{SEPARATOR}{prefix}" if entry else prefix: part for prefix, part in parts_of(tensors).items()}
    if wanted in parts:
        chosen = wanted
    elif wanted is not None and wanted != entry:
        raise CheckpointError(
            f"a network under {printable(wanted, 80)}",
            listed([Entry(name, part) for name, part in (parts or {entry: tensors}).items()]),
            "Name one of them with --entry, or leave it out.",
        )
    elif not parts:
        return tensors, entry, ()
    else:
        chosen = next(iter(parts))
    others = tuple(name for name, part in parts.items() if not _equal(part, parts[chosen]))
    if others and wanted != chosen:
        raise CheckpointError(
            "one network, or the name of the one to scan",
            listed([Entry(name, part) for name, part in parts.items()]),
            "Scan each of them by its name (--entry).",
        )
    return parts[chosen], chosen, others


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())
