"""Rewrites what torch's older format says of a module's class, so that its reader for weights puts a stand-in there.

That format names each class by a persistent id: the word *module*, the class, its source file and its source code.
Torch's ordinary reader compares that code with the installed one and takes the class; its reader for weights knows
persistent ids of tensors alone. Here such an id becomes a call that gives the class, which by then is a stand-in.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import deque
from collections.abc import Iterator

CLASS_OF = "aegis.class_of"
_CALL = b"c" + CLASS_OF.replace(".", "\n").encode() + b"\n"
_KEPT = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_VALUES = {"BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINSTRING", "BINGET", "LONG_BINGET", "NONE", "GLOBAL"}
_ITEMS = 4


def class_of(*said: object) -> object:
    """Gives the class that a persistent id names.

    Args:
        said: the id.

    Raises:
        UnpicklingError: if it is the id of something else.
    """
    if len(said) != _ITEMS or said[0] not in ("module", b"module"):
        raise pickle.UnpicklingError("a persistent id of another kind")
    return said[1]


def with_calls(content: bytes) -> bytes:
    """Replaces the persistent ids of classes in a sequence of pickles by calls of ``class_of``.

    Args:
        content: the bytes of a file in torch's older format.

    Returns:
        The same bytes but for these.
    """
    parts, done = [], 0
    for start, end in _ids(content):
        parts += [content[done:start], _CALL, content[start:end], pickle.REDUCE]
        done = end + 1
    return b"".join([*parts, content[done:]])


def _ids(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the tuple of each such id begins, and where the opcode stands that makes it an id."""
    stream = io.BytesIO(content)
    try:
        while stream.tell() < len(content):
            last: deque[tuple[str, int]] = deque(maxlen=_ITEMS + 3)
            for opcode, _, position in pickletools.genops(stream):
                if opcode.name in _KEPT:
                    continue
                last.append((opcode.name, position or 0))
                if opcode.name == "BINPERSID" and _is_one([name for name, _ in last]):
                    yield last[0][1], last[-1][1]
    except ValueError:  # damage, or the raw tensor data that follows the last pickle
        pass


def _is_one(names: list[str]) -> bool:
    items = names[1 : _ITEMS + 1]
    return names == ["MARK", *items, "TUPLE", "BINPERSID"] and len(items) == _ITEMS and _VALUES.issuperset(items)
