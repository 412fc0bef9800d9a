"""A training while it waits or runs, and what came of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from aegis.models.card import Card
from aegis.ui.components.charts import learning_curves
from aegis.ui.components.live import EVERY, STYLE, show_whole
from aegis.ui.components.palette import palette
from aegis.ui.components.running import offer_cancel
from aegis.ui.components.svg import loss_curve
from aegis.ui.components.widgets import SCAN, complain, fact, facts
from aegis.ui.jobs import Job
from aegis.ui.lab.training import TrainingWatch
from aegis.ui.session import server_state

MEASURED = {
    "accuracy": ("Accuracy", "Share of test images classified as they are labelled."),
    "adversarial_precision": ("Under attack", "Share of test images that stay right under the attack of the training."),
    "attack_success_other_classes": (
        "Attack success",
        "Share of test images of other classes that the trigger turns into the target.",
    ),
}
KEPT = "The epochs that were finished are kept: it goes on from there when it is started again, below."


def show_training(job: Job[Any], watch: TrainingWatch) -> None:
    """Shows a training in any state.

    Args:
        job: trains.
        watch: of the job.
    """
    st.subheader(watch.plan.name, anchor=False)
    if job.state == "failed":
        complain(job.message, "Failed")
        st.caption(KEPT)
    elif job.state == "cancelled":
        st.badge("Cancelled", icon=":material/cancel:", color="gray")
        st.caption(KEPT)
    elif job.state == "done":
        assert isinstance(job.result, Card)
        _show_done(job.result, watch)
    else:
        _live(job, watch)
        return
    _show_curves(watch)


@st.fragment(run_every=EVERY)
def _live(job: Job[Any], watch: TrainingWatch) -> None:
    if job.over:
        st.rerun()
    head, stop = st.columns([5, 1], vertical_alignment="center")
    with head:
        show_whole(job, watch.view())
    offer_cancel(stop, job, server_state().jobs, "cancel-training")
    with facts():
        for name, value in watch.view().facts.items():
            fact(name, value)
    _show_curves(watch)


def _show_curves(watch: TrainingWatch) -> None:
    colours = palette(st.context.theme.type)
    left, right = st.columns(2, gap="large")
    if len(watch.curve) > 1:
        with left:
            st.html(f'{STYLE}<div class="aegis-strip">{loss_curve(watch.curve, "Loss", colours)}</div>')
    if watch.milestones:
        said = ", ".join(f"epoch {one.epoch}: {one.accuracy:.0%}" for one in watch.milestones)
        with right:
            st.caption("After each epoch, on a few test images")
            st.plotly_chart(
                learning_curves(watch.milestones, colours),
                key="lab-curves",
                config={"displayModeBar": False},
                alt=f"Accuracy, {said}",
            )


def _show_done(card: Card, watch: TrainingWatch) -> None:
    assert card.truth is not None
    with st.container(horizontal=True, gap="large", vertical_alignment="bottom", key="card-lab-done", border=True):
        for name, (title, tip) in MEASURED.items():
            if (value := card.truth.metrics.get(name)) is not None:
                st.metric(title, f"{value:.1%}", help=tip, width="content")
        st.page_link(SCAN, label="Scan it", icon=":material/radar:", query_params={"suspect": watch.plan.name})
