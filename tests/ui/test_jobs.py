"""Jobs: in turn, cancelled at once, and never a word lost."""

import gc
import os
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Event, silent
from aegis.ui.jobs import NICENESS, Jobs
from tests.layers import ROOT

TICK = Event(stage="translate", label=0, step=1, total=2)


@pytest.fixture
def jobs():
    return Jobs()


class Held:
    """Work that waits to be let go, and then reports."""

    def __init__(self):
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, report):
        self.entered.set()
        assert self.go.wait(30)
        report(TICK)
        return "finished"


def finish(job):
    """Wait until the worker is done with a job."""
    job.future.result(30)
    return job


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux alone")
def test_work_and_the_threads_it_starts_step_back_behind_pages(jobs):
    def nice():
        return os.getpriority(os.PRIO_PROCESS, 0)

    def work(report):
        with ThreadPoolExecutor(1) as pool:
            return nice(), pool.submit(nice).result()

    before = nice()
    job = finish(jobs.start(work, silent))
    assert job.result == (max(NICENESS, before), max(NICENESS, before))
    assert nice() == before


def test_whatever_else_goes_wrong_is_logged_and_told_without_details(jobs, caplog):
    def work(report):
        raise ZeroDivisionError("a secret")

    job = finish(jobs.start(work, silent))
    assert job.state == "failed"
    assert "ZeroDivisionError" in job.message
    assert "secret" not in job.message
    assert "a secret" in caplog.text


def test_one_at_a_time_in_turn(jobs):
    first, second, seen = Held(), Held(), []
    one, two = jobs.start(first, silent), jobs.start(second, seen.append)
    assert first.entered.wait(30)
    assert (one.state, two.state) == ("running", "queued")
    assert (jobs.ahead(one), jobs.ahead(two), jobs.waiting) == (0, 1, 2)
    first.go.set()
    assert second.entered.wait(30)
    assert (one.state, two.state, jobs.ahead(two)) == ("done", "running", 0)
    second.go.set()
    assert finish(two).result == "finished"
    assert (two.state, two.over, seen) == ("done", True, [TICK])
    assert jobs.waiting == 0


def test_a_cancelled_job_says_so_at_once_and_stops_at_its_next_report(jobs):
    work, seen = Held(), []
    job = jobs.start(work, seen.append)
    assert work.entered.wait(30)
    jobs.cancel(job)
    assert (job.state, job.ended) == ("cancelled", None)
    assert job.work is work
    work.go.set()
    finish(job)
    assert (job.state, job.result, job.work, seen) == ("cancelled", None, None, [])
    assert job.ended is not None


def works(report):
    return 1


def fails(report):
    raise DataError("images", "none", "Give some.")


class Images:
    """What work needs and nobody should keep."""


@pytest.fixture
def collect():
    """Frees what is only held in circles; what was there before the test is passed over, which takes no time."""
    gc.freeze()
    yield gc.collect
    gc.unfreeze()


def begin(jobs, then):
    """A job whose work needs images, a way to see whether they are still there, and what tells that it was cleaned."""
    images, cleaned = Images(), threading.Event()

    def work(report):
        assert images is not None
        return then(report)

    return jobs.start(work, silent, cleaned.set), weakref.ref(images), cleaned


@pytest.mark.parametrize(
    ("then", "end"),
    [(works, ("done", 1, "")), (fails, ("failed", None, "Expected images; got none. Give some."))],
)
def test_a_job_that_is_over_is_remembered_without_what_its_work_needed(jobs, then, end, collect):
    job, images, cleaned = begin(jobs, then)
    finish(job)
    assert cleaned.wait(30)
    jobs.cancel(job)
    assert (job.state, job.result, job.message) == end
    collect()
    assert jobs.find(job.id) is job
    assert images() is None


def test_a_job_that_never_began_keeps_nothing_either(jobs, collect):
    first = Held()
    one = jobs.start(first, silent)
    job, images, cleaned = begin(jobs, works)
    jobs.cancel(job)
    assert cleaned.wait(30)
    collect()
    assert images() is None
    first.go.set()
    finish(one)
    assert (job.state, job.result) == ("cancelled", None)


def test_ids_are_long_and_never_the_same_and_what_ended_longest_ago_is_forgotten():
    jobs = Jobs(kept=2)
    ids = [finish(jobs.start(works, silent)).id for _ in range(20)]
    assert len(set(ids)) == 20
    assert min(map(len, ids)) >= 32
    assert [jobs.find(id) is not None for id in ids] == [False] * 18 + [True] * 2


def test_the_end_of_the_server_ends_a_running_job_and_it_shows_as_interrupted(store):
    code = """
import sys
import time
from pathlib import Path
from aegis.core.runtime import Event
from aegis.store.store import Store
from aegis.ui.jobs import Jobs

def work(report):
    with Store(Path(sys.argv[1])).working("scan", "signs.pt", "ab"):
        while True:
            report(Event(stage="translate", label=0, step=1, total=2))

jobs = Jobs()
running, waiting = jobs.start(work, lambda event: None), jobs.start(work, lambda event: None)
while not Store(Path(sys.argv[1])).running():
    time.sleep(0.01)
print("bye")
"""
    victim = [sys.executable, "-c", code, store.folder]
    done = subprocess.run(victim, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "bye\n")
    assert "Traceback" not in done.stderr
    assert [(work.kind, work.what) for work in store.interrupted()] == [("scan", "signs.pt")]


def test_what_is_cancelled_does_not_show_as_interrupted(jobs, store):
    entered = threading.Event()

    def work(report):
        with store.working("scan", "signs.pt", "ab"):
            entered.set()
            while True:
                report(TICK)

    job = jobs.start(work, silent)
    assert entered.wait(60)
    jobs.cancel(job)
    finish(job)
    assert job.state == "cancelled"
    assert store.running() == store.interrupted() == []
