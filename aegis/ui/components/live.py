"""The Scan page while a job waits, runs or has failed."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from aegis.core.text import numbered, printable, spoken
from aegis.core.types import Applicability
from aegis.detect.verdict import objections
from aegis.records.config import VerdictConfig
from aegis.records.wording import capitalised, robust_up_to
from aegis.ui.components.charts import ladder
from aegis.ui.components.palette import palette
from aegis.ui.components.pictures import address, strip
from aegis.ui.components.running import offer_cancel
from aegis.ui.components.svg import loss_curve
from aegis.ui.components.widgets import complain, fact, facts
from aegis.ui.jobs import Job
from aegis.ui.session import ScanJob, server_state
from aegis.ui.watch import ClassView, View, Watch

EVERY = 0.5
# Limits of classes drawn side by side and of bars: a model may have hundreds of classes.
SHOWN, BARS = 2, 40
DOING = {
    "translate": "turning images into it",
    "search": "looking for a trigger",
    "embed": "drawing features in the plane",
}
LOSS = {
    "translate": "Loss while images are turned into the class",
    "search": "Loss while a trigger is sought",
}
ACCURACY = "Share of held-out images that the model classifies as they are labelled."
ROBUST = (
    "The L2 norm of a change, made to mislead the model, that halves its accuracy. The method needs robust models: "
    "below 0.5 no verdict of clean is given."
)
STYLE = """<style>
.aegis-bars { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .55rem 1.5rem; }
.aegis-bars .row { display: flex; justify-content: space-between; gap: .75rem; font-size: .875rem; }
.aegis-bars .row span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.aegis-bars .row span:last-child { white-space: nowrap; opacity: .75; }
.aegis-bars .track { height: .375rem; border-radius: .2rem; overflow: hidden;
  background: color-mix(in srgb, currentColor 14%, transparent); }
