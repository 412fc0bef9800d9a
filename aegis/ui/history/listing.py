"""The History page: what runs, what was interrupted, and the list of finished scans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.errors import AegisError
from aegis.core.text import count_of, printable
from aegis.records.settings import KINDS
from aegis.store.store import Store
from aegis.ui.components.running import show_running
from aegis.ui.components.scan_list import OPEN, OPENS, badges, choose_rows, follow_opened
from aegis.ui.components.widgets import SCAN, complain
from aegis.ui.history.details import (
    FIND,
    PRESET,
    SINCE,
    UNTIL,
    VERDICT,
    forget_filters,
    link_to_comparison,
    show_details,
)
from aegis.ui.history.rows import MOST, Row, Wanted, as_csv, as_json, known_rows
from aegis.ui.session import VERDICT_COLOURS, when
from aegis.ui.uploads import UPLOADED

NAME = "history"
# Interrupted works shown.
SHOWN = 8
CAPITAL: dict[str, str] = {name: name.capitalize() for name in VERDICT_COLOURS}


def history_page() -> None:
    """Shows what runs and what is finished."""
    heading = st.container(horizontal=True, vertical_alignment="center")
    heading.title("History", anchor=False)
    try:
        # Unfinished work comes first.
        show_running()
        show_interrupted()
        show_list(heading)
    except AegisError as error:
        complain(str(error), "Not possible")


def show_interrupted() -> None:
    """Shows interrupted work with how to resume it, without other sessions' uploads.

    Raises:
        StoreError: if the store cannot be used.
    """
    works = [work for work in Store().interrupted() if not work.what.startswith(UPLOADED)]
    if not works:
        return
    with st.container(border=True, gap="small", key="card-interrupted"):
        for work in works[:SHOWN]:
            state, file, begun = st.columns([6, 29, 9], vertical_alignment="center")
            state.badge("Interrupted", icon=":material/pause_circle:", color="orange")
            file.text(f"{work.kind.capitalize()} of {printable(Path(work.what).name, 60)}")
            begun.text(when(work.begun))
            # A shortened or escaped command would be another command.
            if work.is_command and printable(work.resume_hint, 2000) == work.resume_hint:
                st.code(work.resume_hint, language="bash", wrap_lines=True)
            elif work.resume_hint:
                st.text(printable(work.resume_hint, 2000))
        more = f" {len(works) - SHOWN} more are not shown." if len(works) > SHOWN else ""
        st.caption(f"What was finished is kept: the same again goes on from there.{more}")


def show_list(heading: DeltaGenerator) -> None:
    """Shows all finished scans that this session may see.

    Args:
        heading: the row of the page's title, which the list as a file goes into.

    Raises:
        StoreError: if the store cannot be used.
    """
    follow_opened(NAME)
    rows = known_rows()
    if not rows:
        _say_empty()
        return
    wanted = _ask(rows)
    shown = [row for row in rows if wanted.takes(row)]
    if not shown:
        with st.container(border=True):
            there = "is one" if len(rows) == 1 else f"are {len(rows):,}"
            st.markdown(f"**No scan is like that.** There {there} in all.")
        st.button("Show all", icon=":material/filter_alt_off:", on_click=forget_filters)
        return
    _offer(heading, shown)
    bar = st.container(horizontal=True, vertical_alignment="center", key="card-actions", height=40, border=False)
    keys = [row.key for row in shown]
    chosen = [shown[i] for i in choose_rows(NAME, "Finished scans", _table(shown), keys, keys, _columns())]
    with bar:
        _show_actions(len(shown), len(rows), chosen)
    if len(chosen) == 1:
        show_details(chosen[0], _one_before(chosen[0], rows))


def _say_empty() -> None:
    with st.container(border=True, key="history-empty"):
        st.markdown("**No scans yet.** Every scan that is finished, here or on the command line, is kept in this list.")
        store = Store()
        if unread := store.count() - len(store.scans(None)):
            st.caption(f"{count_of(unread, 'scan')} of another version of AEGIS cannot be shown.")
        st.page_link(SCAN, label="Set up a scan", icon=":material/radar:")


def _ask(rows: Sequence[Row]) -> Wanted:
    find, since, until = st.columns([6, 2, 2], vertical_alignment="bottom")
    text = find.text_input(
        "Find",
        key=FIND,
        type="search",
        live=True,
        placeholder="File, SHA-256, architecture or images",
        help="Words that a scan's file, SHA-256, architecture or images have in them.",
        bind="query-params",
    )
    first, last = _day(since, "From", SINCE), _day(until, "To", UNTIL)
    left, right = st.columns(2)
    verdicts = left.pills(
        "Verdict",
        list(CAPITAL),
        selection_mode="multi",
        format_func=lambda name: CAPITAL[name],
        key=VERDICT,
        bind="query-params",
    )
    known = {row.preset for row in rows}
    # A filter in the address is offered even where no scan matches it.
    asked = {*(st.session_state.get(PRESET) or ()), *map(str.lower, st.query_params.get_all(PRESET))}
    presets = right.pills(
        "Settings",
        [kind for kind in KINDS if kind in known or kind in asked],
        selection_mode="multi",
        format_func=str.capitalize,
        key=PRESET,
        bind="query-params",
    )
    return Wanted(text=text or "", verdicts=verdicts, presets=presets, since=first, until=last)


def _day(column: DeltaGenerator, label: str, key: str) -> str:
    day = column.date_input(label, value=None, key=key, format="YYYY-MM-DD", bind="query-params", help="In UTC.")
    return day.isoformat() if isinstance(day, date) else ""


def _table(rows: Sequence[Row]) -> pd.DataFrame:
    whole = pd.DataFrame(
        {
            OPEN: [OPENS] * len(rows),
            "verdict": [[CAPITAL[row.verdict]] for row in rows],
            "file": [row.file for row in rows],
            "flagged": [row.flagged for row in rows],
            # Of what may lie beyond a small screen's edge, the date is missed most.
            "created": [row.created for row in rows],
            "decisions": [row.decisions for row in rows],
            "title": [row.title for row in rows],
            "preset": [row.preset.capitalize() for row in rows],
            "accuracy": [row.accuracy for row in rows],
            "robust": [row.robust_up_to for row in rows],
            "architecture": [row.architecture for row in rows],
            "sha256": [row.sha256 for row in rows],
            "device": [f"{row.device} {row.precision}" for row in rows],
            "version": [row.version for row in rows],
        }
    )
    # An empty column would push others out of sight.
    return whole if any(row.decisions for row in rows) else whole.drop(columns="decisions")


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "verdict": badges("Verdict", [*CAPITAL], 105),
        "file": column.TextColumn("Suspect", width=225),
        "flagged": column.TextColumn("Flagged", width=150),
        "decisions": column.TextColumn("Decided", width=165, help="What the analyst decided about classes."),
        "title": column.TextColumn("Images", width=195),
        "preset": column.TextColumn("Settings", width=80),
        "created": column.TextColumn("Scanned (UTC)", width=130),
        "accuracy": column.NumberColumn("Accuracy", format="percent", width=80),
        "robust": column.TextColumn("Robust up to", width=95, help="L2 norm of a change that halves the accuracy."),
        "architecture": column.TextColumn("Architecture"),
        "sha256": column.TextColumn("SHA-256", width=140),
        "device": column.TextColumn("Device"),
        "version": column.TextColumn("AEGIS"),
    }


def _offer(heading: DeltaGenerator, rows: Sequence[Row]) -> None:
    for kind, write, mime in (("CSV", as_csv, "text/csv"), ("JSON", as_json, "application/json")):
        heading.download_button(
            kind,
            data=partial(write, rows),  # when it is asked for
            file_name=f"aegis-history.{kind.lower()}",
            mime=mime,
            icon=":material/download:",
            key=f"history-{kind}",
            on_click="ignore",
            help="The list as it is filtered.",
        )


def _show_actions(shown: int, total: int, chosen: Sequence[Row]) -> None:
    counted = count_of(total, "scan") if shown == total else f"{shown} of {count_of(total, 'scan')}"
    more = f", of the latest {MOST:,}" if Store().count() > MOST else ""
    hints = {0: "Select one for its details, two to compare them.", 1: "Select another one to compare the two."}
    if len(chosen) == 2:
        st.caption(f"{counted}{more}. Two are selected:", width="content")
        link_to_comparison("Compare", *(row.key for row in sorted(chosen, key=lambda row: row.created)))
    else:
        st.caption(f"{counted}{more}. {hints.get(len(chosen), 'Select only two to compare them.')}")


def _one_before(chosen: Row, rows: Sequence[Row]) -> Row | None:
    """The scan of the same file name before this one, such as of an earlier version of the model."""
    earlier = [row for row in rows if row.file == chosen.file and row.created < chosen.created]
    return max(earlier, key=lambda row: row.created, default=None)
