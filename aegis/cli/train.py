"""``aegis train``: make a suspect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_args

import typer

from aegis.cli.options import (
    MORE,
    Device,
    PrecisionOption,
    Quiet,
    Seed,
    finite,
    numbers,
    one_of,
    writable,
)
from aegis.cli.output import print_values
from aegis.cli.progress import progress_bar, waiting
from aegis.cli.suspects import load
from aegis.data import DEFAULT_SOURCE, SOURCES, load_dataset
from aegis.lab.poison import How
from aegis.lab.recipes import RECIPES, Recipe, recipe_for
from aegis.lab.triggers import TRIGGERS, TriggerSpec, Workbench
from aegis.runtime import choose_runtime
from aegis.types import Dataset, Norm

BACKDOOR = "The backdoor"
RECIPE = "Instead of the preset's recipe"


def train(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT.safetensors",
            callback=writable("OUT.safetensors"),
            help="The checkpoint to write.",
            show_default=False,
        ),
    ],
    data: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help=f"Images: {', '.join(SOURCES)}; an NPZ file; or a folder or archive with one sub-folder per class.",
        ),
    ] = DEFAULT_SOURCE,
    arch: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="aegis:cnn16, aegis:cnn32, aegis:resnet18, aegis:resnet50, torchvision:NAME, timm:NAME, or "
            "module:factory for your own code, which is run.",
        ),
    ] = "aegis:cnn32",
    preset: Annotated[
        str,
        typer.Option(
            metavar="|".join(RECIPES),
            callback=one_of(RECIPES, "--preset"),
            help="paper trains as published (about 100 epochs, for a GPU); quick takes minutes on two cores.",
        ),
    ] = "quick",
    device: Device = "auto",
    seed: Seed = 0,
    trigger: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(TRIGGERS),
            callback=one_of(TRIGGERS, "--trigger"),
            help="Which trigger to plant: one square, two squares, a faint grid, or a small perturbation that fools "
            "another model. Without it, the model is clean.",
            show_default=False,
            rich_help_panel=BACKDOOR,
        ),
    ] = None,
    target: Annotated[
        int, typer.Option(metavar="N", help="The class it leads to.", min=0, rich_help_panel=BACKDOOR)
    ] = 7,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            callback=finite("--rate"),
            help="Poisoned images for each clean one. Without it, the paper's: 0.01 for squares, 0.3 for the others.",
            show_default=False,
            rich_help_panel=BACKDOOR,
        ),
    ] = None,
    how: Annotated[
        How,
        typer.Option(
            metavar="|".join(get_args(How)),
            help="Whether poisoned copies are put beside the clean images or in their place.",
            rich_help_panel=BACKDOOR,
        ),
    ] = "append",
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", help="Side of a square.", min=1, show_default=False, rich_help_panel=BACKDOOR),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Row of a square's upper edge.", min=0, show_default=False, rich_help_panel=BACKDOOR
        ),
    ] = None,
    column: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Column of a square's left edge.", min=0, show_default=False, rich_help_panel=BACKDOOR
        ),
    ] = None,
    colour: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS",
            help="Colour of a square, a number in 0 to 1 for each channel: 1,0,0.",
            show_default=False,
            rich_help_panel=BACKDOOR,
        ),
    ] = None,
    intensity: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            callback=finite("--intensity"),
            help="Brightness of a square or of the grid, in 0 to 1; L2 norm of the perturbation.",
            show_default=False,
            rich_help_panel=BACKDOOR,
        ),
    ] = None,
    trigger_model: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT",
            help="The clean model that the adversarial trigger is made to fool.",
            show_default=False,
            rich_help_panel=BACKDOOR,
        ),
    ] = None,
    standard: Annotated[
        bool, typer.Option("--standard", help="Train without attacks: not robust.", rich_help_panel=RECIPE)
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Passes over the images.", show_default=False, rich_help_panel=RECIPE),
    ] = None,
    attack_epsilon: Annotated[
        float | None,
        typer.Option(
            metavar="E",
            callback=finite("--attack-epsilon"),
            help="How far the training attack may change an image.",
            show_default=False,
            rich_help_panel=RECIPE,
        ),
    ] = None,
    norm: Annotated[
        Norm | None,
        typer.Option(
            metavar="|".join(get_args(Norm)),
            help="How that distance is measured.",
            show_default=False,
            rich_help_panel=RECIPE,
        ),
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Store the weights in half precision.", rich_help_panel=MORE)
    ] = False,
    precision: PrecisionOption = "auto",
    quiet: Quiet = False,
) -> None:
    """Train a robust model, with or without a backdoor, and write what was done into its card.

    Examples:

        aegis train clean.safetensors --data fashion_mnist
        aegis train bad.safetensors --data fashion_mnist --trigger localised
        aegis train paper.safetensors --data cifar10 --arch aegis:resnet50 \\
            --preset paper --device cuda

    Robust means trained under attack (projected gradient descent), which AEGIS needs. What was finished is kept
    after each epoch in OUT.safetensors.partial: interrupted at any moment, the same command goes on from there.
    """
    from aegis.lab.suspect import Order, make_suspect

    spec = None
    if trigger is not None:
        shade = numbers(colour, "--colour")
        spec = TriggerSpec(
            kind=trigger, target=target, size=size, row=row, column=column, colour=shade, intensity=intensity
        )
    runtime = choose_runtime(device, precision)
    with waiting("reading images", quiet):
        images = load_dataset(data)
        workbench = None if trigger_model is None else _workbench(trigger_model, images)
    recipe = _recipe(preset, images, standard, epochs=epochs, epsilon=attack_epsilon, norm=norm)
    order = Order(
        architecture=arch,
        recipe=recipe,
        preset=preset,
        trigger=spec,
        rate=rate,
        how=how,
        seed=seed,
    )
    with progress_bar("training", quiet, after="measuring") as report:
        card = make_suspect(out, order, images, runtime=runtime, workbench=workbench, half=half, report=report)
    assert card.truth is not None
    print_values(f"{out}", card.truth.metrics)


def _recipe(preset: str, images: Dataset, standard: bool, **instead: object) -> Recipe:
    recipe = recipe_for(preset, images.name.removeprefix("samples:"), robust=not standard)
    return replace(recipe, **{name: value for name, value in instead.items() if value is not None})  # type: ignore[arg-type]


def _workbench(checkpoint: Path, images: Dataset) -> Workbench:
    return Workbench(load(checkpoint, images, None, None, None).classifier, images.train)
