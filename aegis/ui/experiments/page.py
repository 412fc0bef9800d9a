"""The Experiments page: tables, figures and findings of the paper, with what is recorded here beside its numbers."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.text import count_of
from aegis.experiments.paper.catalogue import FIGURES, OF_A_SCAN, TABLES, make_figure, make_table
from aegis.records.ranking import ranked
from aegis.records.record import ScanRecord
from aegis.ui.components.tables import TABLES as STYLE
from aegis.ui.components.widgets import SCAN, class_title, complain, scan_title
from aegis.ui.experiments.made import DrawnFigure, MadeTable
from aegis.ui.session import recent_scans

CHOICE, SCAN_KEY, CLASSES = "experiments-choice", "experiments-scan", "experiments-classes"
# The parameter of the address.
SHOWN = "show"
RECENT = 50
# Seconds for which what was read of the records is shown again.
FRESH = 60


def experiments_page() -> None:
    """Shows the page below its frame."""
    st.title("Experiments", anchor=False)
    st.markdown(
        "Tables, figures and findings of the paper, and what came of them here. Ours are read from the records in "
        "`results`; what nobody made or scanned yet stays empty."
    )
    try:
        _show(_choose())
    except AegisError as error:
        complain(str(error), "Not possible")


def _options() -> dict[str, str]:
    """What can be shown, by its name in the address."""
    names = {f"table-{number}": f"Table {number}" for number in TABLES if number.isdigit()}
    return {"findings": "Findings", **names, **{f"figure-{number}": f"Figure {number}" for number in FIGURES}}


def _choose() -> str:
    options = _options()
    wanted = st.query_params.get(SHOWN, "")
    if CHOICE not in st.session_state:
        st.session_state[CHOICE] = wanted if wanted in options else next(iter(options))
    chosen = st.selectbox("Table or figure", list(options), format_func=options.__getitem__, key=CHOICE, width=320)
    if chosen != wanted:
        st.query_params[SHOWN] = chosen
    return chosen


def _show(chosen: str) -> None:
    kind, _, number = chosen.partition("-")
    if kind == "figure":
        _show_figure(number)
    else:
        _show_table(number or chosen)


def _show_table(number: str) -> None:
    made = _table(number)
    st.header(made.title, anchor=False)
    st.html(STYLE + made.markup)
    for remark in made.remarks:
        st.text(remark)
    if made.note:
        st.caption(made.note)
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, content, mime in (("json", made.json, "application/json"), ("md", made.markdown, "text/markdown")):
            st.download_button(
                "JSON" if name == "json" else "Markdown",
                content,
                f"aegis-{'table-' if number.isdigit() else ''}{number}.{name}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"experiments-{name}",
            )
    _show_origin(made.files, f"aegis table {number}")


def _show_origin(files: list[str], command: str) -> None:
    """Says which records were read, and the command that shows the same."""
    with st.expander(f"From {count_of(len(files), 'record')}, as by the command line"):
        st.code(command, language="bash")
        st.text("\n".join(files))


@st.cache_data(ttl=FRESH, show_spinner="Reading what is recorded")
def _table(number: str) -> MadeTable:
    from aegis.experiments.paper.records import Records

    records = Records()
    return MadeTable.of(make_table(number, records), records)


def _show_figure(number: str) -> None:
    if FIGURES[number] != OF_A_SCAN:
        _show_drawn(_figure(number, None, None), f"aegis figure {number}")
        return
    scan = _choose_scan()
    if scan is None:
        return
    key, labels = scan
    classes = ",".join(map(str, labels))
    _show_drawn(_figure(number, key, labels), f"aegis figure {number} --scan {key[:12]} --classes {classes}")


def _choose_scan() -> tuple[str, tuple[int, ...]] | None:
    """Shows the choice of a scan and of its classes; None while there is none."""
    scans = {key: record for key, record in recent_scans(RECENT).items() if record.classes}
    if not scans:
        with st.container(border=True):
            st.markdown("**No scans yet.** This figure shows classes of one scan.")
            st.page_link(SCAN, label="Scan", icon=":material/radar:")
        return None
    left, right = st.columns(2)
    key = left.selectbox("Scan", list(scans), format_func=lambda key: scan_title(scans[key]), key=SCAN_KEY)
    labels = _choose_classes(scans[key], right, key)
    if not labels:
        st.caption("Choose a class.")
        return None
    return key, labels


def _choose_classes(record: ScanRecord, place: st.delta_generator.DeltaGenerator, key: str) -> tuple[int, ...]:
    entries = {one.label: one for one in record.classes}
    first = [one.label for one in ranked(record)][:1]
    chosen = place.multiselect(
        "Classes", list(entries), first, format_func=lambda label: class_title(entries[label]), key=f"{CLASSES}-{key}"
    )
    return tuple(chosen)


def _show_drawn(figure: DrawnFigure, command: str) -> None:
    # The picture has its title in it.
    st.image(figure.png, alt=figure.title, output_format="PNG", width="content")
    for remark in figure.remarks:
        st.text(remark)
    st.download_button(
        "PNG", figure.png, "aegis-figure.png", "image/png", icon=":material/download:", on_click="ignore"
    )
    _show_origin(figure.files, command)


@st.cache_data(ttl=FRESH, max_entries=32, show_spinner="Drawing")
def _figure(number: str, scan: str | None, labels: tuple[int, ...] | None) -> DrawnFigure:
    from aegis.experiments.paper.records import Records

    records = Records()
    return DrawnFigure.of(make_figure(number, records, scan, labels), records)
