"""Finds an architecture's tensors among those of a file, whatever training programs put before their names.

``DataParallel`` begins every name with ``module.``, ``torch.compile`` with ``_orig_mod.``, Lightning with the name of
an attribute; a network behind its normalisation is ``1.`` or ``model.``; MadryLab's ``robustness`` library stores it
twice. No list of names could be complete, so the architecture's own names say where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.computed import with_whole_weights
from aegis.models.intake.entries import Entry, joined, listed, of_a_loss
from aegis.models.intake.file_kinds import SAVE_PLAINLY
from aegis.models.intake.formats import ALL
from aegis.models.normalisation import for_unit_pixels

# Last parts of the names under which a normalisation is stored beside a network.
MEANS = ("mean", "mu", "new_mean", "pixel_mean")
STDS = ("std", "sigma", "new_std", "pixel_std")
# Counters that old checkpoints lack and evaluation does not use.
COUNTER = "num_batches_tracked"


@dataclass(frozen=True, eq=False)
class Found:
    """An architecture's tensors in a file.

    Args:
        tensors: tensors by the architecture's own names.
        entry: name of the network in the file.
        others: names of networks in the file that differ from it.
        left_out: names of tensors outside the network, such as weights of a loss.
        mean, std: the normalisation found beside the network, one value per channel, or None.
        notes: how weights were computed that the file holds in parts, and a normalisation of pixels from 0 to 255; a
            part of a sentence each.
    """

    tensors: dict[str, Tensor]
    entry: str
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    notes: tuple[str, ...] = ()


def find_network(
    wanted: Mapping[str, Tensor], tensors: dict[str, Tensor], entry: str, asked: str | None, small: int
) -> Found:
    """Finds the tensors of an architecture, under whichever prefix they lie.

    Args:
        wanted: the architecture's state dictionary; may be on the meta device.
        tensors: those of the file by name.
        entry: name of the dictionary that they lie in.
        asked: name of the network to take; None for the only one.
        small: largest number of values of a tensor beside the network that is left out: weights of classes, counters;
            those of a loss, by their name, may be of any size.

    Returns:
        The network; all tensors under their names, without the likeliest prefix, if the architecture does not fit.

    Raises:
        CheckpointError: if several networks differ and none is asked for, none has the name, a normalisation is odd, or
            weights lie there in parts of an unknown kind.
    """
    computed = with_whole_weights(tensors, wanted)
    tensors = computed.tensors
    prefixes = _prefixes(wanted, tensors)
    networks = {
        _name(entry, prefix): part for prefix in prefixes if _fits(part := _under(prefix, wanted, tensors), wanted)
    }
    chosen, others = _choose(networks, tensors, entry, asked)
    if chosen is None:
        return Found(_nearest(wanted, tensors), entry, notes=computed.notes)
    taken = {id(tensor) for part in networks.values() for tensor in part.values()}
    beside = {name: tensor for name, tensor in tensors.items() if id(tensor) not in taken}
    mean, std, divided = for_unit_pixels(_normalisation(beside, MEANS), _normalisation(beside, STDS))
    rest = {name: tensor for name, tensor in beside.items() if name.rpartition(".")[2] not in (*MEANS, *STDS)}
    # A tensor among the network's own says that it is another architecture.
    outside = [name for name in rest if not any(name.startswith(prefix) for prefix in prefixes)]
    left_out = tuple(
        name for name in outside if of_a_loss(name) or (rest[name].ndim <= 1 and rest[name].numel() <= small)
    )
    # What is left is told as not belonging to the architecture.
    more = {name: tensor for name, tensor in rest.items() if name not in left_out}
    return Found(networks[chosen] | more, chosen, others, left_out, mean, std, (*computed.notes, *divided))


def _name(entry: str, prefix: str) -> str:
    return joined(entry, prefix.removesuffix(".")) if prefix else entry


def _prefixes(wanted: Mapping[str, Tensor], tensors: Iterable[str]) -> list[str]:
    """What stands before the architecture's first name, wherever a name of the file ends with it."""
    first = next((name for name in wanted if not name.endswith(COUNTER)), "")
    ends = [name.removesuffix(first) for name in tensors if name.endswith(first)]
    return [prefix for prefix in ends if not prefix or prefix.endswith(".")]


def _under(prefix: str, wanted: Iterable[str], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[prefix + name] for name in wanted if prefix + name in tensors}


def _fits(part: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool:
    return all(
        part[name].shape == tensor.shape if name in part else name.endswith(COUNTER) for name, tensor in wanted.items()
    )


def _choose(
    networks: Mapping[str, dict[str, Tensor]], tensors: dict[str, Tensor], entry: str, asked: str | None
) -> tuple[str | None, tuple[str, ...]]:
    """The name of the network to take, None if the architecture fits nowhere, and those that differ from it."""
    if asked in networks:
        chosen = asked
    elif asked not in (None, ALL, entry):
        entries = [Entry(name, part) for name, part in (networks or {entry: tensors}).items()]
        raise CheckpointError(
            f"a network under {printable(str(asked), 80)}", listed(entries), "Name one, or leave it out."
        )
    else:
        chosen = next(iter(networks), None)
    if chosen is None:
        return None, ()
    others = tuple(name for name, part in networks.items() if not _equal(part, networks[chosen]))
    if others and asked not in (chosen, ALL):
        raise CheckpointError(
            "one network, or the name of the one to scan",
            listed([Entry(name, part) for name, part in networks.items()]),
            "Scan one of them by its name (--entry NAME) or each (--entry all).",
        )
    return chosen, others


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        tensor.dtype == other[name].dtype and torch.equal(tensor, other[name]) for name, tensor in one.items()
    )


def _nearest(wanted: Mapping[str, Tensor], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The file's tensors without the prefix under which most of the architecture's names are found."""
    prefixes = ["", *_prefixes(wanted, tensors)]
    best = max(prefixes, key=lambda prefix: sum(prefix + name in tensors for name in wanted))
    return {name.removeprefix(best): tensor for name, tensor in tensors.items()}


def _normalisation(beside: Mapping[str, Tensor], names: Sequence[str]) -> tuple[float, ...] | None:
    """The values of a mean or a standard deviation beside a network; None without one."""
    found = {name: tensor for name, tensor in beside.items() if name.rpartition(".")[2] in names}
    for name, tensor in found.items():
        if not tensor.is_floating_point() or not 1 <= tensor.numel() <= 64:
            raise CheckpointError(
                f"a normalisation with one number per channel in {printable(name, 80)}",
                f"one of type {str(tensor.dtype).removeprefix('torch.')} and shape {tuple(tensor.shape)}",
                "Give --mean and --std, and save the network alone.",
            )
    values = {tuple(tensor.flatten().tolist()) for tensor in found.values()}
    if len(values) > 1:
        raise CheckpointError(
            "one normalisation beside the network", f"others in {', '.join(map(printable, found))}", SAVE_PLAINLY
        )
    return next(iter(values), None)
