"""One finished scan in full, and links between the list and the comparison.

The two are pages of their own, since an address with parameters of widgets cannot be left for another of its page.
The widgets of the list read its filters from the address themselves.
"""

from __future__ import annotations

import streamlit as st

from aegis.records.ranking import ranked
from aegis.records.record import ScanRecord
from aegis.records.settings import all_settings
from aegis.ui.components.tables import TABLES
from aegis.ui.components.widgets import COMPARE, HISTORY, INSPECT, SCAN, complain, fact, facts
from aegis.ui.history.rows import Row
from aegis.ui.history.tables import value_table
from aegis.ui.session import open_scan, verdict_badge, when

ONE, OTHER = "one", "other"
# Keys of the widgets, and so their names in the address.
FIND, VERDICT, PRESET, SINCE, UNTIL = "find", "verdict", "preset", "since", "until"
LEFT = "history-left"
FILTERS = (FIND, VERDICT, PRESET, SINCE, UNTIL)


def asked_for() -> tuple[str, ...]:
    """Reads from the page's address which scans to compare."""
    return tuple(st.query_params[name] for name in (ONE, OTHER) if name in st.query_params)


def link_to_comparison(label: str, one: str, other: str, tip: str | None = None) -> None:
    """Shows a link to the comparison of two scans, from which the way back leads to the list as it is now.

    Args:
        label: of the link.
        one, other: keys of the scans.
        tip: shown on hover.
    """
    st.session_state[LEFT] = {name: st.query_params.get_all(name) for name in FILTERS if name in st.query_params}
    st.page_link(
        COMPARE,
        label=label,
        icon=":material/compare_arrows:",
        query_params={ONE: one, OTHER: other},
        help=tip,
    )


def link_to_list() -> None:
    """Shows a link back to the list as it was left."""
    st.page_link(HISTORY, label="All scans", icon=":material/arrow_back:", query_params=st.session_state.get(LEFT, {}))


def forget_filters() -> None:
    """Clears all filters."""
    for name in FILTERS:
        st.session_state[name] = [] if name in (VERDICT, PRESET) else "" if name == FIND else None


def show_details(row: Row, before: Row | None) -> None:
    """Shows the record of a scan, with links to its pages.

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
        fact("Seconds", f"{row.seconds:,.0f}", tip="On the clock.")
    if row.review:
        fact("Review", row.review)


def _show_made(record: ScanRecord) -> None:
    digests = [("SHA-256 of the file", record.model.sha256), ("Digest of the images", record.data.digest)]
    versions = [(f"Version of {name}", version) for name, version in record.versions.items()]
    with st.expander("Digests, settings and versions"):
        st.html(TABLES + value_table([*digests, *all_settings(record), *versions]))
