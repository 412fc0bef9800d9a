"""The Fleet page: empty, running, ended, and what its buttons do."""

import time

from tests.fleet.noted import RUN, note_fleet

PAGE = "pages/8_Fleet.py"
# Seconds of work on a processor, which other work on the machine does not change.
QUICK = 0.5


def said(at):
    return [one.value for one in (*at.text, *at.caption, *at.markdown)]


def test_without_a_fleet_the_page_says_how_to_start_one(kept, open_page):
    at = open_page(PAGE)
    assert "**No fleet yet.**" in at.markdown[-1].value
    assert at.code[0].value.startswith("aegis fleet scan")


def test_a_running_fleet_is_told_and_cancelled(kept, open_page):
    journal = note_fleet(kept.folder, 32)
    at = open_page(PAGE)
    texts = said(at)
    assert "/models, 2 processes of this machine" in texts
    assert "32 suspects. Select some to cancel them." in texts
    table = at.dataframe[0].value
    assert len(table) == 32
    assert table["outcome"][6] == ["Not scanned"]
    assert table["progress"][7] == 0.3
    at.button(key="fleet-cancel").click().run()
    assert journal.cancelled(RUN)[0]
    assert at.button(key="fleet-cancel").disabled


def test_filters_choose_and_a_fleet_that_ended_has_nothing_to_cancel(kept, open_page):
    note_fleet(kept.folder, 32, over=True)
    at = open_page(PAGE)
    assert "32 suspects." in said(at)
    assert not [one for one in at.button if one.key == "fleet-cancel"]
    at.text_input[0].set_value("junk").run()
    assert len(at.dataframe[0].value) == 4
    at.text_input[0].set_value("nothing has this").run()
    assert at.markdown[-1].value.startswith("**No suspect is like that.** There are 32 in all.")


def test_a_thousand_are_filtered_at_once(kept, open_page):
    note_fleet(kept.folder, 1000)
    at, times = open_page(PAGE), []
    for i in range(5):
        begun = time.process_time()
        at.text_input[0].set_value(f"{i:04}").run()
        times.append(time.process_time() - begun)
        assert len(at.dataframe[0].value) == 1
    assert min(times) < QUICK
