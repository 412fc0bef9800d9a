"""Processes that end with the one who asked for them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor

from aegis.lab.processes import prepare
from tests.lab.test_processes import about

if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=prepare) as pool:
        print(*pool.submit(about).result(), flush=True)
        pool.submit(threading.Event().wait).result()
"""


def about():
    """Threads and niceness of this process."""
    import os

    import torch

    return torch.get_num_threads(), os.nice(0)


def test_a_pool_ends_when_its_parent_is_killed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n" + SCRIPT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        threads, niceness = map(int, process.stdout.readline().split())
        assert threads == 1
        assert niceness >= 10
        process.kill()
        # Its child has the same standard output, which ends with the last of the two.
        assert process.stdout.read() == b""
