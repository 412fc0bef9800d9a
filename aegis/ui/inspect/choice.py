"""The choice of scan and class, from the address or on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from aegis.records.ranking import ranked
from aegis.records.record import ClassRecord, ScanRecord
from aegis.ui.components.widgets import SCAN, class_title, scan_title
from aegis.ui.inspect import state
from aegis.ui.session import open_scan, recent_scans

VERDICTS = {"infected": ("red", ":material/gpp_bad:"), "clean": ("blue", ":material/gpp_good:")}
RECENT = 50
UNKNOWN = ("gray", ":material/help:")


@dataclass(frozen=True)
class Choice:
    """A class of a scan.

    Args:
        key: of the scan.
        record: the scan.
        entry: the class.
    """

    key: str
    record: ScanRecord
    entry: ClassRecord


def choose() -> Choice | None:
    """Shows the widgets that choose a scan and a class.

    Returns:
        The class; None where there is none to show.

    Raises:
        StoreError: if the store cannot be used.
    """
    scans = {key: record for key, record in recent_scans(RECENT).items() if record.classes}
    wanted = st.session_state.get(state.SCAN)
    if wanted and wanted not in scans and (found := open_scan(wanted)) and found.classes:
        scans = {wanted: found, **scans}
    if not scans:
        _nothing_yet()
        return None
    if wanted not in scans:
        if wanted:
            st.warning("There is no such scan here; this is the latest one.", icon=":material/link_off:")
        state.set_scan(next(iter(scans)))
    left, right = st.columns([5, 7], vertical_alignment="bottom")
    key = left.selectbox(
        "Scan",
        list(scans),
        format_func=lambda key: scan_title(scans[key]),
        key=state.SCAN,
        on_change=state.forget_class,
    )
    record = scans[key]
    labels = [entry.label for entry in record.classes]
    if st.session_state.get(state.CLASS) not in labels:
        # A flagged one, or else the one that came closest.
        state.set_class(ranked(record)[0].label)
    with right, st.container(horizontal=True, vertical_alignment="bottom"):
        entries = {entry.label: entry for entry in record.classes}
        label = st.selectbox(
            "Class",
            labels,
            format_func=lambda label: class_title(entries[label]),
            key=state.CLASS,
            on_change=state.forget_selection,
        )
        _neighbours(labels, label)
    return Choice(key, record, entries[label])


def show_verdict(choice: Choice) -> None:
    """Shows the recorded verdict as badges; nothing on this page changes it."""
    colour, icon = VERDICTS.get(choice.record.verdict, UNKNOWN)
    flagged = choice.entry.flagged
    st.badge(f"Model: {choice.record.verdict}", icon=icon, color=colour)  # type: ignore[arg-type]
    st.badge("Class: flagged" if flagged else "Class: not flagged", color="red" if flagged else "blue")
    back = {"scan": choice.key}
    st.page_link(SCAN, label="Verdict", icon=":material/arrow_back:", width="content", query_params=back)


def _neighbours(labels: Sequence[int], label: int) -> None:
    position = labels.index(label)
    buttons = (
        ("Previous", "P", position - 1, ":material/chevron_left:"),
        ("Next", "N", position + 1, ":material/chevron_right:"),
    )
    for name, shortcut, target, icon in buttons:
        there = 0 <= target < len(labels)
        st.button(
            name,
            key=f"inspect-{name.lower()}",
            icon=icon,
            shortcut=shortcut,
            disabled=not there,
            on_click=state.set_class,
            args=(labels[target] if there else label,),
        )


def _nothing_yet() -> None:
    with st.container(border=True, key="empty"):
        st.markdown(
            "**No finished scan yet.** This page shows what a scan found in each class. Start one on the page *Scan*, "
            "or from the command line, in the project's folder:"
        )
        st.code(
            "source .venv/bin/activate\naegis scan assets/models/fashion_mnist_localised.safetensors", language="bash"
        )
        st.markdown("Then reload this page.")
