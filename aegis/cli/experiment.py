"""``--scale``: runs what a table or figure is made from, before it is shown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

from aegis.cli.options import choice
from aegis.cli.remembered import remembered
from aegis.core.errors import ConfigError
from aegis.core.text import count_of
from aegis.experiments.paper.needs import Need, Scale

if TYPE_CHECKING:
    from aegis.cli.output import Printer
    from aegis.experiments.paper.records import Records
    from aegis.experiments.paper.runs import Experiment

SCALES = get_args(Scale)
ScaleOption = Annotated[
    str | None,
    choice(
        "--scale",
        SCALES,
        "First run what it is made from: smoke, in seconds, on a few suspects with the smallest settings, to see that "
        "it runs; small, what is missing of the records here; or paper, with models trained as in the paper, on a GPU. "
        "Without it, nothing is run.",
    ),
]


def records_for(
    title: str, needs: tuple[Need, ...], scale: str | None, training: str, results: Path, out: Printer
) -> Records:
    """Runs what a table or figure is made from, if a scale is given, and gives the records to make it from.

    Args:
        title: of the table or figure.
        needs: its runs.
        scale: one of ``SCALES``, or None to run nothing.
        training: the preset that models were trained with, where no scale says it.
        results: folder of all results.
        out: prints a line for each run.

    Raises:
        ConfigError: if scale and training contradict each other.
        AegisError: for the first run that fails.
    """
    from aegis.experiments.paper.records import Records
    from aegis.experiments.paper.runs import Experiment

    if scale is None:
        return Records(training, results)
    experiment = Experiment(needs=needs, scale=cast("Scale", scale), base=results)
    if training not in ("quick", experiment.training):
        raise ConfigError(f"no --training beside --scale {scale}", training, "Leave one of them out.")
    if not needs:
        out.note(f"{title} needs no run: --scale {scale} has nothing to do.")
        return Records(experiment.training, results)
    _run(title, experiment, out)
    return experiment.records()


def _run(title: str, experiment: Experiment, out: Printer) -> None:
    began, computed = time.monotonic(), 0
    with remembered(title, experiment.results):
        for what, now in experiment.run():
            if now:
                computed += 1
                out.say(f"{what}: done after {time.monotonic() - began:.0f} s")
    out.note(f"{title}, scale {experiment.scale}: {computed} of {count_of(experiment.runs, 'run')} computed now.")
    out.line()
