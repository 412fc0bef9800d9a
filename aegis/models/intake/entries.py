"""Lays out the networks that a file of torch.save holds, in the worker only, so that none of several is taken silently.

Training programs save a network beside averages of its weights, a teacher or earlier versions. Which of them others
deploy depends on what they load it with, and a backdoor needs to be in that one only.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from aegis.core.errors import CheckpointError
from aegis.core.text import count_of, printable
from aegis.models.intake.file_kinds import SAVE_PLAINLY
from aegis.models.intake.formats import ALL, TOP
from aegis.models.intake.inert import Inert, is_module, tensors_of

# Where programs put a network, in the order in which it is looked for; anything else is a network of another name.
NESTED = ("state_dict", "model_state_dict", "model")
# Depth and number of containers that are looked into, far more than training programs write.
DEEPEST, MOST = 16, 1_000_000
# Networks that a message lists.
LISTED = 6
SEPARATOR = "/"
# Parts of names under which training programs keep weights of a loss.
_LOSS = re.compile(r"(?i)(?:^|[./_])(?:loss|criterion)(?:es)?(?:$|[./_])")
# Attributes of a module that make up one network.
OF_A_MODULE = ("_parameters", "_buffers", "_modules")

# A file may replace the methods of a dictionary or tensor by attributes, so those of the class are called.
Container = dict[Any, Any] | list[Any] | tuple[Any, ...] | Inert
CONTAINERS = (dict, list, tuple, Inert)
bare = torch.Tensor.detach


@dataclass(frozen=True, eq=False)
class Entry:
    """One network of a file.

    Args:
        name: keys that lead to it, joined by slashes; ``TOP`` for the file's own dictionary.
        content: the dictionary that holds its tensors.
    """

    name: str
    content: dict[Any, Any]

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """Its tensors by name."""
        return {k: bare(v) for k, v in dict.items(self.content) if isinstance(k, str) and isinstance(v, torch.Tensor)}

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of names, shapes and values; a prefix that all names share does not count."""
        found, digest = self.tensors, hashlib.sha256()
        prefix = shared_prefix(list(found))
        for name in sorted(found):
            tensor = found[name]
            digest.update(repr((name.removeprefix(prefix), tuple(tensor.shape), str(tensor.layout))).encode())
            if tensor.layout == torch.strided and not tensor.is_quantized:
                plain = tensor.double() if tensor.is_floating_point() else tensor.resolve_neg().resolve_conj()
                digest.update(plain.reshape(-1).contiguous().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def __str__(self) -> str:
        """Describes it in words."""
        count = sum(tensor.numel() for tensor in self.tensors.values())
        holds = f"{count_of(len(self.tensors), 'tensor')}, {count:,} numbers, {self.digest[:8]}"
        return f"{printable(self.name, 80)} ({holds})"


def choose(content: Container, wanted: str | None) -> tuple[Entry, tuple[str, ...]]:
    """Finds the network to read in what a file holds.

    Args:
        content: what torch.load returned.
        wanted: name of the entry, or of a part of it; ``ALL`` for the first one; None for the only network.

    Returns:
        The network, and the names of others that differ from it.

    Raises:
        CheckpointError: if several networks differ and none is named, or none has the name.
    """
    entries = _in_usual_order(entries_in(content)) or [_usual(content)]
    if len(entries) == 1 and wanted in (None, ALL, entries[0].name):
        return entries[0], ()
    named = None if wanted is None else _named(entries, wanted)
    if wanted is not None and named is None:
        raise CheckpointError(
            f"a network under {printable(wanted, 80)}",
            listed(entries),
            f"Name one of them, such as --entry {printable(entries[0].name, 80)}.",
        )
    chosen = named or entries[0]
    own = chosen.digest
    others = tuple(entry.name for entry in entries if entry is not chosen and entry.digest != own)
    if others and named is None:
        raise CheckpointError(
            "one network, or the name of the one to scan",
            listed(entries),
            "Scan one of them by its name (--entry NAME) or each (--entry all). Programs differ in which they load: "
            "timm, for one, takes an average (ema) where there is one.",
        )
    return chosen, others


def _named(entries: Sequence[Entry], wanted: str) -> Entry | None:
    """The entry of this name, or else that of which the name begins with the longest part; of ``ALL``, the first."""
    if wanted == ALL and ALL not in [one.name for one in entries]:
        return entries[0]
    holding = [one for one in entries if one.name in (TOP, wanted) or wanted.startswith(one.name + SEPARATOR)]
    return max(holding, key=lambda one: (one.name == wanted, len(one.name)), default=None)


def listed(entries: Sequence[Entry]) -> str:
    """Describes several networks in words."""
    more = f" and {len(entries) - LISTED} more" if entries[LISTED:] else ""
    return f"{count_of(len(entries), 'network')}: {', '.join(map(str, entries[:LISTED]))}{more}"


def entries_in(content: Container) -> list[Entry]:
    """Finds every dictionary of a file that holds the tensors of a network.

    Args:
        content: what torch.load returned.

    Returns:
        The networks in the order of the file.

    Raises:
        CheckpointError: if the file holds more containers, or deeper ones, than are looked into.
    """
    named: list[Entry] = []
    unnamed: list[Entry] = []
    seen: set[int] = set()
    left: deque[tuple[str, Container, int]] = deque([(TOP, content, 0)])
    while left:
        name, one, depth = left.popleft()
        # A container may hold itself.
        if id(one) in seen:
            continue
        seen.add(id(one))
        if len(seen) > MOST or depth > DEEPEST:
            found_instead = f"a {type(content).__name__} of containers in containers without end"
            raise CheckpointError("a dictionary of tensors", found_instead, SAVE_PLAINLY)
        if isinstance(one, Inert):
            held = tensors_of(one) if is_module(one) else {}
            named += [Entry(name, held)] if _weights(held) else []
        elif isinstance(one, dict):
            named += [Entry(name, one)] if _weights(one) else []
        elif _weights(tensors := {str(i): inner for i, inner in enumerate(one)}):
            unnamed.append(Entry(name, tensors))
        left += [(joined(name, key), inner, depth + 1) for key, inner in _inside(one)]
    shapes = [_shapes(entry) for entry in named]
    alone = [entry for entry in named if _stands_alone(entry, named)]
    # One of the shape of another network would be a second one, whatever it is called.
    networks = [one for one in alone if not of_a_loss(one.name) or shapes.count(_shapes(one)) > 1] or alone
    # Averages of weights are also kept as a list without names.
    return networks + [entry for entry in unnamed if _shapes(entry) in shapes]


def joined(entry: str, part: str) -> str:
    """Names a part of an entry; parts of the file's own dictionary bear their own names."""
    return part if entry == TOP else f"{entry}{SEPARATOR}{part}"


def _weights(one: dict[Any, Any]) -> dict[str, torch.Tensor]:
    """Tensors of two axes or more; statistics, mean and std beside a network have one."""
    return {k: v for k, v in dict.items(one) if isinstance(k, str) and isinstance(v, torch.Tensor) and v.ndim > 1}


def _shapes(entry: Entry) -> list[tuple[int, ...]]:
    return sorted(tuple(tensor.shape) for tensor in _weights(entry.content).values())


def _stands_alone(entry: Entry, entries: Sequence[Entry]) -> bool:
    """Whether a dictionary is a network, and no other one with some tensors beside it, whose names have no parts."""
    inside = [one for one in entries if one is not entry and one.name.startswith(joined(entry.name, ""))]
    return not inside or any("." in name for name in _weights(entry.content))


def _inside(one: Container) -> Iterator[tuple[str, Container]]:
    if isinstance(one, Inert):
        own, state = OF_A_MODULE if is_module(one) else (), one.state
        yield from _inside({name: inner for name, inner in dict.items(state) if name not in own})
        yield from _inside([part for part in one.parts if part is not state])
    elif not isinstance(one, dict):
        yield from ((str(i), inner) for i, inner in enumerate(one) if isinstance(inner, CONTAINERS))
    else:
        # The state of an optimiser has a tensor for each weight and is no network.
        passed_over = ("state", "param_groups") if "param_groups" in one else ()
        # The text of any other key may be longer than the memory.
        for key, inner in dict.items(one):
            if isinstance(key, str | int) and key not in passed_over and isinstance(inner, CONTAINERS):
                yield str(key), inner


def of_a_loss(name: str) -> bool:
    """Tells whether a name says that what it names are weights of a loss, such as the centres of classes.

    Args:
        name: of a tensor or an entry.
    """
    return _LOSS.search(name) is not None


def _in_usual_order(entries: Sequence[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: NESTED.index(entry.name) if entry.name in NESTED else len(NESTED))


def _usual(content: Container) -> Entry:
    """The entry of a file without any weights, of which is told what is wrong with it."""
    if not isinstance(content, dict):
        raise CheckpointError("a dictionary of tensors", f"a {type(content).__name__} without any", SAVE_PLAINLY)
    return next(
        (Entry(key, content[key]) for key in NESTED if isinstance(dict.get(content, key), dict)), Entry(TOP, content)
    )


def shared_prefix(names: Sequence[str]) -> str:
    """The longest beginning up to a dot that all names share."""
    if not names:
        return ""
    first, last = min(names).split("."), max(names).split(".")
    shared = 0
    while shared < min(len(first), len(last)) - 1 and first[shared] == last[shared]:
        shared += 1
    return "".join(f"{part}." for part in first[:shared])
