"""What is made once in a run, by whichever worker asks first, and read by the others."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

Made = TypeVar("Made")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """The value of ``make``, which gets an empty folder that stays until the run is over.

    Args:
        factory: of the run's temporary folders; those of its workers lie in one of the run.
        name: of what is made.
        make: its value is pickled. Whoever changes files that it wrote changes them for all.
    """
    root = factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    kept, folder = root / f"{name}.pickle", root / f"{name}-made"
    with FileLock(root / f"{name}.lock"):
        if not kept.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            kept.write_bytes(pickle.dumps(make(folder)))
    return pickle.loads(kept.read_bytes())  # noqa: S301 - written by this run
