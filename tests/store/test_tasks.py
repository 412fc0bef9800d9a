"""Work on its way: told while it lasts, and as interrupted once its process was killed."""

import gc
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Cancelled
from aegis.store.store import Store
from tests.layers import ROOT
from tests.stored import record

KEY = "a" * 64
SCRIPT = """
import sys
from pathlib import Path

import numpy as np

from aegis.store.store import Store

store = Store(Path(sys.argv[1]))
with store.working("scan", "model.pt", "a" * 64, "aegis scan model.pt"):
    store.keep("mine", {"a": np.arange(3)})
    print("begun", flush=True)
    input()
"""


def begin(store):
    """A process in the middle of a scan."""
    command = [sys.executable, "-c", SCRIPT, store.folder]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    return process


def end(process, kill=False):
    if kill:
        process.kill()
    process.communicate("\n", timeout=60) if not kill else process.communicate(timeout=60)


@pytest.fixture
def killed(store):
    """A store in which a scan was killed."""
    end(begin(store), kill=True)
    return store


def test_another_process_shows_what_it_does(store):
    process = begin(store)
    (work,) = store.running()
    assert (work.kind, work.what, work.key, work.resume_hint) == ("scan", "model.pt", KEY, "aegis scan model.pt")
    assert (work.process.pid, work.begun[-6:]) == (process.pid, "+00:00")
    assert store.interrupted() == []
    # What it uses stays, whatever the limit.
    assert store.collect(0).arrays == ()
    assert store.load("mine") is not None
    end(process)
    assert (store.running(), store.interrupted()) == ([], [])
    assert [array.key for array in store.collect(0).arrays] == ["mine"]


def test_what_was_killed_is_interrupted_until_it_is_taken_up(killed):
    (work,) = killed.interrupted()
    assert (work.what, work.resume_hint) == ("model.pt", "aegis scan model.pt")
    assert killed.running() == []
    with killed.working("scan", "other.pt", "b" * 64):
        assert killed.interrupted() == [work]
    with killed.working("scan", "model.pt", KEY):
        assert killed.interrupted() == []
    assert killed.running() == []


@pytest.mark.parametrize("kept", [True, False])
def test_a_scan_that_is_kept_or_forgotten_is_not_interrupted(killed, kept):
    killed.keep_scan("b" * 64, record())
    assert (len(killed.interrupted()), killed.keys("aaaaaa")) == (1, [KEY])
    killed.keep_scan(KEY, record()) if kept else killed.forget(KEY)
    assert (killed.interrupted(), killed.keys("aaaaaa")) == ([], [KEY] if kept else [])


def test_what_was_interrupted_protects_nothing_but_is_removed_last(killed):
    path = killed.folder / "arrays" / "mine.npz"
    with suppress(Cancelled), killed.working("scan", "other.pt", "b" * 64):
        killed.keep("older", {"a": np.arange(3)})
        killed.claim("mine")
        raise Cancelled
    assert [array.key for array in killed.plan(path.stat().st_size).arrays] == ["older"]
    assert [array.key for array in killed.plan(0).arrays] == ["older", "mine"]


@pytest.mark.parametrize("error", [Cancelled, KeyboardInterrupt, DataError("a", "b", "c"), MemoryError])
def test_what_is_cancelled_or_fails_is_over(store, error):
    with pytest.raises(type(error) if isinstance(error, Exception) else error), store.working("scan", "a", KEY):
        raise error
    assert (store.running(), store.interrupted()) == ([], [])


def test_what_is_ended_from_outside_counts_as_interrupted(store):
    code = SCRIPT.replace("input()", "sys.exit(143)")
    command = [sys.executable, "-c", code, store.folder]
    assert subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 143
    assert [work.what for work in store.interrupted()] == ["model.pt"]


def test_a_store_that_nobody_holds_protects_nothing(store):
    user = Store(store.folder)
    user.keep("a", {"a": np.arange(3)})
    assert store.plan(0).arrays == ()
    del user
    gc.collect()
    assert [array.key for array in store.plan(0).arrays] == ["a"]
