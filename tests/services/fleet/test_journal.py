"""Notes of fleets: what one process writes, another reads; and fleets as a whole."""

import time
from dataclasses import replace

import pytest

from aegis.core.errors import StoreError
from aegis.core.process import Process
from aegis.services.fleet.journal import FILE, Journal, Run, State
from aegis.services.fleet.overview import overview_of, overviews
from aegis.services.fleet.pace import LEAST, RATIO, Pace
from tests.fleet.noted import RUN, note_fleet


def test_what_is_noted_is_read_by_others(tmp_path):
    journal = Journal(tmp_path)
    journal.begin("one", "list.csv", "here", 5.0, [("a\udcff.pt", 10), ("b.pt", 20)])
    journal.note("one", State(number=1, file="b.pt", state="running", done=1, total=4, left=9.5, seconds=2.0))
    other = Journal(tmp_path)
    first, second = other.suspects("one")
    assert (first.file, first.bytes, first.state) == ("a\\udcff.pt", 10, "waiting")
    assert second == State(number=1, file="b.pt", bytes=20, state="running", done=1, total=4, left=9.5, seconds=2.0)
    assert (other.runs()[0].source, other.runs()[0].alive) == ("list.csv", True)
    other.cancel("one", [0])
    assert journal.cancelled("one") == (False, {0})
    other.cancel("one")
    assert journal.cancelled("one") == (True, {0})
    journal.end("one", 7.0)
    assert [one.state for one in other.suspects("one")] == ["cancelled"] * 2
    assert other.runs()[0].ended == 7.0


def test_pieces_are_kept_until_they_are_dropped(tmp_path):
    journal = Journal(tmp_path)
    journal.keep_pieces("scan", [(-1, "measured"), (3, "three")])
    journal.keep_pieces("scan", [(3, "three again")])
    journal.keep_pieces("other", [(0, "zero")])
    assert Journal(tmp_path).pieces("scan") == {-1: "measured", 3: "three again"}
    journal.drop_pieces("scan")
    assert journal.pieces("scan") == {}
    assert journal.pieces("other") == {0: "zero"}


def test_only_its_own_fleets_are_known_and_nothing_is_made_by_asking(tmp_path):
    assert not Journal.knows(tmp_path, RUN)
    assert not (tmp_path / FILE).exists()
    note_fleet(tmp_path, 1)
    assert Journal.knows(tmp_path, RUN)
    assert not Journal.knows(tmp_path, "other")


def test_notes_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all, whatever its name says" * 100)
    with pytest.raises(StoreError, match="remove that file to begin anew"):
        Journal(tmp_path)


def test_a_fleet_is_told_in_numbers(tmp_path):
    now = time.time()
    journal = note_fleet(tmp_path, 16, begun=now - 60)
    [whole] = overviews(journal, now)
    assert whole.state == "running"
    assert whole.states == {"waiting": 1, "running": 1, "done": 12, "failed": 2}
    assert whole.verdicts == {"clean": 4, "infected": 4, "inconclusive": 4}
    # Of sixteen suspects of one size, fourteen are done and a fraction of another.
    assert 4 < whole.left < 8
    run, states = whole.run, journal.suspects(RUN)
    dead = replace(run, process=Process(1, 1, "another boot"))
    assert (overview_of(dead, states, now).state, overview_of(dead, states, now).left) == ("interrupted", None)
    assert overview_of(replace(run, ended=now), states, now).state == "done"
    assert overview_of(replace(run, ended=now, cancelled=True), states, now).state == "cancelled"
    fresh = [State(number=0, file="a")]
    assert overview_of(run, fresh, now).left is None
    assert isinstance(run, Run)


def test_how_long_classes_take_is_learnt():
    pace = Pace()
    assert pace.of_class(0.0) == 0.0
    assert pace.batch(0.0) == 1
    pace.measured(4.0)
    assert pace.of_class(4.0) == 4.0 * RATIO
    pace.examined(10, 10.0)
    # A class took a quarter of its suspect's measurement, and a suspect that takes twice as long does so there, too.
    assert (pace.of_class(4.0), pace.of_class(8.0), pace.of_class(0.0)) == (1.0, 2.0, 1.0)
    assert (pace.batch(4.0), pace.batch(400.0)) == (LEAST, 1)
