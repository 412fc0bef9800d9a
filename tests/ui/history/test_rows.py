"""Finished scans as rows: what is told of each, which are asked for, and the list as a file."""

import csv
import io
import json

import pytest

from aegis.records.review import Review
from aegis.ui.components.widgets import say_flagged
from aegis.ui.history.rows import Row, Wanted, as_csv, as_json, row_of
from tests.report.made import made
from tests.suspects import HOSTILE


@pytest.fixture(scope="module")
def record():
    """A scan that flags class 2."""
    return made().record


def changed(record, key="a", **changes):
    model = {name: changes.pop(name) for name in ("file", "sha256", "architecture") if name in changes}
    data = {"name": changes.pop("data")} if "data" in changes else {}
    update = {
        "model": record.model.model_copy(update=model),
        "data": record.data.model_copy(update=data),
        **changes,
    }
    return row_of(key, record.model_copy(update=update), ())


def test_a_row_tells_when_with_what_and_what_came_out(record):
    row = row_of("k", record, [Review("Seen.\nTwice.", {2: "confirmed"}, "Ann")])
    assert row.created == "2024-01-02 03:04"
    assert (row.verdict, row.flagged, row.decisions) == ("infected", "2 bag", "2 confirmed by Ann")
    assert row.review == "confirmed by Ann because Seen. Twice"
    assert (row.file, row.sha256, row.accuracy) == ("suspect.pt", "0123456789abcdef" * 4, 0.8)
    assert (row.data, row.preset, row.version) == ("samples:made", "default", "9.8.7")
    assert not row.is_upload
    # What ran side by side is not added up.
    assert changed(record, seconds={"assess": 2.0, "gather": 20.0, "embed": 2.0, "classes": 12.0}).seconds == 14.0


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        *(({"text": text}, True) for text in ("", "signs", "SIGNS mnist", "c0ffee cnn16", "bundled")),
        *(({"text": text}, False) for text in ("signs v3", "cifar", "sign$")),
        # Days are included.
        ({"since": "2024-05-06", "until": "2024-05-06"}, True),
        ({"since": "2024-05-07"}, False),
        ({"until": "2024-05-05"}, False),
        ({"verdicts": ["clean", "infected"], "presets": ["default"]}, True),
        ({"verdicts": ["clean"]}, False),
        ({"presets": ["paper", "quick"]}, False),
    ],
)
def test_what_is_asked_for_is_taken(record, asked, taken):
    about = {"file": "Signs-v2.pt", "sha256": "c0ffee" + "0" * 58, "architecture": "aegis:cnn16"}
    row = changed(record, data="samples:mnist", created="2024-05-06T23:59:59+00:00", **about)
    assert Wanted(**asked).takes(row) is taken


def test_flagged_classes_are_named_once(record):
    one = record.classes[2]
    numbered = record.model_copy(update={"classes": (one.model_copy(update={"name": "2"}),)})
    assert say_flagged(numbered) == "2 (1 of 4 tested)"
    many = tuple(one.model_copy(update={"label": i, "name": f"n{i}"}) for i in range(4))
    assert say_flagged(record.model_copy(update={"classes": many})) == "0 n0, 1 n1, 2 n2 and 1 more"
    spared = record.model_copy(update={"classes": (record.classes[0].model_copy(update={"flagged": False}),)})
    assert say_flagged(spared) == "no class flagged (1 of 4 tested)"
    assert row_of("k", spared, ()).flagged == "none (1 of 4 tested)"


def test_files_have_every_scan_with_all_that_is_told_of_it(record):
    rows = [changed(record, key=key, file=f"{key}.pt") for key in "ab"]
    told = json.loads(as_json(rows))
    assert [one["file"] for one in told] == ["a.pt", "b.pt"]
    assert told[0]["accuracy"] == 0.8
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert list(read[0]) == list(told[0])
    assert [one["key"] for one in read] == ["a", "b"]
    assert set(Row.__dataclass_fields__) - set(told[0]) == {"title", "is_upload"}


@pytest.mark.parametrize("text", [*HOSTILE, "=1+1", "@SUM(A1)", "a\nb", 'a","b', "\x1b[2J"])
def test_what_files_are_called_stays_in_its_cell(record, text):
    row = changed(record, file=text)
    (read,) = csv.DictReader(io.StringIO(as_csv([row])))
    assert not read["file"].startswith(("=", "+", "-", "@"))
    assert len(as_csv([row]).splitlines()) == 2
    assert row.file in read["file"]
    assert row.file.isprintable()
    assert json.loads(as_json([row]))[0]["file"] == row.file
