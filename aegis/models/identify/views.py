"""Names and shapes of a file's tensors as an architecture may call them, without what training programs put before."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from aegis.models.wrappers import COUNTER, MEANS, STDS

Shape = tuple[int, ...]
Shapes = dict[str, Shape]
# Part of a file's numbers that lie under a prefix worth looking at: a network may lie there twice, and a bit beside it.
LEAST = 0.3
# Prefixes that are looked at; programs write two or three.
MOST = 12
# Parts of a name that may be a prefix; a hostile one has hundreds.
DEEPEST = 8
# Most numbers of a normalisation.
CHANNELS = 64


@dataclass(frozen=True, eq=False)
class View:
    """A part of a file's tensors.

    Args:
        prefix: what stands before their names in the file, ending with a dot, or nothing.
        shapes: shapes by name, in natural order, without prefix, counters and normalisation.
        beside: number of tensors of two axes or more that lie elsewhere in the file.
    """

    prefix: str
    shapes: Shapes
    beside: int = 0


def views(tensors: Mapping[str, Tensor]) -> list[View]:
    """Gives the parts of a file that may be a network, the largest first.

    Args:
        tensors: the file's tensors by name.

    Returns:
        At least the whole file; a part under each prefix that begins many names.
    """
    sizes: dict[str, int] = defaultdict(int)
    for name, tensor in tensors.items():
        parts = name.split(".")
        for end in range(min(len(parts), DEEPEST)):
            sizes["".join(f"{part}." for part in parts[:end])] += tensor.numel()
    large = [prefix for prefix, size in sizes.items() if size >= LEAST * sizes[""]]
    large.sort(key=lambda prefix: (-sizes[prefix], len(prefix)))
    return [View(prefix, _under(prefix, tensors), _beside(prefix, tensors)) for prefix in large[:MOST]]


def plain_shapes(tensors: Mapping[str, Tensor]) -> Shapes:
    """Gives the shapes of a network's own tensors by name, without counters, which old files lack.

    Args:
        tensors: its state dictionary, which may be on the meta device.
    """
    return {name: tuple(tensor.shape) for name, tensor in tensors.items() if not name.endswith(COUNTER)}


def _beside(prefix: str, tensors: Mapping[str, Tensor]) -> int:
    return sum(tensor.ndim > 1 for name, tensor in tensors.items() if not name.startswith(prefix))


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> Shapes:
    found = {
        name.removeprefix(prefix): tuple(tensor.shape)
        for name, tensor in tensors.items()
        if name.startswith(prefix) and not name.endswith(COUNTER) and not _normalises(name, tensor)
    }
    return dict(sorted(found.items(), key=lambda item: natural(item[0])))


def _normalises(name: str, tensor: Tensor) -> bool:
    return name.rpartition(".")[2] in (*MEANS, *STDS) and math.prod(tensor.shape) <= CHANNELS


def natural(name: str) -> list[tuple[int, str]]:
    """Gives a key that sorts names with their numbers as numbers, so that *2* comes before *10*.

    Args:
        name: of a tensor.
    """
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
