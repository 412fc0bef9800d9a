"""The models that were trained on this page, and the trainings that were begun and not finished."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.text import printable
from aegis.models.card import read_truth
from aegis.services.training import TrainingPlan, forget, unfinished
from aegis.ui.components.widgets import SCAN
from aegis.ui.lab.training import TrainingWatch
from aegis.ui.session import server_state
from aegis.ui.suspects import lab_folder, list_suspects


def show_unfinished(start: Callable[[TrainingPlan], None]) -> None:
    """Lists trainings that neither wait nor run, each with buttons that go on with it and that give it up.

    Args:
        start: starts a training.
    """
    busy = {one.watch.plan.digest for one in server_state().jobs.unfinished() if isinstance(one.watch, TrainingWatch)}
    waiting = [plan for plan in unfinished(lab_folder()) if plan.digest not in busy]
    if not waiting:
        return
    st.header("Unfinished", anchor=False)
    with st.container(border=True, gap="small", key="card-unfinished"):
        for plan in waiting:
            with st.container(horizontal=True, vertical_alignment="center", key=f"unfinished-{plan.digest[:8]}"):
                st.text(plan.name, width="stretch")
                st.button(
                    "Go on",
                    icon=":material/play_arrow:",
                    key=f"resume-{plan.digest[:8]}",
                    on_click=start,
                    args=(plan,),
                )
                st.button(
                    "Give up",
                    icon=":material/delete:",
                    key=f"forget-{plan.digest[:8]}",
                    on_click=forget,
                    args=(plan, lab_folder()),
                )


def show_made() -> None:
    """Lists the models that were trained here, the latest first, with what was measured of each."""
    paths = sorted(list_suspects(lab_folder()), key=lambda path: -path.stat().st_mtime)
    if not paths:
        return
    st.header("Made here", anchor=False)
    with st.container(border=True, gap="small", key="card-made"):
        for path in paths:
            name, success, scan = st.columns([10, 8, 3], vertical_alignment="center")
            name.text(printable(path.name, 80))
            try:
                truth = read_truth(path)
            except AegisError as error:
                success.text(str(error))
                continue
            metrics = truth.metrics if truth else {}
            said = [f"right about {metrics['accuracy']:.0%}"] if "accuracy" in metrics else []
            if (turned := metrics.get("attack_success_other_classes")) is not None:
                said.append(f"the trigger turns {turned:.0%}")
            success.text(", ".join(said))
            scan.page_link(SCAN, label="Scan it", query_params={"suspect": path.name})
