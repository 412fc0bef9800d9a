"""An experiment in a process of its own, and how far it is; no Streamlit here, and torch is imported only inside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aegis.core.runtime import Event
from aegis.core.text import count_of
from aegis.fleet.apart import Tell, calling, run_apart
from aegis.store.store import Store
from aegis.ui.jobs import Reporter
from aegis.ui.watch import Watch

if TYPE_CHECKING:
    from aegis.experiments.paper.runs import Experiment

AGAIN = "Run the same experiment again on the Experiments page."


@dataclass
class ExperimentWatch(Watch):
    """Collects what is told of an experiment; safe to read from another thread.

    Args:
        shown: the table or figure, by its name in the address.
        experiment: the runs.
    """

    shown: str = field(kw_only=True)
    experiment: Experiment = field(kw_only=True)


def compute_apart(experiment: Experiment, report: Reporter, watch: ExperimentWatch) -> int:
    """Runs what is missing of an experiment in another process.

    Args:
        experiment: the runs.
        report: of the job, which ends the process when it is cancelled; what was finished is kept.
        watch: collects progress for the page.

    Returns:
        How many runs were computed now.

    Raises:
        AegisError: if one cannot be computed, or the process ends by itself.
    """
    watch.know((), (), tries=False)
    watch.say("Looking for what is kept")
    hear = calling(report=report, say=watch.say, wait=lambda: None)

    digest = hashlib.sha256(f"{watch.shown} {experiment.scale}".encode()).hexdigest()
    with Store().working("experiment", watch.title, digest, AGAIN):
        return run_apart(partial(_work, experiment), hear, report.check)


def _work(experiment: Experiment, tell: Tell) -> int:
    computed, runs = 0, experiment.runs
    tell(("say", ("Computing the first run",)))
    for number, (what, now) in enumerate(experiment.run(apart=True, tick=lambda: tell(("wait", ()))), 1):
        computed += now
        tell(("report", (Event(stage="experiment", step=number, total=runs),)))
        tell(("say", (f"{number} of {count_of(runs, 'run')} there, the last one: {what}",)))
    return computed
