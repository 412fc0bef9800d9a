"""What travels between a fleet's driver and its workers: JSON, and files of plain arrays as they are stored."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from aegis.core.errors import DataError

_LENGTH = struct.Struct(">Q")


def pack(said: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> bytes:
    """Writes a message.

    Args:
        said: what JSON knows; the name ``files`` is taken.
        files: contents by name, or None for none.
    """
    files = files or {}
    head = json.dumps({**said, "files": [[name, len(content)] for name, content in files.items()]}).encode()
    return b"".join([_LENGTH.pack(len(head)), head, *files.values()])


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Reads a message of ``pack``.

    Returns:
        What was said, and the files.

    Raises:
        DataError: if it is none.
    """
    try:
        (length,) = _LENGTH.unpack_from(message)
        at = _LENGTH.size + length
        said = json.loads(message[_LENGTH.size : at])
        files = {}
        for name, size in said.pop("files"):
            files[str(name)] = message[at : at + size]
            at += size
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(type(error).__name__) from error
    if at != len(message):
        raise _broken(f"{len(message)} bytes instead of {at}")
    return said, files


def _broken(got: str) -> DataError:
    return DataError("a message between parts of AEGIS", got, "Use the same version of AEGIS on every node.")
