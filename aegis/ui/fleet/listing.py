"""The suspects of a fleet as a table: find, filter, sort, open, cancel and take away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from aegis.core.text import count_of
from aegis.services.fleet.journal import Journal, Run
from aegis.ui.components.palette import palette
from aegis.ui.components.widgets import SCAN, complain
from aegis.ui.fleet.rows import OUTCOMES, Row, as_csv, chosen
from aegis.ui.session import VERDICT_COLOURS

OPENED = "fleet-open"
FIND, OUTCOME = "find", "outcome"
_STYLE = """<style>
/* Its search and its file know nothing of the filters, and what names in that file would do in a spreadsheet. */
.st-key-fleet-table [data-testid="stElementToolbar"] { display: none; }
</style>"""


def show_list(journal: Journal, run: Run, rows: Sequence[Row]) -> None:
    """Shows the suspects of a fleet that pass the filters.

    Args:
        journal: where they can be cancelled.
        run: the fleet.
        rows: all of its suspects.
    """
    if OPENED in st.session_state:
        st.switch_page(SCAN, query_params={"scan": st.session_state.pop(OPENED)})
    shown = chosen(rows, *_ask(rows))
    if not shown:
        with st.container(border=True):
            st.markdown(f"**No suspect is like that.** There are {len(rows):,} in all.")
        return
    bar = st.container(horizontal=True, vertical_alignment="center", key="card-actions")
    with st.container(key="fleet-table"):
        selected = _show_table(shown)
    with bar:
        _show_actions(journal, run, shown, len(rows), selected)
    if len(selected) == 1 and selected[0].message:
        complain(selected[0].message, selected[0].outcome.capitalize())


def _ask(rows: Sequence[Row]) -> tuple[str, Sequence[str]]:
    find, which = st.columns([2, 5], vertical_alignment="bottom")
    text = find.text_input(
        "Find",
        key=FIND,
        type="search",
        live=True,
        placeholder="File or message",
        help="Words that a suspect's file or message have in them.",
        bind="query-params",
    )
    there = {row.outcome for row in rows} | set(st.session_state.get(OUTCOME) or ())
    outcomes = which.pills(
        "Outcome",
        [name for name in OUTCOMES if name in there],
        selection_mode="multi",
        format_func=str.capitalize,
        key=OUTCOME,
        bind="query-params",
    )
    return text or "", outcomes


def _show_table(rows: Sequence[Row]) -> list[Row]:
    """The rows that are selected."""
    st.html(_STYLE)
    # Selected positions would mean other suspects once the list changes.
    mark = hashlib.sha256(repr([row.number for row in rows]).encode()).hexdigest()[:12]
    clicked = f"fleet-click-{mark}"

    def open_it() -> None:
        st.session_state[OPENED] = rows[st.session_state[clicked]["row"]].scan

    event = st.dataframe(
        _table(rows),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"fleet-{mark}",
        placeholder="",
        alt="Suspects of the fleet",
        column_config=_columns(clicked, open_it),
    )
    return [rows[i] for i in event["selection"]["rows"] if i < len(rows)]


def _table(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "open": [":material/arrow_forward: Open" if row.scan else None for row in rows],
            "outcome": [[row.outcome.capitalize()] for row in rows],
            "name": [row.name for row in rows],
            "flagged": [row.flagged for row in rows],
            "progress": [row.progress for row in rows],
            "classes": [row.classes for row in rows],
            "left": [row.still for row in rows],
            "seconds": [row.seconds for row in rows],
            "message": [row.message for row in rows],
            "file": [row.file for row in rows],
        }
    )


def _columns(clicked: str, open_it: Callable[[], None]) -> dict[str, Any]:
    # Dark enough for the white text that Streamlit puts on them, in both lights.
    column, colours = st.column_config, palette("light")
    of_verdict = {"red": colours.more, "blue": colours.less, "gray": colours.muted}
    colour: dict[str, str] = {name: of_verdict[value] for name, value in VERDICT_COLOURS.items()}
    return {
        "open": column.ButtonColumn("", type="tertiary", key=clicked, on_click=open_it, width=80),
        "outcome": column.MultiselectColumn(
            "Outcome",
            options=[name.capitalize() for name in OUTCOMES],
            color=[colour.get(name, colours.muted) for name in OUTCOMES],
            width=110,
        ),
        "name": column.TextColumn("Suspect", width=240),
        "flagged": column.TextColumn("Flagged", width=80, help="Labels of the flagged classes."),
        "progress": column.ProgressColumn("Progress", format="percent", width=110),
        "classes": column.TextColumn("Classes", width=80),
        "left": column.TextColumn("Left", width=140, help="On one core."),
        "seconds": column.NumberColumn("Seconds", format="%.0f", width=80, help="Of work, on all cores together."),
        "message": column.TextColumn("Message", width=260),
        "file": column.TextColumn("File"),
    }


def _show_actions(journal: Journal, run: Run, shown: Sequence[Row], total: int, selected: Sequence[Row]) -> None:
    counted = count_of(total, "suspect") if len(shown) == total else f"{len(shown):,} of {count_of(total, 'suspect')}"
    can_end = [row.number for row in selected if row.can_end] if run.alive else []
    hint = " Select some to cancel them." if run.alive and not can_end else ""
    st.caption(f"{counted}.{hint}", width="stretch")
    if can_end:
        st.button(
            f"Cancel {count_of(len(can_end), 'suspect')}",
            icon=":material/stop_circle:",
            on_click=journal.cancel,
            args=(run.id, can_end),
            key="fleet-cancel-some",
        )
    st.download_button(
        "CSV",
        data=partial(as_csv, shown),  # when it is asked for
        file_name="aegis-fleet.csv",
        mime="text/csv",
        icon=":material/download:",
        key="fleet-csv",
        on_click="ignore",
        help="The list as it is filtered.",
    )
