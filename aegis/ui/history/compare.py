"""The Compare page: two finished scans side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.text import numbered
from aegis.core.types import Dataset
from aegis.records.compare import Comparison, compare
from aegis.records.record import ClassRecord, ScanRecord
from aegis.store.store import Store
from aegis.ui.components.charts import ladder
from aegis.ui.components.evidence import show_pictures
from aegis.ui.components.palette import palette
from aegis.ui.components.tables import TABLES
from aegis.ui.components.widgets import SCAN, complain, fact, facts
from aegis.ui.history.details import asked_for, link_to_list
from aegis.ui.history.rows import Row, row_of
from aegis.ui.history.tables import class_table, line_table, metric_table
from aegis.ui.scans import summary_or_none
from aegis.ui.session import look_for_images, open_scan, verdict_badge, when

SIDES = ("Older", "Newer")
# Classes in the table at once, and flagged ones whose triggers are shown.
PAGE, SHOWN = 20, 5
_STYLE = """<style>
.st-key-comparison > :first-child [data-testid="stText"] { font-size: 1.25rem; line-height: 1.4; font-weight: 600; }
</style>"""


def compare_page() -> None:
    """Shows the two scans that the address names."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Compare", anchor=False)
        link_to_list()
    try:
        show_comparison(asked_for())
    except AegisError as error:
        complain(str(error), "Not possible")


def show_comparison(keys: Sequence[str]) -> None:
    """Shows what differs between two scans; the one made earlier is the older, whatever their order in the address.

    Raises:
        StoreError: if the store cannot be used.
    """
    opened = [(key, record) for key in dict.fromkeys(keys) for record in [open_scan(key)] if record is not None]
    if len(opened) < 2:
        with st.container(border=True):
            st.markdown(
                "**There are not two such scans.** The store was emptied, or the link is incomplete. Choose two in the "
                "list."
            )
        return
    older, newer = sorted(opened, key=lambda pair: pair[1].created)
    found = compare(older[1], newer[1])
    st.html(_STYLE + TABLES)
    _show_sentences(found)
    for column, side, (key, record) in zip(st.columns(2), SIDES, (older, newer)):
        with column:
            _show_side(side, row_of(key, record, Store().reviews_of(key)), record)
    _show_classes(found)
    _show_triggers(found, (older, newer))
    _show_model(found, older[1], newer[1])
    _show_settings(found)


def _show_sentences(found: Comparison) -> None:
    with st.container(border=True, key="comparison"):
        for sentence in found.sentences:
            st.text(sentence)
    if found.caveats:
        with st.container(border=True, key="caveats"):
            st.badge("Hard to compare", icon=":material/warning:", color="orange")
            st.text("\n".join(found.caveats))


def _show_side(side: str, row: Row, record: ScanRecord) -> None:
    with st.container(border=True, key=f"card-{side.lower()}", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{side}**")
            verdict_badge(record)
            st.caption(when(record.created), width="stretch")
            st.page_link(SCAN, label="Open", query_params={"scan": row.key})
        st.text(row.sentence)
        with facts():
            fact("Suspect", row.file)
            fact("SHA-256", f"{row.sha256[:12]}…", tip=row.sha256)
            fact("Images", row.title)
            fact("Settings", row.preset.capitalize())
        if row.review:
            fact("Review", row.review)


def _show_classes(found: Comparison) -> None:
    if not found.classes:
        return
    st.header(
        "Every class",
        anchor=False,
        help="Clusters, and the best score of a trigger of each family, in the older scan and in the newer one. Those "
        "whose flag changed come first, then those that are flagged, then those whose scores moved most.",
    )
    pages, page = -(-len(found.classes) // PAGE), 0
    if pages > 1:
        page = st.pagination(pages, key="history-page") - 1
    st.html(class_table(found.classes[page * PAGE :][:PAGE]))


def _show_triggers(found: Comparison, scans: tuple[tuple[str, ScanRecord], tuple[str, ScanRecord]]) -> None:
    flagged = [pair for pair in found.classes if pair.flagged != "neither"]
    if not flagged:
        return
    st.header("The triggers" if len(flagged) > 1 else "The trigger", anchor=False)
    images = [look_for_images(key, record)[0] for key, record in scans]
    for pair in flagged[:SHOWN]:
        with st.container(border=True, key=f"card-pair-{pair.label}"):
            st.text(numbered(pair.label, pair.name, 60))
            sides = zip(st.columns(2, gap="large"), SIDES, (pair.older, pair.newer), scans, images)
            for column, side, one, (_, record), seen in sides:
                with column:
                    _show_trigger(side, one, record, seen)
    if len(flagged) > SHOWN:
        st.caption(f"{len(flagged) - SHOWN} more flagged classes: open the scans to see them.")


def _show_trigger(side: str, one: ClassRecord | None, record: ScanRecord, seen: Dataset | None) -> None:
    if one is None:
        st.caption(f"{side}: not tested")
        return
    st.caption(f"{side}: {'flagged' if one.flagged else 'not flagged'}")
    small = summary_or_none(record, one.label)
    show_pictures(record, one, small.trigger if small else None, seen)


def _show_model(found: Comparison, older: ScanRecord, newer: ScanRecord) -> None:
    st.header("The model", anchor=False)
    table, chart = st.columns([3, 2], gap="large")
    table.html(metric_table(found.metrics))
    chart.plotly_chart(
        ladder(dict(zip(SIDES, (older.model, newer.model))), palette(st.context.theme.type)),
        key="history-ladders",
        config={"displayModeBar": False},
    )


def _show_settings(found: Comparison) -> None:
    st.header("How they were scanned", anchor=False)
    if found.settings:
        st.caption("Only what differs.")
        st.html(line_table(found.settings))
    else:
        st.caption("In the same way: same images, same settings, same versions.")
