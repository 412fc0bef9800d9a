"""Scans, trainings, reports and writes to a store, killed and started again."""

import random

import pytest

from benchmarks.killable import Bench, Ran
from benchmarks.kills import moments, run
from benchmarks.nursery import Nursery


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Images, a model and a finished scan."""
    with Nursery() as nursery:
        made = Bench(tmp_path_factory.mktemp("kills"), nursery)
        made.make()
        yield made


# How often each is killed.
KILLS = [("scan", 2), ("training", 1), ("report", 1), ("writes", 1)]


def test_kills_lose_nothing(bench):
    tallies = dict(run(bench, kills=5, seed=0, by_clock=False))
    assert [problem for tally in tallies.values() for problem in tally.problems] == []
    assert [(name, tally.kills) for name, tally in tallies.items()] == KILLS
    for tally in tallies.values():
        assert (tally.lost, tally.corrupt, tally.unseen, tally.resumed) == (0, 0, 0, tally.kills)
    assert sum(tally.units for tally in tallies.values()) > 0


def test_moments_lie_within_the_work():
    whole = Ran(0, "", [(2.0, "open", "a"), (3.0, "os.rename", "a"), (5.0, "open", "b")])
    chosen = moments(whole, 200, random.Random(0), by_clock=False)
    assert {event for event, _ in chosen} == {1, 2, 3}
    assert {delay for _, delay in chosen} == {0.0}
    timed = moments(whole, 200, random.Random(0), by_clock=True)
    assert {event for event, _ in timed} == {1, 2, 3}
    for number, gap in ((1, 1.0), (2, 2.0)):
        delays = [delay for event, delay in timed if event == number]
        assert 0.9 * gap < max(delays) <= gap
        assert min(delays) < 0.1 * gap
    assert {delay for event, delay in timed if event == 3} == {0.0}
