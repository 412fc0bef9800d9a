"""A job that computes more of a class than its scan, while it waits or runs."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from aegis.ui.components.live import EVERY, show_classes_running
from aegis.ui.components.running import offer_cancel
from aegis.ui.session import find_look, server_state
from aegis.ui.watch import Watch


@st.fragment(run_every=EVERY)
def show_look(what: Hashable, title: str, key: str) -> None:
    """Shows how far the job is, with a button that cancels it; once it has ended the whole page is drawn anew.

    Args:
        what: it computes, as given to ``start_look``.
        title: of the job, for people.
        key: that the widgets' own keys begin with.
    """
    job = find_look(what)
    if job is None or job.over:
        st.rerun()
    assert job is not None
    assert isinstance(job.watch, Watch)
    view = job.watch.view()
    with st.container(border=True, key=f"{key}-live"):
        bar, stop = st.columns([5, 1], vertical_alignment="center")
        waiting = job.state == "queued"
        with bar:
            behind = waiting and server_state().looks.ahead(job)
            words = "Queued behind another look" if behind else f"{title}: {view.saying.lower()}"
            # Of one class, with nothing measured before it, as a scan would.
            share = max((one.share for one in view.classes.values()), default=0.0)
            st.progress(min(1.0, share), text=words)
        offer_cancel(stop, job, server_state().looks, f"{key}-cancel")
        show_classes_running(view)
