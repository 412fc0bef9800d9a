"""The History page and the comparison of two scans, over stores that each test fills."""

from contextlib import ExitStack

import pytest

from aegis.core.process import Process
from aegis.records.presets import preset
from aegis.records.record import config_record
from aegis.records.review import Review
from aegis.store.store import Store
from aegis.ui.caches import Uploads
from aegis.ui.history.listing import NAME
from aegis.ui.session import server_state
from tests.pages.conftest import COMPARE, HISTORY, SCAN, button, drawn, everything, parsed, run
from tests.suspects import HOSTILE

OLD, NEW, ELSE = "a" * 64, "b" * 64, "c" * 64
MADE = "samples:made"


@pytest.fixture
def three(kept, keep):
    """Two versions of one model, the older one clean, and a third by other settings."""
    keep(OLD, "signs.pt", MADE, verdict="clean", created="2024-05-01T10:00:00+00:00")
    keep(NEW, "signs.pt", MADE, created="2024-05-03T10:00:00+00:00")
    quick = config_record(preset("quick", None, (1, 6, 6)))
    keep(ELSE, "other.pt", MADE, config=quick, created="2024-05-02T10:00:00+00:00")
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


@pytest.mark.parametrize(("page", "query"), [(HISTORY, {}), (COMPARE, {"one": OLD, "other": NEW})])
def test_a_store_that_cannot_be_read_is_a_message(open_page, suspects, page, query):
    (suspects.parent / "store").write_text("")
    assert any("set AEGIS_STORE to a folder" in text.value for text in open_page(page, **query).text)


def test_every_scan_is_a_row_newest_first(open_page, three):
    three.add_review(NEW, Review("Seen.", {0: "confirmed"}))
    at = open_page(HISTORY)
    table = at.dataframe[0].value
    assert list(table["file"]) == ["signs.pt", "other.pt", "signs.pt"]
    assert list(table["created"]) == ["2024-05-03 10:00", "2024-05-02 10:00", "2024-05-01 10:00"]
    assert [list(verdict) for verdict in table["verdict"]] == [["Infected"], ["Infected"], ["Clean"]]
    assert list(table["decisions"])[1:] == ["", ""]
    assert "0 confirmed" in table["decisions"][0]
    assert list(table["preset"]) == ["Own settings", "Quick", "Own settings"]
    assert "3 scans." in everything(at)
    assert [one.label for one in at.get("download_button")] == ["CSV", "JSON"]


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
    assert files(open_page(HISTORY, **asked)) == found


def test_filters_drop_the_selection_and_can_be_dropped(open_page, three):
    at = select(open_page(HISTORY), 1)
    assert any(page == "Inspect_Class" for page, _ in links(at))
    at.text_input(key="find").set_value("signs")
    run(at)
    assert not any(page == "Inspect_Class" for page, _ in links(at))
    at.pills(key="verdict").set_value(["clean"])
    assert files(run(at)) == ["signs.pt"]
    at.text_input(key="find").set_value("nothing like it")
    assert "No scan is like that. There are 3 in all." in everything(run(at)).replace("*", "")
    button(at, "Show all").click()
    assert len(files(run(at))) == 3


def test_one_that_is_selected_is_told_in_full_and_two_can_be_compared(open_page, three):
    three.add_review(NEW, Review("Seen twice.", {0: "dismissed"}, "Ann"))
    at = open_page(HISTORY)
    assert not any(page == "Compare" for page, _ in links(at))
    said, markup, targets = everything(select(at, 0)), drawn(at), links(at)
    record = three.find_scan(NEW)
    assert all(text in said for text in (record.sentence, "dismissed by Ann because Seen twice"))
    assert record.model.sha256 in markup
    assert record.data.digest in markup
    assert ("Scan", f"scan={NEW}") in targets
    assert any(page == "Inspect_Class" and f"scan={NEW}&class=" in query for page, query in targets)
    # The scan of the same file before it, not the one in between.
    assert ("Compare", f"one={OLD}&other={NEW}") in targets
    assert ("Compare", f"one={OLD}&other={NEW}") in links(select(at, 0, 2))
    assert not any(page == "Compare" for page, _ in links(select(at, 0, 1, 2)))


def test_a_click_opens_a_scan(open_page, three):
    at = open_page(HISTORY)
    at.session_state[f"{NAME}-open"] = NEW
    run(at)
    assert [title.value for title in at.title] == ["Scan"]
    assert three.find_scan(NEW).sentence in everything(at)


def test_uploads_of_other_sessions_are_hidden(open_page, keep):
    keep(OLD, "upload: mine.pt", MADE)
    keep(NEW, "known.pt", "upload: images.npz")
    keep(ELSE, "known.pt", MADE)
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


def test_new_scans_and_reviews_show_at_the_next_run(open_page, kept, keep):
    keep(OLD, "first.pt", MADE)
    at = open_page(HISTORY)
    assert files(at) == ["first.pt"]
    keep(NEW, "second.pt", MADE)
    assert sorted(files(run(at))) == ["first.pt", "second.pt"]
    kept.add_review(NEW, Review("", {0: "confirmed"}))
    assert any("0 confirmed" in one for one in run(at).dataframe[0].value["decisions"])


def test_text_from_files_is_never_parsed(open_page, keep):
    for i, text in enumerate(HOSTILE):
        keep(f"{i:x}" * 64, text, MADE, created=f"2024-01-0{i + 1}T00:00:00+00:00")
    for at in (select(open_page(HISTORY), 0), open_page(COMPARE, one="0" * 64, other="1" * 64)):
        assert not [text for text in HOSTILE if text in parsed(at)]


def test_two_versions_side_by_side(open_page, three, made):
    at = open_page(COMPARE, one=NEW, other=OLD)
    said, markup = everything(at), drawn(at)
    flagged = len(three.find_scan(NEW).flagged_classes)
    assert "flagged only in the newer one." in said
    assert "The verdict changed from clean to infected." in said
    assert "Hard to compare" not in str(at)
    assert markup.count("only in the newer") == flagged
    assert "In the same way" in said
    # Evidence is in the store, the images are gone: each side has its trigger alone.
    assert markup.count('alt="The trigger"') == markup.count('alt="Best candidate"') == flagged
    assert 'alt="Benign image"' not in markup
    for key in (OLD, NEW):
        server_state().upload_cache.keep(key, Uploads(images=made[2]))
    assert drawn(open_page(COMPARE, one=NEW, other=OLD)).count('alt="Benign image"') == 2 * flagged


def test_lost_evidence_and_other_settings_are_said(open_page, three):
    for file in (three.folder / "arrays").iterdir():
        file.unlink()
    at = open_page(COMPARE, one=OLD, other=ELSE)
    said = everything(at)
    assert "What was computed for this class is no longer in the store." in said
    assert "They were scanned with different settings (presets own settings and quick)" in said
    assert "Images translated per class" in drawn(at)


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
    with ExitStack() as begun:
        for kind, what, again in work:
            begun.enter_context(Store(kept.folder).working(kind, what, what.encode().hex(), again))
        at = open_page(HISTORY)
    shown = everything(at)
    assert "Scan of signs.pt" in shown
    assert "Start the same scan again on the Scan page." in shown
    assert [code.value for code in at.code] == ["cd /models && aegis scan signs.pt"]
    assert "private" not in shown
