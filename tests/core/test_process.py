"""Processes: alive, ended, and another with the number of an ended one."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from aegis.core.process import Process, this_process


@pytest.fixture
def other():
    """A process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def identity(pid):
    """A process of this boot as the system knows it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Process(pid, int(fields[19]), this_process().boot)


def test_this_process_lives():
    here = this_process()
    assert (here.pid, here.alive) == (os.getpid(), True)
    assert here.boot
    assert here.start > 0


def test_one_that_was_killed_is_dead_even_before_it_was_waited_for(other):
    there = identity(other.pid)
    assert there.alive
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{other.pid}").exists()
    assert not there.alive
    other.wait()
    assert not there.alive


@pytest.mark.parametrize("change", [{"start": 1}, {"boot": "another"}])
def test_another_with_the_same_number_is_not_taken_for_it(change):
    assert not replace(this_process(), **change).alive


def test_a_start_that_is_not_known_is_any():
    assert replace(this_process(), start=0).alive
