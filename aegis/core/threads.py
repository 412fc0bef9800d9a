"""Does independent work side by side in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from aegis.core.runtime import Cancelled, Event, Report

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], items: Sequence[T], workers: int, stop: threading.Event) -> list[R]:
    """Works on items in threads, each with an equal number of cores.

    Several items on one core each are faster than one item on several, because most operations are too small to be
    split. When one fails or the user interrupts, ``stop`` is set, so that the others end soon.

    Args:
        work: does the work on one item.
        items: the items.
        workers: number of threads, at least 1.
        stop: event that is set on failure.

    Returns:
        The results in the order of the items.
    """
    import torch

    share = max(1, torch.get_num_threads() // workers)
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,)) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            # Results are awaited as they end, so that a failure is seen while earlier items are still worked on.
            for future in as_completed(futures):
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def one_at_a_time(report: Report, stop: threading.Event) -> Report:
    """Protects a callback by a lock, since several threads report to it.

    Args:
        report: the callback.
        stop: event that makes the callback raise ``Cancelled`` once it is set.

    Returns:
        The protected callback.
    """
    lock = threading.Lock()

    def locked(event: Event) -> None:
        with lock:
            if stop.is_set():
                raise Cancelled
            report(event)

    return locked
