"""Lists what a pickle would import, for messages only: no scan of a pickle is a security boundary."""

from __future__ import annotations

import io
import pickletools
import re
from collections import deque
from collections.abc import Iterator

# Limits on names and their letters: a hostile pickle can combine any two of its texts into a name.
MAX_NAMES = 1000
MAX_LETTERS = 400
UNNAMED = "something whose name is put together while it runs"

_TEXT = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
_KEEP = {"PUT", "BINPUT", "LONG_BINPUT"}
_FETCH = {"GET", "BINGET", "LONG_BINGET"}
_AFTER_IMPORT = {*_KEEP, "MEMOIZE", "MARK", "EMPTY_TUPLE", "STRING", "BINUNICODE", "SHORT_BINUNICODE", "STOP"}
_NAME = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*")


def globals_in(content: bytes) -> set[str]:
    """Lists the dotted names that a sequence of pickles would import; torch's older format is such a sequence.

    Args:
        content: the bytes of the file.

    Returns:
        At most ``MAX_NAMES`` names of at most ``MAX_LETTERS`` characters.
    """
    names: set[str] = set()
    stream = io.BytesIO(content)
    try:
        while len(names) < MAX_NAMES and stream.tell() < len(content):
            for name in _globals_in_one(stream):
                names.add(name[:MAX_LETTERS])
                if len(names) == MAX_NAMES:
                    break
    except ValueError:  # damage, or the raw tensor data that follows the last pickle
        pass
    return names


def _globals_in_one(stream: io.BytesIO) -> Iterator[str]:
    # The two topmost values of the stack and the memo, with None for anything but text.
    top: deque[str | None] = deque([None, None], maxlen=2)
    memo: dict[int, str | None] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            yield str(argument).replace(" ", ".", 1)
        elif opcode.name == "STACK_GLOBAL":
            module, name = top
            yield UNNAMED if module is None or name is None else f"{module}.{name}"
        if opcode.name in _KEEP:
            memo[int(str(argument))] = top[-1]
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = top[-1]
        elif opcode.name in _FETCH:
            top.append(memo.get(int(str(argument))))
        elif opcode.name in _TEXT:
            top.append(str(argument)[:MAX_LETTERS])
        elif opcode.stack_after:
            top.append(None)


def is_pickle(head: bytes, size: int) -> bool:
    """Tells whether a file is a pickle of protocol 0 or 1, which have no mark at the beginning.

    Args:
        head: its first bytes.
        size: bytes of the whole file.
    """
    imports = False
    try:
        for count, (opcode, argument, position) in enumerate(pickletools.genops(head)):
            if imports:
                # A plain word list may begin like an import, but then continues with another word.
                return opcode.name in _AFTER_IMPORT
            if opcode.name == "STOP":
                return count > 1 and position == size - 1
            if opcode.name in ("GLOBAL", "INST"):
                if not _NAME.fullmatch(str(argument)):
                    return False
                if count:
                    return True
                imports = True
    except ValueError:
        pass
    return False
