"""Freed memory that stays with the process."""

import subprocess
import sys

import pytest

from aegis.core.memory import keep_freed_memory

SIZE, TIMES = 20 * 2**20, 10
# How many pages a thread asks for while blocks come and go; numpy would ask for large pages.
COUNTED = f"""
import ctypes, resource, sys, threading
from aegis.core.memory import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def use():
    for _ in range({TIMES}):
        blocks = [ctypes.c_void_p(libc.malloc({SIZE})) for _ in range(4)]
        for block in blocks:
            libc.memset(block, 1, {SIZE})
        for block in blocks:
            libc.free(block)

before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread = threading.Thread(target=use)
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(way):
    done = subprocess.run([sys.executable, "-c", COUNTED, way], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="needs the GNU C library")
def test_freed_memory_is_used_again():
    # The default takes the pages anew.
    assert pages("kept") < pages("default") / 4
