"""The Attack Lab page: train a model with a backdoor, or without one, and scan what was made."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError
from aegis.services.training import TrainingPlan
from aegis.ui.components.live import say_queued
from aegis.ui.components.running import show_running
from aegis.ui.components.widgets import LINKS, complain
from aegis.ui.jobs import Job
from aegis.ui.lab.choice import choose_plan
from aegis.ui.lab.live import show_training
from aegis.ui.lab.made import show_made, show_unfinished
from aegis.ui.lab.training import TrainingWatch, train_apart
from aegis.ui.session import find_own_job, server_state, start_job

INTRO = (
    "Be the attacker: plant a trigger in a model, watch it being learnt, and see whether a scan finds it. What is made "
    "here stays on this machine, among the suspects."
)


def lab_page() -> None:
    """Shows the page below its frame."""
    st.title("Attack lab", anchor=False)
    try:
        job = find_own_job(st.query_params.get(LINKS["training"][1], ""), "training")
        show_running({job.id} if job else ())
        if job is not None and isinstance(job.watch, TrainingWatch):
            show_training(job, job.watch)
            st.button("Train another", icon=":material/add:", on_click=st.query_params.clear)
        else:
            st.caption(INTRO)
            _show_start(choose_plan())
        show_unfinished(start_training)
        show_made()
    except AegisError as error:
        complain(str(error), "Not possible")


def start_training(plan: TrainingPlan) -> None:
    """Queues a training among the scans, unless it waits or runs already; its address is the page's from then on."""
    job = next((one for one in server_state().jobs.unfinished() if _trains(one, plan)), None)
    if job is None:
        watch = TrainingWatch(title=plan.name, kind="training", plan=plan)
        job = start_job(lambda report: train_apart(plan, report, watch), watch)
    st.query_params.from_dict({LINKS["training"][1]: job.id})


def _trains(job: Job[object], plan: TrainingPlan) -> bool:
    return isinstance(job.watch, TrainingWatch) and job.watch.plan == plan


def _show_start(plan: TrainingPlan) -> None:
    st.button(
        "Train",
        type="primary",
        icon=":material/model_training:",
        width="stretch",
        key="lab-start",
        on_click=start_training,
        args=(plan,),
    )
    if waiting := server_state().jobs.waiting:
        st.caption(say_queued(waiting))
