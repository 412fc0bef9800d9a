"""Processes for long work beside a machine's other work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool for work that keeps what it has finished: whatever goes wrong or is interrupted ends all of it at once.

    Args:
        count: how many, each with one torch thread.
    """
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=prepare)
    try:
        yield pool
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def prepare() -> None:
    """In a new process: one torch thread, behind what people wait for, and an end with the one who asked for it."""
    import torch

    torch.set_num_threads(1)
    os.nice(10)
    # The interrupt key reaches every process of a terminal, and the first one sees to the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A pool's processes would otherwise go on for hours after their parent was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
