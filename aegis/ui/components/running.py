"""The jobs of this browser or user that wait or run, on whatever page it is, each with a way to it and to its end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.text import printable
from aegis.ui.components.widgets import LINKS
from aegis.ui.jobs import Job, Jobs
from aegis.ui.session import own_running, server_state
from aegis.ui.watch import Watch

# Seconds.
EVERY = 2.0


def show_running(shown: Collection[str] = ()) -> None:
    """Shows the owner's waiting and running jobs, each with a link and a button that cancels it.

    Args:
        shown: ids of jobs that the page shows itself.
    """
    ids = [job.id for job in own_running() if job.id not in shown]
    if ids:
        _live(ids, shown)


@st.fragment(run_every=EVERY)
def _live(ids: list[str], shown: Collection[str]) -> None:
    jobs = [job for job in own_running() if job.id not in shown]
    if [job.id for job in jobs] != ids:
        # What has ended may be a result, which the rest of the page lists.
        st.rerun()
    with st.container(border=True, gap="small", key="card-running"):
        for job in jobs:
            _show_one(job)


def _show_one(job: Job[Any]) -> None:
    assert isinstance(job.watch, Watch)
    view = job.watch.view()
    with st.container(horizontal=True, vertical_alignment="center", key=f"running-{job.id}"):
        running = job.state == "running"
        st.badge("Running" if running else "Queued", icon=":material/hourglass_top:", color="violet")
        st.text(printable(view.title, 60), width="content")
        st.text(f"{view.saying}: {view.whole:.0%}" if running else "It starts by itself.", width="stretch")
        page, parameter = LINKS[job.watch.kind]
        st.page_link(page, label="Open", width="content", query_params={parameter: job.id})
        offer_cancel(st.container(width="content"), job, server_state().jobs, f"cancel-{job.id}", width="content")


def offer_cancel(place: DeltaGenerator, job: Job[Any], jobs: Jobs, key: str, width: str = "stretch") -> None:
    """Shows a button that cancels a job.

    Args:
        place: where it is shown.
        job: the job.
        jobs: the queue that it is in.
        key: of the button.
        width: of the button, as Streamlit takes it.
    """
    # Use a callback: it runs before the page is drawn, so that the page shows the job as ended.
    place.button(
        "Cancel",
        icon=":material/stop_circle:",
        key=key,
        width=width,  # type: ignore[arg-type]
        on_click=jobs.cancel,
        args=(job,),
    )
