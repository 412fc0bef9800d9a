"""Pieces of work in processes of this machine, which leave it usable for other work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait

from aegis.core.memory import keep_freed_memory
from aegis.fleet.executor import Ended, Share, Slot, Work

NICENESS = 10


class Processes:
    """An executor on this machine: a slot for each process, so that one that dies takes no other along.

    Args:
        work: answers messages; another process must be able to import it by its name.
        count: number of processes, at least 1, each with one torch thread.
    """

    shares_disk = True

    def __init__(self, work: Work, count: int) -> None:
        self._work = work
        self._processes: dict[Slot, ProcessPoolExecutor | None] = {Slot(i): None for i in range(count)}
        self._running: dict[Future[bytes], tuple[int, Slot]] = {}

    def free(self) -> list[Slot]:
        """Lists the slots in which nothing runs."""
        busy = {slot for _, slot in self._running.values()}
        return [slot for slot in self._processes if slot not in busy]

    def submit(self, slot: Slot, number: int, message: bytes, share: Share) -> None:
        """Begins a piece; arguments as in ``Executor``."""
        process = self._processes[slot]
        if process is None:
            process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_prepare)
            self._processes[slot] = process
        self._running[process.submit(self._work, message)] = (number, slot)

    def wait(self, seconds: float) -> list[Ended]:
        """Waits until a piece ends; as in ``Executor``.

        Raises:
            SystemExit: once Python ends, which would otherwise wait for a thread that waits here.
        """
        if any(map(_is_ending, self._processes.values())):
            raise SystemExit
        done, _ = wait(self._running, seconds, FIRST_COMPLETED)
        return [self._end(future, *self._running.pop(future)) for future in done]

    def close(self) -> None:
        """Ends all processes at once, so that pieces must save what they finish."""
        for process in self._processes.values():
            if process is not None:
                for child in [*(process._processes or {}).values()]:
                    child.terminate()
                process.shutdown(cancel_futures=True)

    def _end(self, future: Future[bytes], number: int, slot: Slot) -> Ended:
        try:
            return Ended(number, slot, "answered", future.result())
        except BrokenExecutor:
            broken, self._processes[slot] = self._processes[slot], None
            assert broken is not None
            broken.shutdown()
            return Ended(number, slot, "died")


def _is_ending(process: ProcessPoolExecutor | None) -> bool:
    """Tells whether Python ends; nothing public does, and one whose process died looks alike otherwise."""
    return getattr(process, "_shutdown_thread", False) and not getattr(process, "_broken", False)


def _prepare() -> None:
    """Prepares a new process: one torch thread, low priority, and an end together with its parent."""
    keep_freed_memory()
    # What torch begins with, if the work needs it.
    os.environ["OMP_NUM_THREADS"] = "1"
    if (torch := sys.modules.get("torch")) is not None:
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
