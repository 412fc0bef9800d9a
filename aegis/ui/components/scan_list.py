"""A table of which rows can be selected, and opened where they are scans."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from aegis.ui.components.palette import palette
from aegis.ui.components.widgets import SCAN
from aegis.ui.session import VERDICT_COLOURS

# The column that opens a scan, and what it says where there is one.
OPEN, OPENS = "open", ":material/arrow_forward: Open"


def follow_opened(name: str) -> None:
    """Goes to the scan that was opened in the table, if one was.

    Args:
        name: of the table.
    """
    if _opened(name) in st.session_state:
        st.switch_page(SCAN, query_params={"scan": st.session_state.pop(_opened(name))})


def choose_rows(
    name: str, about: str, rows: pd.DataFrame, scans: Sequence[str], ids: Sequence[object], columns: dict[str, Any]
) -> list[int]:
    """Shows the table.

    Args:
        name: of the table, which begins its keys.
        about: the table in words, for screen readers.
        rows: what is in it, with a column ``OPEN``.
        scans: the key of each row's scan, or empty.
        ids: tell rows apart.
        columns: how the other columns are shown.

    Returns:
        Positions of the selected rows.
    """
    # Its search and its file know nothing of the filters, and what names in that file would do in a spreadsheet.
    st.html(f'<style>.st-key-{name}-table [data-testid="stElementToolbar"] {{ display: none; }}</style>')
    # Selected positions would mean other rows once the list changes.
    mark = hashlib.sha256(repr([*ids]).encode()).hexdigest()[:12]
    clicked = f"{name}-click-{mark}"

    def open_it() -> None:
        st.session_state[_opened(name)] = scans[st.session_state[clicked]["row"]]

    opens = st.column_config.ButtonColumn("", type="tertiary", key=clicked, on_click=open_it, width=80)
    with st.container(key=f"{name}-table"):
        event = st.dataframe(
            rows,
            hide_index=True,
            on_select="rerun",
            selection_mode="multi-row",
            key=f"{name}-{mark}",
            placeholder="",
            alt=about,
            column_config={OPEN: opens, **columns},
        )
    return [i for i in event["selection"]["rows"] if i < len(rows)]


def badges(title: str, names: Sequence[str], width: int) -> Any:  # noqa: ANN401 - as Streamlit has it
    """Makes a column of verdicts and other states, each in its colour.

    Args:
        title: of the column.
        names: all that may stand in it, in small letters; their capital is shown.
        width: in pixels.
    """
    # Dark enough for the white text that Streamlit puts on them, in both lights.
    colours = palette("light")
    of_verdict = {"red": colours.more, "blue": colours.less, "gray": colours.muted}
    known: dict[str, str] = {name: of_verdict[value] for name, value in VERDICT_COLOURS.items()}
    return st.column_config.MultiselectColumn(
        title,
        options=[name.capitalize() for name in names],
        color=[known.get(name, colours.muted) for name in names],
        width=width,
    )


def _opened(name: str) -> str:
    return f"{name}-open"
