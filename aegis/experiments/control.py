"""The positive control: would this scan have seen a backdoor in this very model? One is planted in a copy of it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from aegis.core.runtime import Report, Runtime, choose_runtime, numpy_generator, silent
from aegis.core.types import Dataset
from aegis.detect.scan import scan
from aegis.lab.poison import poison
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.lab.triggers import TriggerSpec, make_trigger
from aegis.metrics import accuracy, attack_success
from aegis.models.load import Suspect
from aegis.records.config import ScanConfig
from aegis.records.record import ControlRecord

# A few passes over images that the model knows already.
RECIPE = Recipe(epochs=2, lr=0.05, schedule="one-cycle", step=0.3, iterations=2)
RATE = 0.2
# So often it is trained on, until the trigger works on nearly all images: one that hardly works tells little.
ROUNDS = 8
WORKS = 0.8
SIDE = 4


def positive_control(
    suspect: Suspect,
    data: Dataset,
    config: ScanConfig,
    *,
    labels: Sequence[int] | None = None,
    avoid: Sequence[int] = (),
    runtime: Runtime | None = None,
    report: Report = silent,
) -> ControlRecord:
    """Plant a small checkerboard in a copy of a suspect and scan the copy for it.

    Place, colour and class are drawn from the scan's seed. Whether the copy was flagged tells whether a *clean* would
    have been worth anything.

    Args:
        suspect: the model; it is not changed.
        data: its images; the trigger is planted with the training split.
        config: settings of the scan.
        labels: the classes that were scanned; all by default.
        avoid: classes that are flagged already.
        runtime: device and precision.
        report: told of stages ``train`` and those of a scan of one class; may raise ``Cancelled``.
    """
    runtime = runtime or choose_runtime()
    spec = draw_trigger(data, config.gather.seed, labels, avoid)
    stamp = make_trigger(spec, data.shape)
    poisoned = poison(data.train, stamp, spec.goal, rate=RATE, seed=config.gather.seed)
    infected = copy.deepcopy(suspect.classifier)
    for round_ in range(ROUNDS):
        train(infected, poisoned, RECIPE, seed=round_, runtime=runtime, report=report)
        works = attack_success(infected.frozen(runtime), stamp, data.test, spec.goal)
        if works.lift >= WORKS:
            break
    # The copy's file does not exist; its digest must not be taken for the suspect's.
    result = scan(
        replace(suspect, classifier=infected.cpu(), sha256=f"{suspect.sha256} control"),
        data,
        config,
        labels=[spec.target],
        runtime=runtime,
        report=report,
    )
    found = result.classes[0].record
    strongest = None if found.strongest is None else found.triggers[found.strongest]
    return ControlRecord(
        target=spec.target,
        trigger=spec.options,
        lift=round(works.lift, 4),
        accuracy=round(accuracy(infected.frozen(runtime), data.test), 4),
        planted=works.lift >= WORKS,
        seen=found.flagged,
        score=None if strongest is None else strongest.score,
        p_value=found.p_value,
    )


def draw_trigger(
    data: Dataset, seed: int, labels: Sequence[int] | None = None, avoid: Sequence[int] = ()
) -> TriggerSpec:
    """A small checkerboard at a random place, in a random colour and black, for a random class of these."""
    generator = numpy_generator(seed, 0)
    channels, height, width = data.shape
    scanned = list(labels or range(len(data.class_names)))
    targets = [k for k in scanned if k not in avoid] or scanned
    colour = generator.integers(0, 2, channels)
    # Black and black would be no checkerboard.
    colour[generator.integers(channels)] = 1
    return TriggerSpec(
        # A square of one colour cannot be seen on images of that colour.
        kind="checkerboard",
        target=int(generator.choice(targets)),
        size=SIDE,
        row=int(generator.integers(height - SIDE + 1)),
        column=int(generator.integers(width - SIDE + 1)),
        colour=tuple(map(float, colour)),
    )
