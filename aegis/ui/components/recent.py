"""Running and recent scans, opened again without computing anything."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.text import printable
from aegis.store.store import Store
from aegis.ui.components.summary import say_flagged, say_images
from aegis.ui.components.widgets import HISTORY, SCAN, complain
from aegis.ui.session import own_running, recent_scans, verdict_badge, when
from aegis.ui.uploads import UPLOADED
from aegis.ui.watch import Watch

SHOWN = 8


def show_running() -> None:
    """Show this session's waiting and running scans, each with a link."""
    jobs = own_running()
    if not jobs:
        return
    with st.container(border=True, gap="small", key="card-running"):
        for job in jobs:
            assert isinstance(job.watch, Watch)
            view = job.watch.view()
            state, file, saying, link = st.columns([5, 12, 24, 3], vertical_alignment="center")
            running = job.state == "running"
            state.badge("Running" if running else "Queued", icon=":material/hourglass_top:", color="violet")
            file.text(printable(view.title, 60))
            saying.text(f"{view.saying}: {view.whole:.0%}" if running else "It starts by itself.")
            link.page_link(SCAN, label="Open", query_params={"job": job.id})


def show_interrupted() -> None:
    """Show interrupted work with how to resume it, without other sessions' uploads.

    Raises:
        StoreError: if the store cannot be used.
    """
    works = [work for work in Store().interrupted() if not work.what.startswith(UPLOADED)]
    if not works:
        return
    with st.container(border=True, gap="small", key="card-interrupted"):
        for work in works[:SHOWN]:
            state, file, date = st.columns([6, 29, 9], vertical_alignment="center")
            state.badge("Interrupted", icon=":material/pause_circle:", color="orange")
            file.text(f"{work.kind.capitalize()} of {printable(Path(work.what).name, 60)}")
            date.text(when(work.begun))
            # A shortened or escaped command would be another command.
            if work.is_command and printable(work.resume_hint, 2000) == work.resume_hint:
                st.code(work.resume_hint, language="bash", wrap_lines=True)
            elif work.resume_hint:
                st.text(printable(work.resume_hint, 2000))
        more = f" {len(works) - SHOWN} more are not shown." if len(works) > SHOWN else ""
        st.caption(f"What was finished is kept: the same again goes on from there.{more}")


def show_recent() -> None:
    """Show the latest scans that this session may see, the newest first."""
    try:
        scans = recent_scans(SHOWN)
    except AegisError as error:
        complain(str(error), "Not possible")
        return
    if not scans:
        st.caption("None yet. Choose Scan on a suspect above; its verdict is kept here.")
        return
    with st.container(border=True, gap="small", key="card-recent"):
        for key, record in scans.items():
            verdict, file, flagged, data, date, link = st.columns([5, 12, 6, 10, 8, 3], vertical_alignment="center")
            with verdict:
                verdict_badge(record)
            file.text(printable(record.model.file, 60))
            flagged.text(say_flagged(record))
            data.text(say_images(record))
            date.text(when(record.created))
            link.page_link(SCAN, label="Open", query_params={"scan": key})
    st.page_link(HISTORY, label="All scans", icon=":material/history:")
