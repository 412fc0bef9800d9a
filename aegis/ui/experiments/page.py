"""The Experiments page: tables, figures and findings of the paper, with what is recorded here beside its numbers."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.errors import AegisError
from aegis.core.text import count_of
from aegis.experiments.paper.catalogue import FIGURES, OF_A_SCAN, make_figure, make_table, marked
from aegis.records.ranking import ranked
from aegis.records.record import ScanRecord
from aegis.ui.components.tables import TABLES as STYLE
from aegis.ui.components.widgets import SCAN, class_title, complain, scan_title
from aegis.ui.experiments import findings as overview
from aegis.ui.experiments.findings import Answers, Counts, answers
from aegis.ui.experiments.made import DrawnFigure, MadeTable
from aegis.ui.experiments.names import FINDINGS, NAMES
from aegis.ui.experiments.runs import FRESH, Source, choose_source, offer_missing, own_run
from aegis.ui.session import recent_scans

CHOICE, SCAN_KEY, CLASSES = "experiments-choice", "experiments-scan", "experiments-classes"
# The parameter of the address.
SHOWN = "show"
RECENT = 50


def experiments_page() -> None:
    """Shows the page below its frame."""
    st.title("Experiments", anchor=False)
    st.markdown(
        "What the paper found, and what came of it here: every finding, table and figure, ours beside the paper's. "
        "What nobody made or scanned yet stays empty."
    )
    try:
        # Where the numbers come from stands beside what is shown.
        left, right = st.columns([2, 3], gap="large")
        _show(_choose(left), right)
    except AegisError as error:
        complain(str(error), "Not possible")


def _choose(place: DeltaGenerator) -> str:
    run = own_run()
    wanted = st.query_params.get(SHOWN, "" if run is None else run.shown)
    if CHOICE not in st.session_state:
        st.session_state[CHOICE] = wanted if wanted in NAMES else FINDINGS
    chosen: str = place.selectbox("Findings, table or figure", list(NAMES), format_func=NAMES.__getitem__, key=CHOICE)
    if chosen != st.query_params.get(SHOWN):
        st.query_params[SHOWN] = chosen
    return chosen


def _show(chosen: str, beside: DeltaGenerator) -> None:
    kind, _, number = chosen.partition("-")
    if kind == "figure" and FIGURES[number] == OF_A_SCAN:
        _show_figure_of_scan(chosen, number)
        return
    source = choose_source(chosen, beside)
    if source is None:
        return
    if source.scale == "smoke":
        st.badge("Smoke test: these numbers say nothing of the method", icon=":material/science:", color="violet")
    if kind == "figure":
        _show_drawn(_figure(number, None, None, source), f"aegis figure {number}{source.option}", source)
    else:
        _show_table(number or chosen, source)


def _show_table(number: str, source: Source) -> None:
    if number == FINDINGS:
        made, groups = _findings(source)
        _show_answers(groups)
    else:
        made = _table(number, source)
        st.header(made.title, anchor=False)
        st.html(STYLE + made.markup)
    with st.container(gap="xxsmall"):
        for remark in made.remarks:
            st.text(remark)
    if number == FINDINGS:
        with st.expander("How this is counted"):
            st.caption(overview.NOTE)
    elif made.note:
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
    offer_missing(source)
    _show_origin(made.files, f"aegis table {number}{source.option}")


def _show_answers(groups: tuple[Answers, ...]) -> None:
    """Shows how many findings hold here, and all of them, closed, by research question."""
    all = Counts(*(sum(getattr(one.counts, way) for one in groups) for way in ("same", "other", "open")))
    st.header(f"{all.same} of {all.all} comparisons point the paper's way", anchor=False)
    rest = f", {all.open} not recorded yet" if all.open else ""
    st.html(STYLE + overview.STYLE + all.bar)
    st.caption(f"{all.other} differ{rest}. A finding counts once for every procedure or detector it was tested with.")
    with st.container(gap="xsmall", key="findings"):
        for one in groups:
            with st.expander(f"**{one.question}** {one.title} {_badges(one.counts)}"):
                st.html(STYLE + overview.STYLE + one.markup)


def _badges(counts: Counts) -> str:
    said = (("blue", counts.same, overview.SAME), ("orange", counts.other, "different"), ("gray", counts.open, "open"))
    return " ".join(f":{colour}-badge[{count} {text}]" for colour, count, text in said if count)


def _show_origin(files: list[str], command: str) -> None:
    """Says which records were read, and the command that shows the same."""
    with st.expander(f"From {count_of(len(files), 'record')}, as by the command line"):
        st.code(command, language="bash")
        st.text("\n".join(files))


@st.cache_data(ttl=FRESH, show_spinner="Reading what is recorded")
def _table(number: str, source: Source) -> MadeTable:
    records = source.records()
    return MadeTable.of(make_table(number, records), records)


@st.cache_data(ttl=FRESH, show_spinner="Reading what is recorded")
def _findings(source: Source) -> tuple[MadeTable, tuple[Answers, ...]]:
    from aegis.experiments.paper.findings import findings, table_of

    records = source.records()
    found = findings(records)
    return MadeTable.of(marked(table_of(FINDINGS, found), records), records), answers(found)


def _show_figure_of_scan(chosen: str, number: str) -> None:
    scan = _choose_scan()
    if scan is None:
        return
    key, labels = scan
    command = f"aegis figure {number} --scan {key[:12]} --classes {','.join(map(str, labels))}"
    source = Source(chosen)
    _show_drawn(_figure(number, key, labels, source), command, source)


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


def _choose_classes(record: ScanRecord, place: DeltaGenerator, key: str) -> tuple[int, ...]:
    entries = {one.label: one for one in record.classes}
    first = [one.label for one in ranked(record)][:1]
    chosen = place.multiselect(
        "Classes", list(entries), first, format_func=lambda label: class_title(entries[label]), key=f"{CLASSES}-{key}"
    )
    return tuple(chosen)


def _show_drawn(figure: DrawnFigure, command: str, source: Source) -> None:
    # The picture has its title in it.
    st.image(figure.png, alt=figure.title, output_format="PNG", width="content")
    for remark in figure.remarks:
        st.text(remark)
    st.download_button(
        "PNG", figure.png, "aegis-figure.png", "image/png", icon=":material/download:", on_click="ignore"
    )
    offer_missing(source)
    _show_origin(figure.files, command)


@st.cache_data(ttl=FRESH, max_entries=32, show_spinner="Drawing")
def _figure(number: str, scan: str | None, labels: tuple[int, ...] | None, source: Source) -> DrawnFigure:
    records = source.records()
    return DrawnFigure.of(make_figure(number, records, scan, labels), records)
