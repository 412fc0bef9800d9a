"""Recent scans, opened again without computing anything."""

from __future__ import annotations

import streamlit as st

from aegis.models.card import printable
from aegis.ui.scan_session import recent_scans, verdict_badge, when
from aegis.ui.widgets import SCAN

SHOWN = 8


def show_recent() -> None:
    """The latest scans that this session may see, newest first."""
    scans = recent_scans(SHOWN)
    if not scans:
        st.caption("None yet. Choose **Scan** on a suspect above; its verdict is kept here.")
        return
    with st.container(border=True, gap="small"):
        for key, record in scans:
            verdict, file, data, accused, date, link = st.columns([3, 5, 4, 4, 4, 2], vertical_alignment="center")
            with verdict:
                verdict_badge(record)
            file.text(printable(record.model.file, 60), help=record.model.sha256)
            data.text(printable(record.data.name, 40))
            named = [one for one in record.classes if one.suspicious]
            accused.text(", ".join(f"{one.label} {printable(one.name, 30)}" for one in named[:3]) or "no class accused")
            date.text(when(record))
            link.page_link(SCAN, label="Open", query_params={"scan": key})