.aegis-bars .fill { height: 100%; border-radius: .2rem; }
.aegis-strip { display: flex; flex-direction: column; gap: .15rem; font-size: .8125rem; }
.aegis-strip img { width: 100%; image-rendering: pixelated; border-radius: .25rem; }
.aegis-strip > span { opacity: .75; }
.aegis-loss { padding-top: .5rem; } .aegis-strip .aegis-loss img { height: 5rem; display: block; }
.aegis-loss div { display: flex; justify-content: space-between; opacity: .75; }
</style>"""


def show_job(job: ScanJob, back: Callable[[], None]) -> None:
    """Shows a job that is not done: its progress, and a button to cancel it.

    Args:
        job: the job.
        back: leads to the settings that it was started with.
    """
    if job.state == "failed":
        complain(job.message, "Failed")
        st.caption("Nothing was concluded. Correct what is named above and scan again.")
    elif job.state == "cancelled":
        with st.container(border=True):
            st.badge("Cancelled", icon=":material/cancel:", color="gray")
            st.markdown("What was finished is kept: the same scan again goes on from there.")
    else:
        _live(job)
        return
    # Use a callback: a final fragment rerun could interrupt this page.
    st.button("Back to the settings", icon=":material/arrow_back:", type="primary", on_click=back)


@st.fragment(run_every=EVERY)
def _live(job: ScanJob) -> None:
    if job.over:
        st.rerun()
    view = _watch(job).view()
    head, stop = st.columns([5, 1], vertical_alignment="center")
    with head:
        show_whole(job, view)
    offer_cancel(stop, job, server_state().jobs, "cancel")
    if job.state == "queued":
        return
    with facts():
        for name, value in view.facts.items():
            fact(name, printable(value, 60))
        if view.measured is not None:
            fact("Accuracy", f"{view.measured.accuracy:.1%}", tip=ACCURACY)
            fact("Robust up to", robust_up_to(view.measured), tip=ROBUST)
    if view.measured is not None:
        _show_objections(view.measured)
    elif len(view.robust) > 1:
        _show_ladder(_so_far(view))
    if view.classes:
        st.html(STYLE + _bars(view))
        show_classes_running(view)


@st.fragment(run_every=EVERY)
def show_measuring(job: ScanJob) -> None:
    """Shows the progress of measuring accuracy and robustness, among the settings."""
    if job.over:
        st.rerun()
    head, stop = st.columns([5, 1], vertical_alignment="center")
    with head:
        if job.state == "queued":
            show_whole(job, _watch(job).view())
        else:
            view = _watch(job).view()
            st.progress(min(1.0, view.assessed), text=f"{view.saying}: {view.assessed:.0%}")
            if len(view.robust) > 1:
                _show_ladder(_so_far(view))
    offer_cancel(stop, job, server_state().jobs, "cancel-measuring")


@st.fragment(run_every=EVERY)
def show_making(job: Job[Any], is_named: bool) -> None:
    """Shows the progress of making references, among the settings.

    Args:
        job: makes them.
        is_named: whether to say of which images.
    """
    if job.over:
        st.rerun()
    view = _watch(job).view()
    head, stop = st.columns([6, 1] if is_named else [3, 1], vertical_alignment="center")
    with head:
        if is_named:
            st.text(f"References of {printable(view.title, 60)}")
        show_whole(job, view)
    offer_cancel(stop, job, server_state().jobs, "cancel-making")


def _watch(job: Job[Any]) -> Watch:
    assert isinstance(job.watch, Watch)
    return job.watch


def say_queued(ahead: int) -> str:
    """Says how many jobs come first, at least one."""
    return f"Queued behind {'one other job' if ahead == 1 else f'{ahead} other jobs'}."


def show_whole(job: Job[Any], view: View) -> None:
    """Shows how far a job is, what it does and how long it still takes; of a queued one, what it waits for."""
    if job.state == "queued":
        ahead = server_state().jobs.ahead(job)
        begins = f"{say_queued(ahead)} It starts by itself" if ahead else "It starts in a moment"
        st.progress(0.0, text=f"{begins}; this page may be closed and opened again.")
        return
    left = "" if view.seconds_left is None else f", {spoken(view.seconds_left)} left"
    st.progress(min(1.0, view.whole), text=f"{view.saying}: {view.whole:.0%}{left}")


def show_measured(measured: Applicability) -> None:
    """Shows accuracy and robustness, and why the model cannot be judged if that is so."""
    numbers, chart = st.columns([2, 3], vertical_alignment="center")
    with numbers:
        with st.container(horizontal=True, gap="large"):
            st.metric("Accuracy", f"{measured.accuracy:.1%}", help=ACCURACY, width="content")
            st.metric("Robust up to", robust_up_to(measured), help=ROBUST, width="content")
        _show_objections(measured)
    with chart:
        _show_ladder(measured)


def _show_ladder(measured: Applicability) -> None:
    rungs = "".join(f", {a:.0%} at {e:g}" for e, a in zip(measured.epsilons, measured.robust_accuracies))
    st.caption("Accuracy under attack")
    st.plotly_chart(
        ladder({"Accuracy": measured}, palette(st.context.theme.type)),
        key="ladder",
        config={"displayModeBar": False},
        alt=f"Accuracy under attack: {measured.accuracy:.0%} without{rungs}",
    )


def _so_far(view: View) -> Applicability:
    """The rungs of the ladder that are measured; its foot is always the first."""
    rungs = {budget: share for budget, share in view.robust.items() if budget > 0}
    return Applicability(view.robust[0.0], tuple(rungs), tuple(rungs.values()))


def _show_objections(measured: Applicability) -> None:
    for objection in objections(measured, VerdictConfig()):
        st.badge("No verdict of clean", icon=":material/warning:", color="orange")
        st.text(f"{capitalised(objection)}.")


def show_classes_running(view: View) -> None:
    """Shows images being translated into the classes examined now, with the loss."""
    running = [one for _, one in sorted(view.classes.items()) if one.share < 1 and one.frames is not None][:SHOWN]
    for column, one in zip(st.columns(SHOWN), running):
        with column, st.container(border=True, key=f"card-class-{one.label}"):
            st.text(f"{_name(view.class_names, one.label)}: {DOING.get(one.stage, one.stage)}")
            st.html(f'{STYLE}<div class="aegis-strip">{_strips(one)}{_loss(one)}</div>')


def _strips(one: ClassView) -> str:
    assert one.first is not None
    assert one.frames is not None
    strips = [("Seeds, images of other classes", one.first), ("The same images now", one.frames)]
    if one.pictured == "search":
        strips = [("The best trigger so far, on images of other classes", one.frames)]
    return "".join(
        f'<span>{title}</span><img src="{address(strip(frames))}" alt="{len(frames)} images: {title.lower()}">'
        for title, frames in strips
    )


def _loss(one: ClassView) -> str:
    colours = palette(st.context.theme.type)
    return loss_curve(one.curve, LOSS.get(one.stage, "Loss"), colours) if len(one.curve) > 1 else ""


def _bars(view: View) -> str:
    fill = palette(st.context.theme.type).less
    order = sorted(view.chosen, key=lambda label: _rank(view.classes.get(label)))
    shown = sorted(order[:BARS]) if len(order) > BARS else view.chosen
    rows = [_bar(view, label, fill) for label in shown]
    more = len(view.chosen) - len(rows)
    if more:
        rows.append(f'<div class="row"><span>and {more:,} more classes</span></div>')
    return f'<div class="aegis-bars">{"".join(rows)}</div>'


def _rank(one: ClassView | None) -> int:
    # Those that run first, then those that wait, then those that are done.
    return 1 if one is None else 2 if one.share >= 1 else 0


def _bar(view: View, label: int, fill: str) -> str:
    one = view.classes.get(label)
    share = one.share if one else 0.0
    if one is None:
        said = "waiting"
    elif share >= 1:
        said = f"best trigger turns {view.found[label]:.0%}" if label in view.found else "done"
    else:
        left = one.seconds_left(time.monotonic())
        said = f"{share:.0%}" + ("" if left is None else f", {max(1, round(left))} s left")
    name = html.escape(_name(view.class_names, label))
    return (
        f'<div><div class="row"><span title="{name}">{name}</span><span>{said}</span></div>'
        f'<div class="track" role="progressbar" aria-label="{name}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share * 100:.0f}">'
        f'<div class="fill" style="width:{share:.1%};background:{fill}"></div></div></div>'
    )


def _name(class_names: Sequence[str], label: int) -> str:
    return numbered(label, class_names[label]) if label < len(class_names) else str(label)
