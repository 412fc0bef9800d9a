"""One finished scan in full: settings, results and decisions."""

from __future__ import annotations

import streamlit as st

from aegis.records.ranking import ranked
from aegis.records.record import ScanRecord
from aegis.records.settings import all_settings
from aegis.ui.components.widgets import INSPECT, SCAN, complain, fact, facts
from aegis.ui.history.links import link_to_comparison
from aegis.ui.history.rows import Row
from aegis.ui.history.tables import TABLES, value_table
from aegis.ui.session import open_scan, verdict_badge, when


def show_details(row: Row, before: Row | None) -> None:
    """Show the record of a scan, with links to its pages.

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
            st.caption(f"scanned {when(record.created)}", width="stretch")
            st.page_link(SCAN, label="Open", icon=":material/arrow_forward:", query_params={"scan": row.key})
            for one in ranked(record)[:1]:
                target = {"scan": row.key, "class": str(one.label)}
                st.page_link(INSPECT, label=f"Inspect class {one.label}", icon=":material/search:", query_params=target)
        st.text(row.sentence)
        _show_facts(row, record)
        _show_made(record)
        if before is not None:
            label, tip = f"Compare with its scan of {before.created}", "The one before it of the same file name."
            link_to_comparison(label, before.key, row.key, tip=tip)


def _show_facts(row: Row, record: ScanRecord) -> None:
    data = record.data
    with facts():
        fact("Suspect", row.file)
        fact("Architecture", row.architecture)
        fact("Accuracy", f"{record.model.accuracy:.1%}")
        fact("Robust up to", row.robust_up_to)
    with facts():
        fact("Images", row.title, tip=f"{data.train:,} training and {data.test:,} test images")
        fact("Classes tested", f"{len(record.classes):,} of {len(data.class_names):,}")
        fact("Settings", row.preset.capitalize())
        fact("Device", f"{row.device} {row.precision}")
        fact("Seconds", f"{row.seconds:,.0f}", tip="Of all steps, added up over what ran side by side.")
    if row.decisions or row.note:
        with facts():
            fact("Decided", row.decisions or "nothing yet")
            if row.note:
                fact("Note", row.note)


def _show_made(record: ScanRecord) -> None:
    digests = [("SHA-256 of the file", record.model.sha256), ("Digest of the images", record.data.digest)]
    versions = [(f"Version of {name}", version) for name, version in record.versions.items()]
    with st.expander("Digests, settings and versions"):
        st.html(TABLES + value_table([*digests, *all_settings(record), *versions]))
