"""What holds for every test: one thread, fixed seeds, and shapes checked at run time."""

import os

# Before anything imports torch, and inherited by the processes that tests start.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"

import random
import signal
import sys

import numpy as np
import pytest
from jaxtyping import install_import_hook

from tests import typecheck

# A shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Every function and dataclass of the package checks its annotations while tests run.
install_import_hook("aegis", f"{typecheck.__name__}.check")


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries that draw from numpy's global generator
    # Most of a test's time would go into an import that it may not need.
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
        torch.set_num_threads(1)


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    from aegis.store.store import Store

    return Store(tmp_path / "store")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small scan that is done, with its model, its images and its store."""
    from tests.finished import copy_of_finished

    return copy_of_finished(tmp_path_factory)


@pytest.fixture
def full_disk(monkeypatch):
    """No file can be written to its end."""

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aegis.core.files.os.fsync", full)


@pytest.fixture
def suspects(tmp_path, monkeypatch):
    """An empty folder of suspects, and an empty store."""
    folder = tmp_path / "suspects"
    folder.mkdir()
    monkeypatch.setenv("AEGIS_SUSPECTS", str(folder))
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    import streamlit as st

    st.cache_resource.clear()
    st.cache_data.clear()
    return folder
