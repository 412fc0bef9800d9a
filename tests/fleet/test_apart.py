"""Work in a process of its own: what it tells and returns, how it fails, and how it ends."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from aegis.core.errors import AegisError, DataError
from aegis.core.runtime import Cancelled
from aegis.fleet import apart
from aegis.fleet.apart import run_apart
from tests.fleet import work
from tests.layers import ROOT


def wanted():
    """Nobody minds."""


def test_what_work_tells_and_returns_comes_from_another_process():
    told = []
    process, to = run_apart(partial(work.count, 3), told.append, wanted)
    assert told == [{"step": 0}, {"step": 1}, {"step": 2}]
    assert to == 3
    assert process != os.getpid()


def test_a_problem_of_the_users_comes_as_it_is_and_any_other_with_its_traceback():
    with pytest.raises(DataError, match=r"^Expected more; got less\. Give more\.$"):
        run_apart(work.refuse, print, wanted)
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by nothing"):
        run_apart(work.fail, print, wanted)


@pytest.mark.parametrize(("deed", "how"), [(work.be_killed, "signal 9"), (partial(work.leave, 3), "exit code 3")])
def test_a_process_that_ends_by_itself_is_a_message(deed, how):
    with pytest.raises(AegisError, match=f"ended by itself \\({how}\\)"):
        run_apart(deed, lambda _: None, wanted)


@pytest.mark.parametrize("end", [Cancelled, SystemExit])
def test_work_that_is_no_longer_wanted_learns_why_and_ends(tmp_path, end):
    told = []

    def check():
        if told:
            raise end

    with pytest.raises(end):
        run_apart(partial(work.go_on, str(tmp_path / "end")), told.append, check)
    assert (tmp_path / "end").read_text() == end.__name__


def test_work_that_does_not_listen_is_ended(monkeypatch):
    monkeypatch.setattr(apart, "GRACE", 0.2)

    def hear(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        run_apart(work.ignore, hear, wanted)


CODE = """
import os, sys
from functools import partial
from aegis.fleet.apart import run_apart
from tests.fleet import work
run_apart(partial(work.go_on, sys.argv[1]), lambda _: os.kill(os.getpid(), 9), lambda: None)
"""


def test_work_ends_with_the_process_that_asked_for_it(tmp_path):
    end = tmp_path / "end"
    os.mkfifo(end)
    ran = subprocess.run([sys.executable, "-c", CODE, str(end)], cwd=ROOT, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert end.read_text() == "SystemExit"
