"""``aegis evaluate``: the numbers of Table 5 for one model."""

from __future__ import annotations

import json as jsonlib
from typing import Annotated

import typer

from aegis.cli.options import (
    Arch,
    Channels,
    Checkpoint,
    Data,
    Device,
    Entry,
    Json,
    Mean,
    PrecisionOption,
    Quiet,
    Size,
    Std,
    finite,
)
from aegis.cli.output import print_values
from aegis.cli.progress import progress_bar, waiting
from aegis.cli.suspects import images_for, load
from aegis.core.files import write_text
from aegis.core.runtime import Event, choose_runtime
from aegis.core.types import Stage
from aegis.models.card import read_truth

# Their defaults, the paper's, are shown.
Epsilon = Annotated[
    float,
    typer.Option(metavar="E", callback=finite("--epsilon"), help="How far the attack may change an image (L2 norm)."),
]
Step = Annotated[float, typer.Option(metavar="S", callback=finite("--step"), help="Length of one step of the attack.")]
Iterations = Annotated[int, typer.Option(metavar="N", help="Its steps.")]


def evaluate(
    checkpoint: Checkpoint,
    arch: Arch = None,
    data: Data = None,
    epsilon: Epsilon = 0.5,
    step: Step = 1.5,
    iterations: Iterations = 20,
    mean: Mean = None,
    std: Std = None,
    entry: Entry = None,
    size: Size = None,
    channels: Channels = None,
    device: Device = "auto",
    precision: PrecisionOption = "fp32",
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Measure how good a model is: accuracy, adversarial precision, and attack success where its trigger is known.

    Examples:

        aegis evaluate suspect.safetensors
        aegis evaluate suspect.safetensors --data fashion_mnist

    Adversarial precision is the paper's name for accuracy under attack (projected gradient descent that keeps its
    best image, without restarts). Attack success is the share of images with the trigger on them that are called
    the target: of all test images, as in the paper; of those of other classes; and the lift, which is how much
    more often that is than without the trigger. The trigger is read from the card.
    """
    from aegis.lab.measure import measure_backdoors
    from aegis.metrics import accuracy, robust_accuracy
    from aegis.services.normalisation import check_normalisation

    stage = Stage(epsilon=epsilon, step=step, iterations=iterations)
    images = images_for(checkpoint, data, size, channels, quiet)
    with waiting("loading", quiet):
        suspect = load(checkpoint, images, arch, mean, std, entry, quiet)
        runtime = choose_runtime(device, precision)
        check_normalisation(suspect, images, runtime, typed=(mean, std) != (None, None))
        classifier = suspect.classifier.frozen(runtime)
        found = {"accuracy": accuracy(classifier, images.test)}
    with progress_bar("attacking", quiet) as report:

        def tell(done: int, total: int) -> None:
            report(Event(stage="attack", step=done, total=total))

        found["adversarial_precision"] = robust_accuracy(classifier, images.test, stage, tell=tell)
    truth = read_truth(checkpoint)
    found |= measure_backdoors(classifier, images.test, truth.backdoors if truth else ())
    if json is not None:
        write_text(json, jsonlib.dumps(found, indent=2) + "\n")
    print_values(f"{len(images.test)} test images of {images.name}", found)
