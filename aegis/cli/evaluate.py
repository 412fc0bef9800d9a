"""``aegis evaluate``: the numbers of Table 5 for one model."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from aegis.cli.options import Arch, Checkpoint, Data, Device, Normalisation, PrecisionOption, Quiet
from aegis.cli.output import print_values
from aegis.cli.progress import progress_bar


def evaluate(
    checkpoint: Checkpoint,
    arch: Arch = None,
    data: Data = None,
    epsilon: Annotated[float, typer.Option(help="L2 budget of the attack.")] = 0.5,
    step: Annotated[float, typer.Option(help="Length of its steps.")] = 1.5,
    iterations: Annotated[int, typer.Option(help="Its steps.")] = 20,
    mean: Normalisation = None,
    std: Normalisation = None,
    device: Device = "auto",
    precision: PrecisionOption = "fp32",
    json: Annotated[Path | None, typer.Option(help="Write the numbers as JSON to this file.")] = None,
    quiet: Quiet = False,
) -> None:
    """Measure accuracy, adversarial precision and, where the card knows the trigger, attack success.

    Adversarial precision is the paper's: L2 PGD that keeps its best image, without restarts. Attack success is
    given over all test images, as in the paper, and over images of other classes, with the lift over how often
    these are called the target without a trigger.

        aegis evaluate assets/models/suspect-a.safetensors
        aegis evaluate suspect.safetensors --data fashion_mnist
    """
    from aegis.cli.suspects import images_for, load
    from aegis.evaluate import accuracy, attack_success, robust_accuracy
    from aegis.files import write_text
    from aegis.models.card import read_truth
    from aegis.runtime import Event, choose_runtime
    from aegis.types import Stage

    stage = Stage(epsilon=epsilon, step=step, iterations=iterations)
    images = images_for(checkpoint, data)
    suspect = load(checkpoint, images, arch, mean, std)
    classifier = suspect.classifier.frozen(choose_runtime(device, precision))
    found = {"accuracy": accuracy(classifier, images.test)}
    with progress_bar("attacking", quiet) as report:

        def tell(done: int, total: int) -> None:
            report(Event(stage="attack", step=done, total=total))

        found["adversarial_precision"] = robust_accuracy(classifier, images.test, stage, tell=tell)
    truth = read_truth(checkpoint)
    stamp = truth.trigger.stamp if truth and truth.trigger else None
    if truth and truth.trigger and stamp:
        success = attack_success(classifier, stamp, images.test, truth.trigger.target)
        found |= {f"attack_success_{name}": value for name, value in asdict(success).items()}
    if json is not None:
        write_text(json, jsonlib.dumps(found, indent=2) + "\n")
    print_values(f"{len(images.test)} test images of {images.name}", found)
