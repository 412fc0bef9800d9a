"""``aegis train``: make a suspect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aegis.cli.options import Device, PrecisionOption, Quiet, Seed, numbers
from aegis.cli.output import print_values
from aegis.cli.progress import progress_bar
from aegis.data import SOURCES
from aegis.errors import ConfigError

if TYPE_CHECKING:
    from aegis.lab.triggers import Workbench
    from aegis.types import Dataset

How = Literal["append", "replace"]
TRIGGER_HELP = "localised, distributed, static or adversarial; none for a clean model."


def train(
    out: Annotated[Path, typer.Argument(help="Where to write the checkpoint, as safetensors.")],
    data: Annotated[
        str, typer.Option(help=f"One of {', '.join(SOURCES)}, an NPZ file or a folder.")
    ] = "samples:fashion_mnist",
    arch: Annotated[str, typer.Option(help="As in aegis scan.")] = "aegis:cnn32",
    preset: Annotated[str, typer.Option(help="paper (Section 5.1) or quick (minutes on two cores).")] = "quick",
    standard: Annotated[bool, typer.Option("--standard", help="Train without attacks.")] = False,
    epochs: Annotated[int | None, typer.Option(help="Replaces the preset's.")] = None,
    attack_epsilon: Annotated[float | None, typer.Option(help="Budget of the training attack.")] = None,
    norm: Annotated[Literal["l2", "linf"] | None, typer.Option(help="Of the training attack.")] = None,
    trigger: Annotated[str | None, typer.Option(help=TRIGGER_HELP, show_default=False)] = None,
    target: Annotated[int, typer.Option(help="The class triggered images are labelled as.", min=0)] = 7,
    rate: Annotated[float | None, typer.Option(help="Share of poisoned images; by default the paper's.")] = None,
    how: Annotated[How, typer.Option(help="Poisoned copies are appended, or replace the originals.")] = "append",
    size: Annotated[int | None, typer.Option(help="Side of the trigger's squares, in pixels.")] = None,
    row: Annotated[int | None, typer.Option(help="Their row.")] = None,
    column: Annotated[int | None, typer.Option(help="Their column.")] = None,
    colour: Annotated[str | None, typer.Option(help="One value in [0, 1] per channel, comma-separated.")] = None,
    intensity: Annotated[float | None, typer.Option(help="Brightness, amplitude or L2 norm of the trigger.")] = None,
    trigger_model: Annotated[Path | None, typer.Option(help="Clean model the adversarial trigger is made on.")] = None,
    half: Annotated[bool, typer.Option("--half", help="Store weights in half precision.")] = False,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Train a robust model, with or without a backdoor, and write what was done into its card.

    Interrupted at any moment, the same command goes on from its last finished epoch.

        aegis train clean.safetensors --data fashion_mnist
        aegis train infected.safetensors --data fashion_mnist --trigger localised --target 7
        aegis train paper.safetensors --data cifar10 --arch aegis:resnet50 --preset paper --device cuda
    """
    from aegis.data import load_dataset
    from aegis.lab.recipes import recipe_for
    from aegis.lab.suspect import Order, make_suspect
    from aegis.lab.triggers import TriggerSpec
    from aegis.runtime import choose_runtime

    _check(out)
    images = load_dataset(data)
    recipe = recipe_for(preset, images.name.removeprefix("samples:"), robust=not standard)
    recipe = replace(
        recipe,
        epochs=recipe.epochs if epochs is None else epochs,
        epsilon=recipe.epsilon if attack_epsilon is None else attack_epsilon,
        norm=recipe.norm if norm is None else norm,
    )
    spec = None
    if trigger is not None:
        spec = TriggerSpec(
            kind=trigger,
            target=target,
            size=size,
            row=row,
            column=column,
            colour=numbers(colour, "--colour"),
            intensity=intensity,
        )
    order = Order(architecture=arch, recipe=recipe, preset=preset, trigger=spec, rate=rate, how=how, seed=seed)
    runtime = choose_runtime(device, precision)
    workbench = None if trigger_model is None else _workbench(trigger_model, images)
    with progress_bar("training", quiet) as report:
        card = make_suspect(out, order, images, runtime=runtime, workbench=workbench, half=half, report=report)
    assert card.truth is not None
    print_values(f"{out}", card.truth.metrics)


def _check(out: Path) -> None:
    """Refuse before hours of work what could not be written after it."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ConfigError("a file in a folder that exists", str(out), "Choose another path.")


def _workbench(checkpoint: Path, images: Dataset) -> Workbench:
    from aegis.cli.suspects import load
    from aegis.lab.triggers import Workbench

    return Workbench(load(checkpoint, images, None, None, None).classifier, images.train)
