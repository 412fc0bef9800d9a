"""The positive control: plants a backdoor in a copy of a model and tests whether the scan detects it."""

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

# A few epochs suffice, since the model already knows these images.
RECIPE = Recipe(epochs=2, lr=0.05, schedule="one-cycle", step=0.3, iterations=2)
RATE = 0.2
# Training is repeated until the trigger works on nearly all images, since a weak trigger would prove little.
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
    """Plants a small checkerboard in a copy of a model and scans the copy for it.

    Position, colour and class are drawn from the scan's seed. If the copy is not flagged, a *clean* verdict about this
    model means little.

    Args:
        suspect: the model; it is not changed.
        data: its images; the backdoor is trained on the training split.
        config: settings of the scan.
        labels: the classes that were scanned; None for all.
        avoid: classes that are flagged already, which are not chosen as target.
        runtime: device and precision; None for the fastest of this machine.
        report: receives events of stage ``train`` and of a scan of one class; may raise ``Cancelled``.

    Returns:
        The trigger, its success, and whether it was detected.
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
    # The copy has no file, so its digest is marked, to be different from the suspect's.
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
    """Draws a small checkerboard of black and a random colour, with random position and target.

    Args:
        data: the data set.
        seed: seed of the draw.
        labels: the classes that were scanned; None for all.
        avoid: classes not chosen as target, unless no other class was scanned.

    Returns:
        The specification of the trigger.
    """
    generator = numpy_generator(seed, 0)
    channels, height, width = data.shape
    scanned = list(labels or range(len(data.class_names)))
    targets = [k for k in scanned if k not in avoid] or scanned
    colour = generator.integers(0, 2, channels)
    # At least one channel is bright, since a black checkerboard would be a plain square.
    colour[generator.integers(channels)] = 1
    return TriggerSpec(
        # A plain square would be invisible on images of its colour.
        kind="checkerboard",
        target=int(generator.choice(targets)),
        size=SIDE,
        row=int(generator.integers(height - SIDE + 1)),
        column=int(generator.integers(width - SIDE + 1)),
        colour=tuple(map(float, colour)),
    )
