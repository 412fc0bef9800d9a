"""The suspects of a fleet as a table: find, filter, sort, open, cancel and take away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from aegis.core.text import count_of
from aegis.services.fleet.journal import Journal, Run
from aegis.ui.components.scan_list import OPEN, OPENS, badges, choose_rows, follow_opened
from aegis.ui.components.widgets import complain
from aegis.ui.fleet.rows import OUTCOMES, Row, as_csv, chosen

NAME = "fleet"
FIND, OUTCOME = "find", "outcome"


def show_list(journal: Journal, run: Run, rows: Sequence[Row]) -> None:
    """Shows the suspects of a fleet that pass the filters.

    Args:
        journal: where they can be cancelled.
        run: the fleet.
        rows: all of its suspects.
    """
    follow_opened(NAME)
    shown = chosen(rows, *_ask(rows))
    if not shown:
        with st.container(border=True):
            st.markdown(f"**No suspect is like that.** There are {len(rows):,} in all.")
        return
    bar = st.container(horizontal=True, vertical_alignment="center", key="card-actions")
    ids, scans = [row.number for row in shown], [row.scan for row in shown]
    selected = [shown[i] for i in choose_rows(NAME, "Suspects of the fleet", _table(shown), scans, ids, _columns())]
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


def _table(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            OPEN: [OPENS if row.scan else None for row in rows],
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


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "outcome": badges("Outcome", OUTCOMES, 110),
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
