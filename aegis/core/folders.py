"""Chooses the folder of this machine that results and decoded data sets are kept in."""

from __future__ import annotations

import os
from pathlib import Path

from aegis.core.errors import StoreError


def default_folder() -> Path:
    """Gives the folder for results: the value of ``AEGIS_STORE``, else ``aegis`` in the user's cache folder.

    Raises:
        StoreError: if the path names the home of an unknown user.
    """
    named = os.environ.get("AEGIS_STORE")
    try:
        if named:
            return Path(named).expanduser()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aegis"
    except RuntimeError as error:
        raise StoreError("a folder to keep results in", f"{named or '~'} ({error})", "Set AEGIS_STORE.") from error
