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
    over = threading.Event()
    job.future.add_done_callback(lambda _: over.set())
    assert over.wait(30)
    return job


def test_work_is_done_and_its_events_are_seen(jobs):
    seen = []

    def work(report):
        report(TICK)
        return 7

    job = finish(jobs.start(work, seen.append))
    assert (job.state, job.result, job.over) == ("done", 7, True)
    assert seen == [TICK]
    assert jobs.find(job.id) is job


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


def test_bad_input_becomes_its_message(jobs):
    def work(report):
        raise DataError("images", "none", "Give some.")

    job = finish(jobs.start(work, silent))
    assert (job.state, job.message) == ("failed", "Expected images; got none. Give some.")


def test_whatever_else_goes_wrong_is_logged_and_told_without_details(jobs, caplog):
    def work(report):
        raise ZeroDivisionError("a secret")

    job = finish(jobs.start(work, silent))
    assert job.state == "failed"
    assert "ZeroDivisionError" in job.message
    assert "secret" not in job.message
    assert "a secret" in caplog.text


def test_one_at_a_time_in_turn(jobs):
    first, second = Held(), Held()
    one, two = jobs.start(first, silent), jobs.start(second, silent)
    assert first.entered.wait(30)
    assert (one.state, two.state) == ("running", "queued")
    assert (jobs.ahead(one), jobs.ahead(two), jobs.waiting) == (0, 1, 2)
    first.go.set()
    assert second.entered.wait(30)
    assert (one.state, two.state, jobs.ahead(two)) == ("done", "running", 0)
    second.go.set()
    assert finish(two).result == "finished"
    assert jobs.waiting == 0


def test_a_cancelled_job_says_so_at_once_and_stops_at_its_next_report(jobs):
    work, seen = Held(), []
    job = jobs.start(work, seen.append)
    assert work.entered.wait(30)
    jobs.cancel(job)
    assert (job.state, job.ended) == ("cancelled", None)
    work.go.set()
    finish(job)
    assert (job.state, job.result, seen) == ("cancelled", None, [])
    assert job.ended is not None


def test_a_job_that_waits_is_cancelled_without_being_begun(jobs):
    first, second = Held(), Held()
    one, two = jobs.start(first, silent), jobs.start(second, silent)
    jobs.cancel(two)
    first.go.set()
    finish(one)
    assert two.state == "cancelled"
    assert not second.entered.is_set()


def test_what_is_over_stays_as_it_is(jobs):
    job = finish(jobs.start(lambda report: 1, silent))
    jobs.cancel(job)
    assert (job.state, job.result) == ("done", 1)


def fails(report):
    raise DataError("a", "b", "c")


@pytest.mark.parametrize("work", [lambda report: 1, fails])
def test_a_job_is_cleaned_up_after(jobs, work):
    cleaned = threading.Event()
    jobs.start(work, silent, cleaned.set)
    assert cleaned.wait(30)


class Images:
    """What work needs and nobody should keep."""


def begin(jobs, then):
    """A job whose work needs images, and a way to see whether they are still there."""
    images = Images()

    def work(report):
        assert images is not None
        return then(report)

    return jobs.start(work, silent), weakref.ref(images)


@pytest.mark.parametrize("then", [lambda report: 1, fails])
def test_a_job_that_is_remembered_keeps_nothing_of_what_its_work_needed(jobs, then):
    job, images = begin(jobs, then)
    finish(job)
    gc.collect()
    assert jobs.find(job.id) is job
    assert images() is None


def test_a_job_that_never_began_keeps_nothing_either(jobs):
    first = Held()
    jobs.start(first, silent)
    job, images = begin(jobs, lambda report: 1)
    jobs.cancel(job)
    gc.collect()
    assert images() is None
    first.go.set()


def test_work_that_has_begun_when_it_is_cancelled_goes_on_to_its_next_report(jobs):
    first = Held()
    job = jobs.start(first, silent)
    assert first.entered.wait(30)
    jobs.cancel(job)
    assert job.work is first
    first.go.set()
    finish(job)
    assert job.work is None


def test_a_job_that_never_began_is_cleaned_up_after(jobs):
    work, cleaned = Held(), threading.Event()
    jobs.start(work, silent)
    jobs.cancel(jobs.start(Held(), silent, cleaned.set))
    assert cleaned.wait(30)
    work.go.set()


def test_ids_are_long_and_never_the_same(jobs):
    ids = {finish(jobs.start(lambda report: None, silent)).id for _ in range(20)}
    assert len(ids) == 20
    assert min(map(len, ids)) >= 32
    assert jobs.find("another") is None


def test_what_ended_longest_ago_is_forgotten():
    jobs = Jobs(kept=2)
    ids = [finish(jobs.start(lambda report: None, silent)).id for _ in range(4)]
    assert [jobs.find(id) is not None for id in ids] == [False, False, True, True]


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
