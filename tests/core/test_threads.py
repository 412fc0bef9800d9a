"""Work done side by side ends in its order, and ends early for all when one part fails."""

import threading

import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Cancelled, Event
from aegis.core.threads import one_at_a_time, side_by_side


def test_results_keep_the_order_of_the_items():
    stop = threading.Event()
    assert side_by_side("abcd".__getitem__, [3, 1, 2], 2, stop) == ["d", "b", "c"]
    assert not stop.is_set()


def test_an_error_in_one_stops_the_others():
    stop = threading.Event()

    def fail(item):
        raise DataError("images", "none", "Give some.")

    with pytest.raises(DataError):
        side_by_side(fail, [0, 1], 2, stop)
    assert stop.is_set()


def test_whoever_reports_after_that_is_stopped():
    told, stop = [], threading.Event()
    report = one_at_a_time(told.append, stop)
    event = Event(stage="search", step=1, total=2)
    report(event)
    stop.set()
    with pytest.raises(Cancelled):
        report(event)
    assert told == [event]
