"""Long work in the background: one worker, a queue, and ids that nobody can guess. No Streamlit and no torch here.

A page that is reloaded starts a new session and knows nothing; the id in its address finds the job again.
Threads of jobs never call Streamlit: they write down how far they are, and pages come and look.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from aegis.core.errors import AegisError
from aegis.core.runtime import Cancelled, Event, Report

State = Literal["queued", "running", "done", "failed", "cancelled"]
T = TypeVar("T")

# Of more jobs, the one that ended first is forgotten; its results stay in the store.
KEPT = 64
ID_BYTES = 24
# Niceness of jobs, so that pages stay responsive.
NICENESS = 10
UNEXPECTED = "Something went wrong that nobody foresaw ({kind}). The server's log has the details."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reporter:
    """What a job is given to report to.

    Args:
        check: raises ``Cancelled`` when the user has had enough, and ``SystemExit`` when the server ends.
        watch: is given every event.
    """

    check: Callable[[], None]
    watch: Report

    def __call__(self, event: Event) -> None:
        self.check()
        self.watch(event)


@dataclass(eq=False)
class Job(Generic[T]):
    """One piece of work and its result.

    Args:
        work: does it, and reports to what it is given; that raises ``Cancelled`` when the user has had enough. None
            once it will not be called any more.
        watch: is given every event.
        id: in the page's address.
        state: *queued*, *running*, *done*, *failed* or *cancelled*.
        result: of the work, once it is done.
        message: why it failed, for people.
        ended: when the worker was free again, in seconds of ``time.monotonic``.
    """

    work: Callable[[Reporter], T] | None
    watch: Report
    id: str = field(default_factory=lambda: secrets.token_urlsafe(ID_BYTES))
    state: State = "queued"
    result: T | None = None
    message: str = ""
    ended: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    future: Future[None] | None = None

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.state in ("done", "failed", "cancelled")


class Jobs:
    """Runs jobs in turn, one at a time.

    Args:
        kept: number of jobs that are remembered.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="aegis-job", initializer=_step_back)
        # The pool raises on new work once the interpreter ends, which tells a running job to stop.
        self._open = ThreadPoolExecutor(1, thread_name_prefix="aegis-open")
        self._jobs: dict[str, Job[object]] = {}
        self._kept = kept
        self._lock = threading.Lock()

    def start(self, work: Callable[[Reporter], T], watch: Report, clean: Callable[[], None] = lambda: None) -> Job[T]:
        """Queues a job.

        Args:
            work: the function to run.
            watch: is given every event, in the job's threads.
            clean: called once when the job is over, however it ends.
        """
        job = Job(work, watch)
        with self._lock:
            self._jobs[job.id] = job  # type: ignore[assignment]
            self._forget()
        job.future = self._pool.submit(self._run, job)
        job.future.add_done_callback(lambda _: clean())
        return job

    def find(self, id: str) -> Job[object] | None:
        """Finds a job.

        Returns:
            The job; None if it is unknown or was forgotten.
        """
        with self._lock:
            return self._jobs.get(id)

    def ahead(self, job: Job[T]) -> int:
        """Counts the jobs that run before this one."""
        with self._lock:
            before = list(self._jobs.values())
        return sum(other.ended is None for other in before[: before.index(job)])  # type: ignore[arg-type]

    @property
    def waiting(self) -> int:
        """Number of jobs that would run before a new one."""
        with self._lock:
            return sum(job.ended is None for job in self._jobs.values())

    def unfinished(self) -> list[Job[object]]:
        """Lists the jobs that wait or run."""
        with self._lock:
            return [job for job in self._jobs.values() if not job.over]

    def cancel(self, job: Job[T]) -> None:
        """Cancels a job; results that it finished stay in the store, and a job that has ended stays as it is."""
        with self._lock:
            if job.over:
                return
            job.state = "cancelled"
        job.stop.set()
        # A job that has begun needs its files until it notices the cancellation.
        if job.future is not None and job.future.cancel():
            self._end(job)

    def _run(self, job: Job[T]) -> None:
        def check() -> None:
            if job.stop.is_set():
                raise Cancelled
            if self._closing():
                # The server is ending: unlike a cancelled job, this one shows as interrupted.
                raise SystemExit

        try:
            if self._enter(job) and job.work is not None:
                self._leave(job, "done", result=job.work(Reporter(check, job.watch)))
        except (Cancelled, SystemExit):
            self._leave(job, "cancelled")
        except AegisError as error:
            self._leave(job, "failed", str(error))
        except BaseException as error:  # a thread must not end without a word to the one who waits
            log.exception("A job failed")
            self._leave(job, "failed", UNEXPECTED.format(kind=type(error).__name__))
        finally:
            self._end(job)

    def _enter(self, job: Job[T]) -> bool:
        closing = self._closing()
        with self._lock:
            if job.over or closing:
                return False
            job.state = "running"
            return True

    def _leave(self, job: Job[T], state: State, message: str = "", result: T | None = None) -> None:
        with self._lock:
            if not job.over:
                job.state, job.message, job.result = state, message, result

    def _end(self, job: Job[T]) -> None:
        # Jobs are remembered long, and their work holds models and images.
        job.work = None
        job.ended = time.monotonic()

    def _closing(self) -> bool:
        try:
            self._open.submit(int)
        except RuntimeError:
            return True
        return False

    def _forget(self) -> None:
        over = [id for id, job in self._jobs.items() if job.ended is not None]
        for id in over[: max(0, len(self._jobs) - self._kept)]:
            del self._jobs[id]


def _step_back() -> None:
    # Threads that this one starts inherit it. On other systems than Linux it would hold for the whole server.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
