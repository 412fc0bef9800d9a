"""A training in a process of its own, and how far it is; no Streamlit here, and torch is imported only inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aegis.core.runtime import Event
from aegis.fleet.apart import Tell, calling, run_apart
from aegis.models.card import Card
from aegis.services.training import TrainingPlan, make
from aegis.store.store import Store
from aegis.ui.jobs import Reporter
from aegis.ui.suspects import lab_folder
from aegis.ui.watch import Curve, Watch, computed_on, thinned

if TYPE_CHECKING:
    from aegis.lab.measure import Milestone

AGAIN = "Train the same model again on the Attack Lab page."


@dataclass
class TrainingWatch(Watch):
    """Collects what is told of a training; safe to read from another thread.

    Args:
        plan: the training.
    """

    plan: TrainingPlan = field(kw_only=True)
    curve: Curve = ()
    milestones: tuple[Milestone, ...] = ()

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if event.loss is not None:
            self.curve = thinned((*self.curve, (event.step, event.loss)))

    def reach(self, milestone: Milestone) -> None:
        """Notes how good the model is after an epoch."""
        self.milestones = (*self.milestones, milestone)


def train_apart(plan: TrainingPlan, report: Reporter, watch: TrainingWatch) -> Card:
    """Trains a suspect in another process.

    Args:
        plan: which suspect.
        report: of the job, which ends the process when it is cancelled; what was finished is kept.
        watch: collects progress for the page.

    Returns:
        The card of the suspect.

    Raises:
        AegisError: if something does not fit, or the process ends by itself.
    """
    watch.know((), (), tries=False)
    watch.say("Training")
    hear = calling(report=report, reach=watch.reach, note=watch.note)

    with Store().working("training", plan.name, plan.digest, AGAIN):
        return run_apart(partial(_work, plan), hear, report.check)


def _work(plan: TrainingPlan, tell: Tell) -> Card:
    from aegis.core.runtime import choose_runtime

    runtime = choose_runtime()
    tell(("note", computed_on(runtime)))
    return make(
        plan,
        lab_folder(),
        runtime,
        lambda event: tell(("report", (event,))),
        lambda milestone: tell(("reach", (milestone,))),
    )
