"""Computes the weights that a file holds in parts: pruned ones, and those divided by a norm.

Torch keeps such a weight as its parts and computes it before each call. An architecture without the parts wants the
weight itself, which in evaluation mode is always the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import count_of, printable

Compute = Callable[..., Tensor | None]
# Before the name of a layer's weight, where torch.nn.utils.parametrize keeps the parts.
_PARTS = re.compile(r"(?:^|\.)parametrizations\.\w+\.")


@dataclass(frozen=True, eq=False)
class Computed:
    """Tensors of a file with weights in place of their parts.

    Args:
        tensors: by name.
        notes: how weights were computed, a part of a sentence for each way.
    """

    tensors: dict[str, Tensor]
    notes: tuple[str, ...] = ()


def with_whole_weights(tensors: dict[str, Tensor], wanted: Collection[str] = ()) -> Computed:
    """Puts weights in place of their parts, except where the architecture itself has the parts.

    Args:
        tensors: those of the file by name.
        wanted: names of the architecture's own tensors.

    Returns:
        The tensors, and how weights were computed.

    Raises:
        CheckpointError: if parts are of a kind that is not known, or give a weight that is not finite.
    """
    told, own = Counter[str](), set(wanted)
    whole: dict[str, Tensor] = {}
    used: set[str] = set()
    for said, templates, compute in FORMS:
        first = _pattern(templates[0])
        for match in filter(None, map(first.fullmatch, tensors)):
            parts, name = [template.format(*match.groups()) for template in templates], "".join(match.groups(""))
            if name in tensors or _is_own(parts[0], own) or not all(p in tensors and p not in used for p in parts):
                continue
            weight = compute(*(tensors[part].float() for part in parts))
            if weight is not None:
                _check_finite(name, weight)
                whole[name] = weight
                used.update(parts)
                told[said] += 1
    left = {name: tensor for name, tensor in tensors.items() if name not in used}
    _check_known([name for name in left if not _is_own(name, own)])
    return Computed(left | whole, tuple(f"{count_of(count, 'weight')} {said}" for said, count in told.items()))


def _pattern(template: str) -> re.Pattern[str]:
    layer, weight = r"((?:.*\.)?)", r"(\w+)"
    return re.compile(re.escape(template).replace(r"\{\}", layer, 1).replace(r"\{\}", weight, 1))


def _check_known(names: Iterable[str]) -> None:
    """Refuses parts of weights that nobody here can compute."""
    for name in filter(_PARTS.search, names):
        raise CheckpointError(
            "weights as they are, pruned, or divided by a norm",
            f"parts of another parametrization: {printable(name)}",
            "Call torch.nn.utils.parametrize.remove_parametrizations for each such layer, and save the network again.",
        )


def _is_own(name: str, own: Collection[str]) -> bool:
    """Whether an architecture has a tensor of this name, whatever a training program put before it."""
    parts = name.split(".")
    return any(".".join(parts[start:]) in own for start in range(len(parts)))


def _check_finite(name: str, weight: Tensor) -> None:
    if not bool(torch.isfinite(weight).all()):
        raise CheckpointError(
            "finite weights",
            f"parts of {printable(name)} that give NaN or infinite values",
            "The training diverged or the file is damaged; take an earlier checkpoint.",
        )


def _pruned(weight: Tensor, mask: Tensor) -> Tensor | None:
    return weight * mask.to(weight.dtype) if weight.shape == mask.shape else None


def _of_norm(norm: Tensor, direction: Tensor) -> Tensor | None:
    """A direction with a norm for each place along the axes that the norm has."""
    if norm.ndim and (norm.ndim != direction.ndim or any(n not in (1, m) for n, m in zip(norm.shape, direction.shape))):
        return None
    summed = [axis for axis in range(direction.ndim) if norm.ndim == 0 or norm.shape[axis] == 1]
    if not summed:
        return None
    found: Tensor = torch.linalg.vector_norm(direction, dim=summed, keepdim=True)
    return direction * (norm / found)


def _of_largest_singular_value(weight: Tensor, left: Tensor, right: Tensor) -> Tensor | None:
    """A weight divided by its largest singular value, which the vectors stored beside it tell."""
    if left.ndim != 1 or right.ndim != 1 or weight.ndim < 2:
        return None
    # Transposed convolutions have their output channels second; where both axes fit, the vectors belong to one.
    fitting = [axis for axis in range(weight.ndim) if weight.shape[axis] == len(left)]
    matrices = [weight.movedim(axis, 0).reshape(len(left), -1) for axis in fitting]
    values = [left @ (matrix @ right) for matrix in matrices if matrix.shape[1] == len(right)]
    return weight / max(values) if values else None


PRUNED = "pruned, each with its mask applied"
OF_NORM = "in weight norm, each computed from its norm and direction"
SPECTRAL = "in spectral norm, each divided by its largest singular value as stored"
# What is said, names of the parts with those of layer and weight left open, and how the weight follows from them.
FORMS: tuple[tuple[str, tuple[str, ...], Compute], ...] = (
    (PRUNED, ("{}{}_orig", "{}{}_mask"), _pruned),
    (SPECTRAL, ("{}{}_orig", "{}{}_u", "{}{}_v"), _of_largest_singular_value),
    (OF_NORM, ("{}{}_g", "{}{}_v"), _of_norm),
    (OF_NORM, tuple("{}parametrizations.{}." + part for part in ("original0", "original1")), _of_norm),
    (
        SPECTRAL,
        tuple("{}parametrizations.{}." + part for part in ("original", "0._u", "0._v")),
        _of_largest_singular_value,
    ),
)
