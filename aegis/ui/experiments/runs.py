"""Where the numbers of a table or figure come from: what is recorded, or a smoke test; and running what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.text import count_of
from aegis.experiments.paper import needs
from aegis.experiments.paper.needs import Need, Scale
from aegis.ui.components.live import EVERY, show_whole
from aegis.ui.components.running import offer_cancel, show_running
from aegis.ui.components.widgets import LINKS, complain
from aegis.ui.experiments.work import ExperimentWatch, compute_apart
from aegis.ui.jobs import Job
from aegis.ui.session import find_own_job, server_state, start_job

if TYPE_CHECKING:
    from aegis.experiments.paper.records import Records
    from aegis.experiments.paper.runs import Experiment

# Seconds for which what was read of the records is shown again.
FRESH = 60
# Parameters of the address.
SCALE, RUN = "scale", LINKS["experiment"][1]
SOURCES: dict[Scale, str] = {"small": "Recorded here", "smoke": "Smoke test"}
ABOUT: dict[Scale, str] = {
    "small": "Each takes minutes to hours on a processor. What is finished is kept, so it may be cancelled.",
    "smoke": "A few suspects with the smallest settings: about a minute on a processor. It shows that the experiment "
    "runs; its numbers say nothing of the method.",
}
HELP = f"Smoke test: {ABOUT['smoke'][:1].lower()}{ABOUT['smoke'][1:]}"


@dataclass(frozen=True)
class Source:
    """Records of one scale.

    Args:
        shown: the table or figure, by its name in the address.
        scale: *small*, which is what is recorded, or *smoke*.
        stamp: id of the latest run that has ended, so that what was read before it is read anew.
    """

    shown: str
    scale: Scale = "small"
    stamp: str = ""

    @property
    def needs(self) -> tuple[Need, ...]:
        """The runs that it is made from."""
        kind, _, number = self.shown.partition("-")
        return (needs.FIGURES if kind == "figure" else needs.TABLES).get(number or kind, ())

    @property
    def option(self) -> str:
        """What the command line is given to show the same."""
        return "" if self.scale == "small" else f" --scale {self.scale}"

    @property
    def title(self) -> str:
        """Names the experiment."""
        kind, _, number = self.shown.partition("-")
        return f"{kind.capitalize()} {number}".strip() + f", {SOURCES[self.scale].lower()}"

    def experiment(self) -> Experiment:
        """The runs behind it."""
        from aegis.experiments.paper.runs import Experiment

        return Experiment(needs=self.needs, scale=self.scale)

    def records(self) -> Records:
        """The records to make it from."""
        return self.experiment().records()


def choose_source(shown: str, place: DeltaGenerator) -> Source | None:
    """Shows where numbers come from, and what runs for them; a smoke test that was not made yet is offered at once.

    Args:
        shown: the table or figure, by its name in the address.
        place: where the choice is shown.

    Returns:
        The source; None while there is nothing to show of it.
    """
    if not Source(shown).needs:
        return Source(shown)
    scale = _choose_scale(shown, place)
    job = find_own_job(st.query_params.get(RUN, ""), "experiment")
    show_running({job.id} if job else ())
    if job is not None and not _is_of(job.watch, Source(shown, scale)):
        job = None
    source = Source(shown, scale, job.id if job and job.over else "")
    if job is not None and not job.over:
        _live(job)
        return source if scale == "small" else None
    if job is not None:
        _show_end(job)
    if scale == "smoke" and offer_missing(source):
        return None
    return source


def offer_missing(source: Source) -> bool:
    """Offers to run what is missing, unless it runs.

    Args:
        source: the records.

    Returns:
        Whether anything is missing.
    """
    running = any(_is_of(job.watch, source) for job in server_state().jobs.unfinished())
    missing = _missing(source) if source.needs and not running else 0
    if missing:
        _offer(source, missing)
    return missing > 0


def own_run() -> ExperimentWatch | None:
    """Finds what the address says that runs, or ran."""
    job = find_own_job(st.query_params.get(RUN, ""), "experiment")
    return job.watch if job is not None and isinstance(job.watch, ExperimentWatch) else None


def _choose_scale(shown: str, place: DeltaGenerator) -> Scale:
    run = own_run()
    usual = run.experiment.scale if run is not None and run.shown == shown else ""
    key, wanted = f"experiments-scale-{shown}", st.query_params.get(SCALE, usual)
    if key not in st.session_state:
        st.session_state[key] = wanted if wanted in SOURCES else "small"
    scale: Scale = place.radio(
        "Our numbers", list(SOURCES), format_func=SOURCES.__getitem__, key=key, horizontal=True, help=HELP
    )
    if scale == "small":
        st.query_params.pop(SCALE, None)
    else:
        st.query_params[SCALE] = scale
    return scale


def _is_of(watch: object, source: Source) -> bool:
    if not isinstance(watch, ExperimentWatch):
        return False
    return (watch.shown, watch.experiment.scale) == (source.shown, source.scale)


@st.cache_data(ttl=FRESH, show_spinner="Looking for what was run")
def _missing(source: Source) -> int:
    return source.experiment().missing()


def _offer(source: Source, missing: int) -> None:
    experiment = source.experiment()
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="card-experiment"):
        st.button(
            "Run it" if source.scale == "smoke" else "Run what is missing",
            icon=":material/play_arrow:",
            type="primary" if source.scale == "smoke" else "secondary",
            key="experiments-run",
            on_click=_start,
            args=(source,),
        )
        said = f"{missing} of {count_of(experiment.runs, 'run')} missing. " if source.scale == "small" else ""
        st.caption(f"{said}{ABOUT[source.scale]}")


def _start(source: Source) -> None:
    """Queues an experiment among the scans, unless it waits or runs already."""
    job = next((one for one in server_state().jobs.unfinished() if _is_of(one.watch, source)), None)
    if job is None:
        watch = ExperimentWatch(
            title=source.title, kind="experiment", shown=source.shown, experiment=source.experiment()
        )
        job = start_job(lambda report: compute_apart(watch.experiment, report, watch), watch)
    st.query_params[RUN] = job.id


@st.fragment(run_every=EVERY)
def _live(job: Job[object]) -> None:
    if job.over:
        st.rerun()
    assert isinstance(job.watch, ExperimentWatch)
    with st.container(border=True, key="card-experiment"):
        head, stop = st.columns([5, 1], vertical_alignment="center")
        with head:
            show_whole(job, job.watch.view())
        offer_cancel(stop, job, server_state().jobs, "cancel-experiment")


def _show_end(job: Job[object]) -> None:
    if job.state == "failed":
        complain(job.message, "Failed")
    elif job.state == "cancelled":
        st.badge("Cancelled: what was finished is kept", icon=":material/cancel:", color="gray")
