"""Suspects of a fleet as rows: what they say, which are asked for, and the list as a file."""

import csv
import io

from aegis.services.fleet.journal import State
from aegis.ui.fleet.rows import as_csv, chosen, row_of

FAILED = State(number=2, file="/m/=cmd.pt", state="failed", message="Expected a checkpoint; got\njunk.", seconds=1.26)
STATES = (
    State(number=0, file="/m/a.pt", state="done", done=10, total=10, verdict="infected", flagged="7", scan="f" * 64),
    State(number=1, file="/m/b.pt", state="running", done=3, total=10, left=70),
    FAILED,
    State(number=3, file="/m/c.pt"),
    State(number=4, file="/m/d.pt", state="cancelled"),
)


def test_a_row_says_what_its_suspect_is_at():
    rows = [row_of(state) for state in STATES]
    assert [row.outcome for row in rows] == ["infected", "running", "not scanned", "waiting", "cancelled"]
    assert [row.progress for row in rows] == [1, 0.3, 1, 0, 1]
    assert [row.classes for row in rows] == ["10 of 10", "3 of 10", "", "", ""]
    assert [row.can_end for row in rows] == [False, True, False, True, False]
    assert (rows[1].still, rows[0].still) == ("about 70 seconds", "")
    assert (rows[2].name, rows[2].seconds) == ("=cmd.pt", 1.3)
    assert "\n" not in rows[2].message


def test_rows_are_found_by_words_and_outcomes():
    rows = [row_of(state) for state in STATES]
    assert [row.number for row in chosen(rows, "", ())] == [0, 1, 2, 3, 4]
    assert [row.number for row in chosen(rows, "JUNK m", ())] == [2]
    assert [row.number for row in chosen(rows, ".pt", ("waiting", "infected"))] == [0, 3]
    assert chosen(rows, "junk", ("waiting",)) == []


def test_the_file_is_safe_in_a_spreadsheet():
    read = list(csv.DictReader(io.StringIO(as_csv([row_of(state) for state in STATES]))))
    assert [row["outcome"] for row in read] == ["infected", "running", "not scanned", "waiting", "cancelled"]
    assert read[0]["scan"] == "f" * 64
    hostile = list(csv.DictReader(io.StringIO(as_csv([row_of(State(number=0, file="=1+1", state="failed"))]))))
    assert not hostile[0]["file"].startswith("=")
