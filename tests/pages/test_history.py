"""The History page and the comparison of two scans, over stores that each test fills."""

import json
from contextlib import ExitStack

import pytest
from streamlit.testing.v1 import AppTest

from aegis.core.process import Process
from aegis.records.presets import preset
from aegis.records.record import config_record
from aegis.records.review import Review
from aegis.store.store import Store
from aegis.ui.caches import Uploads
from aegis.ui.history import listing as history_list
from aegis.ui.session import server_state
from tests.layers import ROOT
from tests.pages.conftest import everything, run
from tests.stored_scan import keep_finished, keep_version
from tests.suspects import HOSTILE

HISTORY, COMPARE, SCAN = "pages/3_History.py", "pages/4_Compare.py", "pages/1_Scan.py"
OLD, NEW, ELSE = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def three(kept):
    """Two versions of one model, the older one clean, and a third by other settings."""
    keep_version(kept, OLD, "signs.pt", verdict="clean", created="2024-05-01T10:00:00+00:00")
    keep_version(kept, NEW, "signs.pt", created="2024-05-03T10:00:00+00:00")
    quick = config_record(preset("quick", None, (1, 6, 6)))
    keep_version(kept, ELSE, "other.pt", config=quick, created="2024-05-02T10:00:00+00:00")
    return kept


def files(at):
    """Names in the list, in its order."""
    return list(at.dataframe[0].value["file"]) if at.dataframe else []


def select(at, *positions):
    """Tick rows of the list."""
    at.session_state[at.dataframe[0].key] = {"selection": {"rows": list(positions), "columns": [], "cells": []}}
    return run(at)


def links(at):
    """Page and parameters of every link that is no navigation."""
    return [(link.proto.page, link.proto.query_string) for link in at.main.get("page_link")]


def test_without_scans_it_says_how_they_come(open_page):
    at = open_page(HISTORY)
    assert "No scans yet" in everything(at)
    assert ("Scan", "") in links(at)
    assert not at.dataframe


def test_a_store_that_cannot_be_read_is_a_message(open_page, suspects):
    (suspects.parent / "store").write_text("")
    at = open_page(HISTORY)
    assert any("set AEGIS_STORE to a folder" in text.value for text in at.text)
    at = open_page(COMPARE, one=OLD, other=NEW)
    assert any("set AEGIS_STORE to a folder" in text.value for text in at.text)


def test_every_scan_is_a_row_newest_first(open_page, three):
    three.keep_review(NEW, Review("Seen.", {0: "confirmed"}))
    at = open_page(HISTORY)
    table = at.dataframe[0].value
    assert list(table["file"]) == ["signs.pt", "other.pt", "signs.pt"]
    assert list(table["created"]) == ["2024-05-03 10:00", "2024-05-02 10:00", "2024-05-01 10:00"]
    assert [list(verdict) for verdict in table["verdict"]] == [["Infected"], ["Infected"], ["Clean"]]
    assert list(table["decisions"])[1:] == ["", ""]
    assert "0 confirmed" in table["decisions"][0]
    assert list(table["preset"]) == ["Own settings", "Quick", "Own settings"]
    assert "3 scans." in everything(at)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"find": "other made"}, ["other.pt"]),
        ({"verdict": ["Clean", "Infected"]}, ["signs.pt", "other.pt", "signs.pt"]),
        ({"since": "2024-05-02", "until": "2024-05-02"}, ["other.pt"]),
        ({"find": "signs", "verdict": "Infected", "preset": "Own settings", "until": "2024-05-04"}, ["signs.pt"]),
        # What no filter can be is as good as none.
        ({"verdict": "Guilty", "since": "yesterday"}, ["signs.pt", "other.pt", "signs.pt"]),
    ],
)
def test_a_link_restores_the_filters(open_page, three, asked, found):
    at = open_page(HISTORY, **asked)
    assert files(at) == found


