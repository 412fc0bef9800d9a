"""Registers long work in the store, so that it shows as interrupted if its process is killed."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from aegis.core.errors import AegisError
from aegis.store.store import Store


@contextmanager
def remembered(kind: str, path: Path) -> Iterator[None]:
    """Registers work on a file in the store while the block runs, so that an interruption is noticed.

    Args:
        kind: words for people: *training*, *report*, *bank scan*.
        path: of the file that is written, or its folder.
    """
    key = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()
    with ExitStack() as stack:
        # The work itself needs no store, so a store that fails must not stop it.
        with suppress(AegisError):
            stack.enter_context(Store().working(kind, os.fspath(path), key, this_command()))
        yield


def this_command() -> str:
    """Writes the running command so that it can be given again in any folder."""
    return f"cd {shlex.quote(os.getcwd())} && {shlex.join(['aegis', *sys.argv[1:]])}"  # noqa: PTH109 - as the shell says
