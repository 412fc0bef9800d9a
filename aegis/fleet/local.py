"""Processes for long work, which leave the machine usable for other work."""

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
    """Creates a pool of processes; an error or interruption ends all of them at once, so tasks must save what they
    finish.

    Args:
        count: number of processes, each with one torch thread.

    Returns:
        A context manager that gives the pool.
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
    """Prepares a new process: one torch thread, low priority, and an end together with its parent."""
    import torch

    torch.set_num_threads(1)
    os.nice(10)
    # The interrupt key signals every process of a terminal; the parent handles it and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # The processes of a pool would otherwise run on for hours after their parent was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
