"""Slots of this machine: what dies takes no other along, and its slot works again."""

import os

import pytest

from aegis.fleet.executor import Share
from aegis.fleet.pool import Pool


def work(message):
    """Answers, or ends its process."""
    if message == b"deadly":
        os._exit(1)
    return message + f" {os.getpid()}".encode()


@pytest.fixture
def pool():
    pool = Pool(work, 2)
    yield pool
    pool.close()


def all_of(pool, number):
    ended = []
    while len(ended) < number:
        ended += pool.wait(60)
    return {one.number: one for one in ended}


def test_one_that_dies_takes_no_other_along(pool):
    one, other = pool.free()
    pool.submit(one, 1, b"deadly", Share())
    pool.submit(other, 2, b"good", Share())
    assert pool.free() == []
    ended = all_of(pool, 2)
    assert (ended[1].how, ended[2].how) == ("died", "answered")
    assert pool.free() == [one, other]
    pool.submit(one, 3, b"again", Share())
    pool.submit(other, 4, b"good", Share())
    again = all_of(pool, 2)
    assert again[3].answer.startswith(b"again")
    # A process serves piece after piece.
    assert again[4].answer == ended[2].answer != again[3].answer
