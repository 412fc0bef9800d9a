"""Processes: alive, ended, and another with the number of an ended one."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from aegis.core.process import Process, this_process


def test_one_that_was_killed_is_dead_even_before_it_was_waited_for():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        fields = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()
        there = Process(other.pid, int(fields[19]), this_process().boot)
        assert there.alive
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{other.pid}").exists()
        assert not there.alive
    assert not there.alive


def test_this_process_lives_and_another_with_its_number_is_not_taken_for_it():
    here = this_process()
    assert (here.pid, here.alive) == (os.getpid(), True)
    assert here.boot
    assert here.start > 0
    assert not replace(here, start=1).alive
    assert not replace(here, boot="another").alive
    # A start that is not known is any.
    assert replace(here, start=0).alive
