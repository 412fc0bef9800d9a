"""``aegis train``: make a suspect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from aegis.cli.options import (
    MORE,
    Device,
    PrecisionOption,
    Quiet,
    Seed,
    choice,
    flag,
    number,
    numbers,
    option,
    writable,
)
from aegis.cli.output import print_values
from aegis.cli.progress import progress_bar, waiting
from aegis.cli.remembered import remembered
from aegis.cli.suspects import load
from aegis.core.errors import ConfigError
from aegis.core.runtime import choose_runtime
from aegis.core.types import Dataset, Norm
from aegis.data import DEFAULT_SOURCE, SOURCES, load_dataset
from aegis.lab.poison import How
from aegis.lab.recipes import RECIPES, Recipe, recipe_for
from aegis.lab.triggers import TRIGGERS, TriggerContext, TriggerSpec

BACKDOOR = "The backdoor"
RECIPE = "Instead of the preset's recipe"

Out = Annotated[
    Path,
    typer.Argument(
        metavar="OUT.safetensors",
        callback=writable("OUT.safetensors"),
        help="The checkpoint to write.",
        show_default=False,
    ),
]
Data = Annotated[
    str,
    typer.Option(
        metavar="SOURCE",
        help=f"Images: {', '.join(SOURCES)}; an NPZ file; or a folder or archive with one sub-folder per class.",
    ),
]
Arch = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="aegis:cnn16, aegis:cnn32, aegis:resnet18, aegis:resnet50, aegis:plain, aegis:strided, aegis:lenet, "
        "aegis:vgg, aegis:preact, aegis:wide, aegis:vit, aegis:mlp, one of aegis/models/published, torchvision:NAME, "
        "timm:NAME, or module:factory for your own code, which is run.",
    ),
]
Preset = Annotated[
    str,
    choice(
        "--preset",
        RECIPES,
        "paper trains as published (about 100 epochs, for a GPU); quick takes minutes on two cores.",
    ),
]
Trigger = Annotated[
    str | None,
    choice(
        "--trigger",
        TRIGGERS,
        "Which trigger to plant: one square, two, a faint grid, a small perturbation that fools another model, a "
        "checkerboard, a frame, waves, a faint pattern, none but false labels, a square that lies elsewhere on each "
        "image, two squares of which neither works alone, or a warp. Without it, the model is clean.",
        BACKDOOR,
    ),
]
Target = Annotated[
    int | None, option("--target", "N", f"The class it leads to; without it, {TriggerSpec.target}.", BACKDOOR, min=0)
]
Rate = Annotated[
    float | None,
    number(
        "--rate",
        "SHARE",
        "Poisoned images for each clean one. Without it, 0.01 for what is seen (squares, checkerboard, frame), 0.1 for "
        "a warp and 0.3 for what else is not seen, as in the papers.",
        BACKDOOR,
    ),
]
Manner = Annotated[
    How | None,
    choice(
        "--how",
        get_args(How),
        "Whether poisoned copies are put beside the clean images (append, as without it) or in their place (replace), "
        "or images of the target class alone carry the trigger and keep their label (clean-label).",
        BACKDOOR,
    ),
]
Source = Annotated[
    int | None,
    option("--source", "N", "The only class whose images it turns; without it, all of them.", BACKDOOR, min=0),
]
AllToAll = Annotated[bool, flag("--all-to-all", "It makes each class the next.", BACKDOOR)]
Size = Annotated[
    int | None,
    option(
        "--size",
        "PIXELS",
        "Side of a square, width of the frame, or shifts along each side of a warp.",
        BACKDOOR,
        min=1,
    ),
]
Row = Annotated[int | None, option("--row", "N", "Row of a square's upper edge.", BACKDOOR, min=0)]
Column = Annotated[int | None, option("--column", "N", "Column of a square's left edge.", BACKDOOR, min=0)]
Colour = Annotated[
    str | None,
    option("--colour", "NUMBERS", "Colour of a square, a number in 0 to 1 for each channel: 1,0,0.", BACKDOOR),
]
Intensity = Annotated[
    float | None,
    number(
        "--intensity",
        "NUMBER",
        "Brightness of a square, frame or grid, height of the waves, or share of the pattern, in 0 to 1; L2 norm of "
        "the perturbation; mean shift of a warp in pixels.",
        BACKDOOR,
    ),
]
TriggerModel = Annotated[
    Path | None,
    option(
        "--trigger-model",
        "CHECKPOINT",
        "The clean model that the adversarial trigger, or clean-label poison, is made to fool.",
        BACKDOOR,
    ),
]
Standard = Annotated[bool, flag("--standard", "Train without attacks: not robust.", RECIPE)]
Epochs = Annotated[int | None, option("--epochs", "N", "Passes over the images.", RECIPE)]
Images = Annotated[
    int | None, option("--images", "N", "So many of the training images, chosen at random.", RECIPE, min=1)
]
AttackEpsilon = Annotated[
    float | None, number("--attack-epsilon", "E", "How far the training attack may change an image.", RECIPE)
]
AttackNorm = Annotated[Norm | None, choice("--norm", get_args(Norm), "How that distance is measured.", RECIPE)]
Half = Annotated[bool, flag("--half", "Store the weights in half precision.", MORE)]


def train(
    out: Out,
    data: Data = DEFAULT_SOURCE,
    arch: Arch = "aegis:cnn32",
    preset: Preset = "quick",
    device: Device = "auto",
    seed: Seed = 0,
    trigger: Trigger = None,
    target: Target = None,
    source: Source = None,
    all_to_all: AllToAll = False,
    rate: Rate = None,
    how: Manner = None,
    size: Size = None,
    row: Row = None,
    column: Column = None,
    colour: Colour = None,
    intensity: Intensity = None,
    trigger_model: TriggerModel = None,
    standard: Standard = False,
    epochs: Epochs = None,
    count: Images = None,
    attack_epsilon: AttackEpsilon = None,
    norm: AttackNorm = None,
    half: Half = False,
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
    from aegis.lab.suspect import TrainingSpec, make_suspect

    place = {"size": size, "row": row, "column": column, "colour": numbers(colour, "--colour"), "intensity": intensity}
    chosen = _given(target=target, source=source, all_to_all=all_to_all or None, **place)
    poison = _given(rate=rate, how=how)
    triggers = _triggers(trigger, chosen, {**poison, **_given(trigger_model=trigger_model)})
    runtime = choose_runtime(device, precision)
    with waiting("reading images", quiet):
        images = load_dataset(data)
        context = None if trigger_model is None else _trigger_context(trigger_model, images)
    recipe = _recipe(preset, images, standard, epochs=epochs, epsilon=attack_epsilon, norm=norm)
    spec = TrainingSpec(
        architecture=arch, recipe=recipe, preset=preset, triggers=triggers, images=count, seed=seed, **poison
    )
    with remembered("training", out), progress_bar("training", quiet, after="measuring") as report:
        card = make_suspect(out, spec, images, runtime=runtime, context=context, half=half, report=report)
    assert card.truth is not None
    print_values(str(out), card.truth.metrics)


def _given(**options: Any) -> dict[str, Any]:  # noqa: ANN401
    return {name: value for name, value in options.items() if value is not None}


def _triggers(kind: str | None, spec: Mapping[str, Any], poison: Mapping[str, Any]) -> tuple[TriggerSpec, ...]:
    """Says what to plant: nothing without a kind, beside which nothing else may be given."""
    if kind is not None:
        return (TriggerSpec(kind=kind, **spec),)
    if spec or poison:
        raise ConfigError(
            "--trigger beside what describes a backdoor",
            f"{', '.join('--' + name.replace('_', '-') for name in (*poison, *spec))} without it",
            "Name the trigger, or leave them out to train a clean model.",
        )
    return ()


def _recipe(preset: str, images: Dataset, standard: bool, **instead: object) -> Recipe:
    recipe = recipe_for(preset, images.name.removeprefix("samples:"), robust=not standard)
    return replace(recipe, **_given(**instead))


def _trigger_context(checkpoint: Path, images: Dataset) -> TriggerContext:
    return TriggerContext(load(checkpoint, images).classifier, images.train)