def test_filters_that_leave_nothing_can_be_dropped(open_page, three):
    at = open_page(HISTORY)
    at.text_input(key="find").set_value("signs")
    run(at)
    at.pills(key="verdict").set_value(["clean"])
    run(at)
    assert files(at) == ["signs.pt"]
    at.text_input(key="find").set_value("nothing like it")
    run(at)
    assert "No scan is like that. There are 3 in all." in everything(at).replace("*", "")
    next(one for one in at.button if one.label == "Show all").click()
    run(at)
    assert len(files(at)) == 3


def test_one_that_is_selected_is_told_in_full(open_page, three):
    three.keep_review(NEW, Review("Seen twice.", {0: "dismissed"}))
    at = select(open_page(HISTORY), 0)
    record = three.find_scan(NEW)
    said = everything(at)
    assert record.sentence in said
    assert "Seen twice." in said
    assert "dismissed" in said
    markup = "".join(one.value for one in at.html)
    assert record.model.sha256 in markup
    assert record.data.digest in markup
    targets = links(at)
    assert ("Scan", f"scan={NEW}") in targets
    assert any(page == "Inspect_Class" and f"scan={NEW}&class=" in query for page, query in targets)
    # The scan of the same file before it, not the one in between.
    assert ("Compare", f"one={OLD}&other={NEW}") in targets


def test_two_that_are_selected_can_be_compared(open_page, three):
    at = open_page(HISTORY)
    assert not any(page == "Compare" for page, _ in links(at))
    at = select(at, 0, 2)
    assert ("Compare", f"one={OLD}&other={NEW}") in links(at)
    at = select(at, 0, 1, 2)
    assert not any(page == "Compare" for page, _ in links(at))


def test_another_list_begins_with_nothing_selected(open_page, three):
    at = select(open_page(HISTORY), 0)
    at.text_input(key="find").set_value("other")
    run(at)
    assert files(at) == ["other.pt"]
    assert not any(page == "Inspect_Class" for page, _ in links(at))


def test_a_click_opens_a_scan(open_page, three, monkeypatch):
    at = open_page(HISTORY)
    at.session_state[history_list.OPENED] = NEW
    run(at)
    assert [title.value for title in at.title] == ["Scan"]
    assert three.find_scan(NEW).sentence in everything(at)


def test_uploads_of_other_sessions_are_hidden(open_page, kept):
    keep_version(kept, OLD, "upload: mine.pt")
    keep_version(kept, NEW, "known.pt", name="upload: images.npz")
    keep_version(kept, ELSE, "known.pt")
    at = open_page(HISTORY)
    assert files(at) == ["known.pt"]
    assert "1 scan." in everything(at)
    # Whoever was given the link has it in the list from then on, and nobody else has.
    at.switch_page(SCAN)
    at.query_params["scan"] = OLD
    run(at)
    at.switch_page(HISTORY)
    assert sorted(files(run(at))) == ["known.pt", "upload: mine.pt"]
    assert files(open_page(HISTORY)) == ["known.pt"]


def test_new_scans_and_reviews_show_at_the_next_run(open_page, kept):
    keep_version(kept, OLD, "first.pt")
    at = open_page(HISTORY)
    assert files(at) == ["first.pt"]
    keep_version(kept, NEW, "second.pt")
    assert sorted(files(run(at))) == ["first.pt", "second.pt"]
    kept.keep_review(NEW, Review("", {0: "confirmed"}))
    assert any("0 confirmed" in one for one in run(at).dataframe[0].value["decisions"])


def test_text_from_files_is_never_parsed(open_page, kept):
    for i, text in enumerate(HOSTILE):
        keep_version(kept, f"{i:x}" * 64, text, created=f"2024-01-0{i + 1}T00:00:00+00:00")
    at = select(open_page(HISTORY), 0)
    compared = open_page(COMPARE, one="0" * 64, other="1" * 64)
    for page in (at, compared):
        parsed = "\n".join(
            part.value for part in [*page.markdown, *page.caption, *page.title, *page.header, *page.html]
        )
        for text in HOSTILE:
            assert text not in parsed


