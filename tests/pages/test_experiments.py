"""The Experiments page: tables and figures of the paper as they are recorded, and figures of one scan."""

from aegis.experiments.paper.catalogue import FIGURES, TABLES
from aegis.ui.experiments.page import CHOICE, SHOWN
from tests.pages.conftest import drawn, everything, run

PAGE = "pages/6_Experiments.py"


def files(at):
    """What is handed out, by its name."""
    return {one.proto.label: one for one in at.get("download_button")}


def pictured(at):
    """What the picture is called for those who do not see it."""
    return at.get("image")[0].proto.imgs[0].alt


def test_it_begins_with_the_findings_and_offers_every_table_and_figure(open_page):
    # A link to what is not there leads to them too.
    at = open_page(PAGE, **{SHOWN: "table-99"})
    assert at.header[0].value == "Findings of the paper"
    assert "same direction" in drawn(at)
    assert at.query_params[SHOWN] == "findings"
    assert len(at.selectbox(key=CHOICE).options) == len(TABLES) + len(FIGURES)
    assert any("aegis table findings" in code.value for code in at.code)


def test_a_link_opens_a_table_with_its_numbers_and_files(open_page):
    at = open_page(PAGE, **{SHOWN: "table-5"})
    assert at.header[0].value.startswith("Table 5. ")
    markup = drawn(at)
    assert markup.count("<tr>") > 20
    assert 'class="number"' in markup
    assert set(files(at)) == {"JSON", "Markdown"}
    assert "bank/quick/mnist_localised.json" in everything(at)


def test_a_figure_of_the_records_is_drawn_and_one_of_a_scan_asks_for_one(open_page):
    at = open_page(PAGE, **{SHOWN: "figure-12"})
    assert pictured(at).startswith("Figure 12. ")
    assert set(files(at)) == {"PNG"}
    at.selectbox(key=CHOICE).set_value("figure-6")
    run(at)
    assert at.query_params[SHOWN] == "figure-6"
    assert "No scans yet" in everything(at)


def test_a_figure_of_a_scan_shows_its_strongest_class(open_page, finished, monkeypatch):
    for name, value in finished.environment.items():
        monkeypatch.setenv(name, value)
    at = open_page(PAGE, **{SHOWN: "figure-6"})
    assert "Mean-shift clusters" in pictured(at)
    (chosen,) = at.multiselect[0].value
    assert any(f"--scan {finished.key[:12]} --classes {chosen}" in code.value for code in at.code)
    at.multiselect[0].set_value([])
    assert "Choose a class." in everything(run(at))
