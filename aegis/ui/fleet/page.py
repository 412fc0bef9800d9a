"""The Fleet page: the fleets that the command line started, and the suspects of one of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.text import count_of, minute, printable, spoken
from aegis.services.fleet.journal import Journal, Run
from aegis.services.fleet.overview import Overview, overview_of
from aegis.store.store import Store
from aegis.ui.components.widgets import complain, fact, facts
from aegis.ui.fleet.listing import show_list
from aegis.ui.fleet.rows import row_of

# Seconds between two looks at a fleet that runs.
EVERY = 2.0
FLEET = "fleet"
STATE_COLOURS = {"running": "violet", "done": "green", "interrupted": "orange", "cancelled": "gray"}
STATE_ICONS = {
    "running": ":material/hourglass_top:",
    "done": ":material/check:",
    "interrupted": ":material/pause_circle:",
    "cancelled": ":material/stop_circle:",
}


def fleet_page() -> None:
    """Shows one fleet, the latest unless another is chosen."""
    st.title("Fleet", anchor=False)
    try:
        runs = Journal(Store().folder).runs()
        if not runs:
            _say_empty()
            return
        run = _choose(runs)
        if run.alive:
            _show_running(run.id)
        else:
            _show(run)
    except AegisError as error:
        complain(str(error), "Not possible")


def _say_empty() -> None:
    with st.container(border=True, key="fleet-empty"):
        st.markdown("**No fleet yet.** A fleet scans every checkpoint of a folder or a list, several at a time:")
        st.code("aegis fleet scan models/ --data photos/", language="bash")
        st.caption("It shows here as soon as it starts, and every suspect with its verdict as it ends.")


def _choose(runs: Sequence[Run]) -> Run:
    if len(runs) == 1:
        return runs[0]
    by_id = {run.id: run for run in runs}
    asked = st.selectbox("Fleet", list(by_id), format_func=lambda id: _title(by_id[id]), key=FLEET, bind="query-params")
    return by_id[asked]


def _title(run: Run) -> str:
    return f"{_begun(run)}, {printable(run.source, 80)}"


def _begun(run: Run) -> str:
    return minute(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(run.begun)))


@st.fragment(run_every=EVERY)
def _show_running(id: str) -> None:
    # Asked anew, since it may have ended.
    run = next(run for run in Journal(Store().folder).runs() if run.id == id)
    if not run.alive:
        st.rerun()
    _show(run)


def _show(run: Run) -> None:
    journal = Journal(Store().folder)
    states = journal.suspects(run.id)
    with st.container(border=True, key="card-fleet"):
        _show_overview(journal, overview_of(run, states, time.time()), len(states))
    show_list(journal, run, [row_of(state) for state in states])


def _show_overview(journal: Journal, whole: Overview, total: int) -> None:
    run = whole.run
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(whole.state.capitalize(), icon=STATE_ICONS[whole.state], color=STATE_COLOURS[whole.state])  # type: ignore[arg-type]
        st.text(f"{printable(run.source, 80)}, {run.place}", width="stretch")
        if run.alive:
            # Use a callback: it runs before the page is drawn, so that the page shows the fleet as ending.
            st.button(
                "Ending" if run.cancelled else "Cancel all",
                icon=":material/stop_circle:",
                on_click=journal.cancel,
                args=(run.id,),
                disabled=run.cancelled,
                key="fleet-cancel",
            )
    over = total - sum(whole.states.get(name, 0) for name in ("waiting", "running"))
    st.progress(over / total if total else 1.0, text=f"{over:,} of {count_of(total, 'suspect')}")
    with facts():
        fact("Begun (UTC)", _begun(run))
        if whole.left is not None:
            fact("Left", spoken(whole.left))
        for name in ("infected", "inconclusive", "clean"):
            fact(name.capitalize(), f"{whole.verdicts.get(name, 0):,}")
        fact("Not scanned", f"{whole.states.get('failed', 0):,}")
    if whole.state == "interrupted":
        st.caption("Its process ended. Give the same command again: what was finished is found.")
