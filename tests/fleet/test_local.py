"""Processes of this machine: what dies takes no other along, and all end with the one who asked for them."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from aegis.fleet.executor import Share
from aegis.fleet.local import Processes

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60
SCRIPT = """
import sys

sys.path.insert(0, {root!r})

from aegis.fleet.executor import Share
from aegis.fleet.local import Processes
from tests.fleet.test_local import work

if __name__ == "__main__":
    processes = Processes(work, 1)
    try:
        for number, message in enumerate([b"about", b"wait"]):
            processes.submit(processes.free()[0], number, message, Share())
            print(processes.wait(60)[0].answer.decode(), flush=True)
    except KeyboardInterrupt:
        processes.close()
        print("interrupted")
"""


def work(message):
    """Answers, waits for ever, or ends its process."""
    if message == b"deadly":
        os._exit(1)
    if message == b"wait":
        signal.pause()
    if message == b"about":
        import torch

        return f"{torch.get_num_threads()} {os.nice(0)}".encode()
    return message + f" {os.getpid()}".encode()


@pytest.fixture
def processes():
    processes = Processes(work, 2)
    yield processes
    processes.close()


def all_of(processes, number):
    ended = []
    while len(ended) < number:
        ended += processes.wait(60)
    return {one.number: one for one in ended}


def test_one_that_dies_takes_no_other_along(processes):
    one, other = processes.free()
    processes.submit(one, 1, b"deadly", Share())
    processes.submit(other, 2, b"good", Share())
    assert processes.free() == []
    ended = all_of(processes, 2)
    assert (ended[1].how, ended[2].how) == ("died", "answered")
    assert processes.free() == [one, other]
    processes.submit(one, 3, b"again", Share())
    processes.submit(other, 4, b"good", Share())
    again = all_of(processes, 2)
    assert again[3].answer.startswith(b"again")
    # A process serves piece after piece.
    assert again[4].answer == ended[2].answer != again[3].answer


def test_one_that_dies_while_nobody_waits_is_told_of_later(processes):
    (one, _) = processes.free()
    processes.submit(one, 1, b"deadly", Share())
    # The pool notices by itself.
    pool = processes._processes[one]
    while not pool._broken:
        threading.Event().wait(0.01)
    assert [ended.how for ended in processes.wait(60)] == ["died"]


def test_a_thread_that_waits_ends_with_python(processes):
    (one, _) = processes.free()
    pool = ProcessPoolExecutor(1)
    # As Python's own end leaves it.
    pool._shutdown_thread = True
    processes._processes[one] = pool
    with pytest.raises(SystemExit):
        processes.wait(60)


@pytest.fixture
def waiting(tmp_path):
    """A program with a process that waits for ever, once it has said what it is."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT)))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        threads, niceness = map(int, process.stdout.readline().split())
        assert threads == 1
        assert niceness >= 10
        yield process


def test_all_end_when_their_parent_is_killed(waiting):
    waiting.kill()
    # Its child has the same standard output, which ends with the last of the two.
    assert waiting.communicate(timeout=LIMIT)[0] == ""


def test_the_interrupt_key_ends_all_of_it_without_a_traceback(waiting):
    os.killpg(waiting.pid, signal.SIGINT)
    out, err = waiting.communicate(timeout=LIMIT)
    assert out == "interrupted\n"
    assert "Traceback" not in err
    assert waiting.returncode == 0
