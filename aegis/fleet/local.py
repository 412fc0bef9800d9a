"""Processes for long work, which leave the machine usable for other work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

from aegis.core.memory import keep_freed_memory

R = TypeVar("R")
# Is told the number of a call and the error that it raised.
Failed = Callable[[int, Exception], None]
NICENESS = 10
# Seconds between two looks at whether the work is still wanted.
TICK = 0.5


def run_in_processes(
    calls: Mapping[int, Callable[[], R]],
    count: int,
    after: Mapping[int, int],
    failed: Failed | None = None,
    tick: Callable[[], None] | None = None,
) -> Iterator[tuple[int, R]]:
    """Runs independent calls side by side, each once the one that it depends on has returned.

    Args:
        calls: the calls by number; they are sent to other processes.
        count: number of processes, each with one torch thread.
        after: the number of the call that another depends on.
        failed: is told of every call that fails, which then stops only the calls that depend on it; None to end all
            calls at the first failure.
        tick: called every half second while calls run; an error that it raises ends all of them.

    Returns:
        Numbers with results, as they are finished.

    Raises:
        Exception: the first that a call raises, once the results of all finished calls were handed out.
    """
    waiting, running, unfinished = dict(calls), dict[Future[R], int](), set(calls)
    first: Exception | None = None
    with processes(count) as pool:
        while True:
            if tick is not None:
                tick()
                _stop_with_python(pool)
            for i in [i for i in waiting if after.get(i) not in unfinished]:
                running[pool.submit(waiting.pop(i))] = i
            if not running:
                break
            done, _ = wait(running, None if tick is None else TICK, FIRST_COMPLETED)
            for future in sorted(done, key=lambda one: one.exception() is not None):
                i, error = running.pop(future), future.exception()
                if failed is None or not isinstance(error, Exception) or isinstance(error, BrokenExecutor):
                    yield i, future.result()
                    unfinished.remove(i)
                else:
                    failed(i, error)
                    first = first or error
    if first is not None:
        raise first


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


def _stop_with_python(pool: ProcessPoolExecutor) -> None:
    """Ends the work of a thread once Python ends, which would otherwise wait until all that runs has finished.

    Raises:
        SystemExit: if it does; nothing public tells.
    """
    if getattr(pool, "_shutdown_thread", False):
        raise SystemExit


def prepare() -> None:
    """Prepares a new process: one torch thread, low priority, and an end together with its parent."""
    keep_freed_memory()
    import torch

    torch.set_num_threads(1)
    # A thread that has stepped back already passes that on.
    os.nice(max(0, NICENESS - os.nice(0)))
    # The interrupt key signals every process of a terminal; the parent handles it and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # The processes of a pool would otherwise run on for hours after their parent was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