def test_two_versions_side_by_side(open_page, three):
    at = open_page(COMPARE, one=NEW, other=OLD)
    said = everything(at)
    flagged = three.find_scan(NEW).flagged_classes
    assert "flagged only in the newer one." in said
    assert "The verdict changed from clean to infected." in said
    assert "Hard to compare" not in str(at)
    tables = "".join(one.value for one in at.html)
    assert tables.count("only in the newer") == len(flagged)
    assert "In the same way" in said
    # Evidence is in the store, the images are gone: each side has its trigger alone.
    assert tables.count('alt="The trigger found"') == len(flagged)
    assert tables.count('alt="The best candidate"') == len(flagged)
    assert 'alt="A benign image"' not in tables


def test_triggers_lie_on_benign_images_where_these_are_at_hand(open_page, three):
    _, data = keep_finished(three, "d" * 64)
    for key in (OLD, NEW):
        server_state().upload_cache.keep(key, Uploads(images=data))
    tables = "".join(one.value for one in open_page(COMPARE, one=NEW, other=OLD).html)
    assert tables.count('alt="A benign image"') == 2 * len(three.find_scan(NEW).flagged_classes)


def test_lost_evidence_is_said(open_page, three):
    for file in (three.folder / "arrays").iterdir():
        file.unlink()
    at = open_page(COMPARE, one=NEW, other=OLD)
    assert "What was computed for this class is no longer in the store." in everything(at)


def test_other_settings_are_said_to_be_hard_to_compare(open_page, three):
    at = open_page(COMPARE, one=OLD, other=ELSE)
    assert "They were scanned with different settings (presets own settings and quick)" in everything(at)
    assert "Images translated per class" in "".join(one.value for one in at.html)


@pytest.mark.parametrize("asked", [{}, {"one": OLD}, {"one": OLD, "other": OLD}, {"one": OLD, "other": "gone"}])
def test_an_address_without_two_scans_is_a_message(open_page, three, asked):
    assert "There are not two such scans." in everything(open_page(COMPARE, **asked))


def test_the_way_back_leads_to_the_list_as_it_was(open_page, three):
    at = open_page(HISTORY, find="signs", verdict=["Clean", "Infected"])
    select(at, 0, 1)
    at.switch_page(COMPARE)
    at.query_params["one"], at.query_params["other"] = OLD, NEW
    back = next(query for page, query in links(run(at)) if page == "History")
    assert back == "find=signs&verdict=Clean&verdict=Infected"


def test_the_list_is_a_file(open_page, three):
    at = open_page(HISTORY, find="other")
    kinds = [one.label for one in at.get("download_button")]
    assert kinds == ["CSV", "JSON"]
    rows = [row for row in history_list.known_rows() if row.file == "other.pt"]
    assert [one["key"] for one in json.loads(history_list.as_json(rows))] == [ELSE]


def test_home_leads_to_it(suspects, kept):
    keep_version(kept, OLD, "signs.pt")
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert ("History", "") in links(at)


def test_what_was_killed_is_shown_with_what_goes_on_with_it(open_page, kept, monkeypatch):
    # Processes of another start of the machine are gone.
    gone = Process(1, 1, "another start")
    monkeypatch.setattr("aegis.store.tasks.this_process", lambda: gone)
    work = [
        ("scan", "models/signs.pt", "cd /models && aegis scan signs.pt"),
        ("scan", f"{HOSTILE[1]}.pt", "Start the same scan again on the Scan page."),
        ("scan", "upload: private.pt", ""),
    ]
    # A store of its own each, since one does one thing at a time.
    stores = [Store(kept.folder) for _ in work]
    with ExitStack() as begun:
        for store, (kind, what, again) in zip(stores, work, strict=True):
            begun.enter_context(store.working(kind, what, what.encode().hex(), again))
        at = open_page(HISTORY)
    shown = everything(at)
    assert "Scan of signs.pt" in shown
    assert "Start the same scan again on the Scan page." in shown
    assert [code.value for code in at.code] == ["cd /models && aegis scan signs.pt"]
    assert "private" not in shown
