"""Processes that end with the one who asked for them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60
SCRIPT = """
import sys
import threading

sys.path.insert(0, {root!r})

from aegis.fleet.local import processes
from tests.fleet.test_local import about

if __name__ == "__main__":
    try:
        with processes(1) as pool:
            print(*pool.submit(about).result(), flush=True)
            pool.submit(threading.Event().wait).result()
    except KeyboardInterrupt:
        print("interrupted")
"""


def about():
    """Threads and niceness of this process."""
    import torch

    return torch.get_num_threads(), os.nice(0)


@pytest.fixture
def waiting(tmp_path):
    """A program with a pool whose one process waits for ever, once it has said what it is."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT)))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        threads, niceness = map(int, process.stdout.readline().split())
        assert threads == 1
        assert niceness >= 10
        yield process


def test_a_pool_ends_when_its_parent_is_killed(waiting):
    waiting.kill()
    # Its child has the same standard output, which ends with the last of the two.
    assert waiting.communicate(timeout=LIMIT)[0] == ""


def test_the_interrupt_key_ends_all_of_it_without_a_traceback(waiting):
    os.killpg(waiting.pid, signal.SIGINT)
    out, err = waiting.communicate(timeout=LIMIT)
    assert out == "interrupted\n"
    assert "Traceback" not in err
    assert waiting.returncode == 0
