"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aegis.data import SOURCES
from aegis.errors import ConfigError
from aegis.runtime import DEVICES, PRECISIONS

Checkpoint = Annotated[Path, typer.Argument(help="A checkpoint: safetensors, or a state dictionary of torch.save.")]
Arch = Annotated[
    str | None,
    typer.Option(
        help="The architecture, if the checkpoint has no card: aegis:cnn32, aegis:resnet18,width=32, "
        "torchvision:NAME, timm:NAME, or module:factory for code of your own, which is run.",
        show_default=False,
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        help=f"Images: one of {', '.join(SOURCES)}; an NPZ file; or a folder or archive with one sub-folder per class. "
        "By default the bundled sample of the data set on the card.",
        show_default=False,
    ),
]
Normalisation = Annotated[
    str | None,
    typer.Option(help="Comma-separated, one number for each channel; by default what the card says, or none."),
]
Device = Annotated[str, typer.Option(help=f"One of {', '.join(DEVICES)}.")]
PrecisionOption = Annotated[str, typer.Option(help=f"One of {', '.join(PRECISIONS)}; auto is the quickest here.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")]
Seed = Annotated[int, typer.Option(help="Seed of every draw.", min=0)]


def numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Comma-separated numbers, or None.

    Raises:
        ConfigError: if they are none.
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"comma-separated numbers for {option}", repr(text), "Write for example 0.5,0.25.") from error


def labels(text: str | None) -> tuple[int, ...] | None:
    """Comma-separated class labels without repetition, or None.

    Raises:
        ConfigError: if they are not whole numbers of at least 0.
    """
    found = numbers(text, "--classes")
    if found is None:
        return None
    if any(value != int(value) or value < 0 for value in found):
        raise ConfigError("class labels, whole numbers from 0", repr(text), "Write for example --classes 7,3.")
    return tuple(dict.fromkeys(int(value) for value in found))
