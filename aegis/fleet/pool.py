"""Pieces of work in processes of this machine, a slot each, so that one that dies takes no other along."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait

from aegis.fleet.executor import Ended, Share, Slot, Work
from aegis.fleet.local import prepare


class Pool:
    """An executor on this machine, whose processes have one torch thread each.

    Args:
        work: answers messages; another process must be able to import it by its name.
        count: number of processes, at least 1.
    """

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
            process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=prepare)
            self._processes[slot] = process
        self._running[process.submit(self._work, message)] = (number, slot)

    def wait(self, seconds: float) -> list[Ended]:
        """Waits until a piece ends; as in ``Executor``."""
        done, _ = wait(self._running, seconds, FIRST_COMPLETED)
        return [self._end(future, *self._running.pop(future)) for future in done]

    def close(self) -> None:
        """Ends all processes at once."""
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
