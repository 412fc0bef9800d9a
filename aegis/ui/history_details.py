"""One finished scan in full: with what it was made, what came out, what was decided."""

from __future__ import annotations

import streamlit as st

from aegis.detect.record import ScanRecord
from aegis.detect.strength import ranked
from aegis.models.card import printable
from aegis.ui.history_link import ask_for
from aegis.ui.history_rows import Row
from aegis.ui.scan_session import open_scan, verdict_badge, when
from aegis.ui.widgets import INSPECT, SCAN, complain, fact, facts


def show_details(row: Row, before: Row | None) -> None:
    """What is kept of a scan, and the ways to it.

    Args:
        row: the scan in the list.
        before: an earlier scan of the same file name, or None.

    Raises:
        StoreError: if the store cannot be used.
    """
    record = open_scan(row.key)
    if record is None:
        complain("This scan is no longer in the store.", "Gone")
        return
    with st.container(border=True, key="card-details"):
        with st.container(horizontal=True, vertical_alignment="center"):
            verdict_badge(record)
            st.caption(f"scanned {when(record)}", width="stretch")
            st.page_link(SCAN, label="Result", icon=":material/radar:", query_params={"scan": row.key})
            for one in ranked(record)[:1]:
                target = {"scan": row.key, "class": str(one.label)}
                st.page_link(INSPECT, label=f"Class {one.label}", icon=":material/search:", query_params=target)
        st.text(row.sentence)
        _show_facts(row, record)
        if row.decisions or row.note:
            with facts():
                fact("Decided", row.decisions or "nothing yet")
                if row.note:
                    fact("Note", row.note)
        if before is not None:
            st.button(
                f"Compare with its scan of {before.created}",
                icon=":material/compare_arrows:",
                key="history-before",
                on_click=ask_for,
                args=(before.key, row.key),
                help="The one before it of the same file name.",
            )


def _show_facts(row: Row, record: ScanRecord) -> None:
    model, data = record.model, record.data
    with facts():
        fact("Suspect", row.file)
        fact("Architecture", row.architecture)
        fact("Accuracy", f"{model.accuracy:.1%}")
        fact("Robust up to", row.robust_up_to)
        counts = f"{data.train:,} training and {data.test:,} test images"
        fact("Images", row.title, tip=f"{counts}; digest {printable(data.digest)}")
        fact("Settings", row.preset.capitalize())
        fact("Classes tested", f"{len(record.classes):,} of {len(data.class_names):,}")
        fact("Device", f"{row.device} {row.precision}")
        fact("Seconds", f"{row.seconds:,.0f}", tip="Of all steps, added up over what ran side by side.")
    with facts():
        fact("SHA-256", row.sha256)
    with facts():
        for name, version in record.versions.items():
            fact(printable(name, 30), printable(version, 30))
