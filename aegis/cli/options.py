"""Options that several commands share, and checks of their values."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from typer.models import ArgumentInfo, OptionInfo

from aegis.core import parsing
from aegis.core.errors import ConfigError
from aegis.core.runtime import DEVICES, MAX_SEED, PRECISIONS
from aegis.data import OTHERS, SOURCES
from aegis.data.conversion import CHANNELS
from aegis.lab.recipes import RECIPES
from aegis.models.card import MAX_SIDE
from aegis.models.release import weights_of

MORE = "More"
# Class names that a message lists.
SHOWN = 20

T = TypeVar("T")


def one_of(names: Collection[str], option: str) -> Callable[[str | None], str | None]:
    """Makes a check that an option has one of these values or is left out."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in names:
            raise ConfigError(f"{option} among {', '.join(names)}", repr(value), "Choose one of them.")
        return value

    return check


def in_paper(names: Collection[str], what: str) -> ArgumentInfo:
    """Makes an argument that is a number of the paper.

    Args:
        names: those that there are.
        what: the kind of thing, for messages.
    """
    said = f"In the paper: {', '.join(names)}."
    argument: ArgumentInfo = typer.Argument(
        metavar="NUMBER", help=said, show_default=False, callback=one_of(names, what)
    )
    return argument


def one_number_of(numbers: Collection[int], option: str) -> Callable[[int | None], int | None]:
    """Makes a check that an option has one of these numbers or is left out."""
    check = one_of([str(number) for number in numbers], option)

    def check_number(value: int | None) -> int | None:
        check(None if value is None else str(value))
        return value

    return check_number


def finite(option: str) -> Callable[[float | None], float | None]:
    """Makes a check that an option is neither NaN nor infinite."""

    def check(value: float | None) -> float | None:
        if value is not None and not math.isfinite(value):
            raise ConfigError(f"a finite number for {option}", str(value), "Give another number.")
        return value

    return check


def within(option: str, low: int, high: int, why: str) -> Callable[[int | None], int | None]:
    """Makes a check that an option lies in a range or is left out; ``why`` says what to do otherwise."""

    def check(value: int | None) -> int | None:
        if value is not None and not low <= value <= high:
            raise ConfigError(f"{option} from {low} to {high}", str(value), why)
        return value

    return check


def writable(option: str) -> Callable[[Path | None], Path | None]:
    """Makes a check that a file can be written, before minutes of work."""

    def check(path: Path | None) -> Path | None:
        if path is None:
            return None
        folder = path.absolute().parent
        if not folder.is_dir():
            raise ConfigError(f"a folder that exists for {option}", str(folder), "Make it, or choose another path.")
        if not os.access(folder, os.W_OK):
            raise ConfigError(f"a folder for {option} that may be written to", str(folder), "Choose another path.")
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "a device or pipe"
            raise ConfigError(f"a file for {option}", f"{kind}: {path}", "Choose another path.")
        return path

    return check


def option(
    name: str,
    metavar: str,
    help: str,
    panel: str | None = None,
    *,
    min: int | None = None,
    callback: Callable[[T], T] | None = None,
) -> OptionInfo:
    """Makes an option whose help shows no default.

    Args:
        name: of the option, with dashes.
        metavar: placeholder of its value in the help.
        help: text of the help.
        panel: group of options in the help.
        min: smallest value.
        callback: checks the value.
    """
    info: OptionInfo = typer.Option(
        name, metavar=metavar, help=help, show_default=False, rich_help_panel=panel, min=min, callback=callback
    )
    return info


def number(name: str, metavar: str, help: str, panel: str | None = None) -> OptionInfo:
    """Makes an option that takes a finite number; arguments as in ``option``."""
    return option(name, metavar, help, panel, callback=finite(name))


def choice(name: str, names: Collection[str], help: str, panel: str | None = None) -> OptionInfo:
    """Makes an option that takes one of several names; other arguments as in ``option``."""
    info: OptionInfo = typer.Option(
        name, metavar="|".join(names), help=help, rich_help_panel=panel, callback=one_of(names, name)
    )
    return info


def flag(name: str, help: str, panel: str | None = None, *, short: str = "") -> OptionInfo:
    """Makes an option without a value; arguments as in ``option``, and a second name of one letter."""
    info: OptionInfo = typer.Option(name, *([short] if short else []), help=help, rich_help_panel=panel)
    return info


Checkpoint = Annotated[
    Path,
    typer.Argument(
        metavar="CHECKPOINT",
        help="The model: a safetensors file, a state dictionary written by torch.save, or the folder of a release with "
        "config.json. Nothing in it is run.",
        show_default=False,
        callback=weights_of,
    ),
]
Arch = Annotated[
    str | None,
    option(
        "--arch",
        "NAME",
        "The architecture, where the checkpoint has no card that names it and aegis identify is not sure: aegis:cnn32, "
        "aegis:resnet18,width=32, torchvision:NAME, timm:NAME, or module:factory for your own code, which is run.",
    ),
]
Entry = Annotated[
    str | None,
    option(
        "--entry",
        "NAME",
        "Which network of a file with several that differ, such as a network and an average of its weights; all scans "
        "each.",
        MORE,
    ),
]
Data = Annotated[
    str | None,
    option(
        "--data",
        "SOURCE",
        f"Images the model was made for: {', '.join(SOURCES)}; {', '.join(OTHERS)}; an NPZ file or a folder of arrays; "
        "or a folder or archive with one sub-folder per class. Without it, the bundled sample of the data set that the "
        "card names.",
    ),
]
Size = Annotated[
    int | None,
    option(
        "--size",
        "N",
        "Scale and crop every image to N x N pixels, where they have several sizes or another than the model expects.",
        MORE,
        callback=within("--size", 1, MAX_SIDE, "Give the side of the images that the model expects."),
    ),
]
Channels = Annotated[
    int | None,
    option(
        "--channels",
        "1|3",
        "Convert images: 3 gives grey ones three equal channels, 1 makes colour ones grey.",
        MORE,
        callback=one_number_of(CHANNELS, "--channels"),
    ),
]
Mean = Annotated[
    str | None,
    option(
        "--mean",
        "NUMBERS",
        "What the model wants subtracted from pixels in 0 to 1, a number for each channel: 0.49,0.48,0.45. "
        "Without it, what the card says, or nothing.",
        MORE,
    ),
]
Std = Annotated[str | None, option("--std", "NUMBERS", "What it wants them divided by after that.", MORE)]
Device = Annotated[str, choice("--device", DEVICES, "Where to compute; auto takes a GPU if there is one.")]
PrecisionOption = Annotated[
    str, choice("--precision", PRECISIONS, "Inside the network; auto takes bf16 where that is quicker.", MORE)
]
Quiet = Annotated[bool, flag("--quiet", "No progress, and only the result itself.", MORE, short="-q")]
Json = Annotated[
    Path | None, option("--json", "OUT.json", "Write the result to this file.", callback=writable("--json"))
]
Workers = Annotated[
    int | None,
    option("--workers", "N", "Classes examined side by side. Without it, one for each processor core.", MORE),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of every random draw.", min=0, max=MAX_SEED)]

Training = Annotated[
    str,
    choice(
        "--training", RECIPES, "How they are trained: quick, in minutes on two cores, or as in the paper, for a GPU."
    ),
]
Results = Annotated[
    Path,
    option("--results", "FOLDER", "Where records and outcomes are kept, instead of the project's own folder.", MORE),
]


_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smh]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds(text: str | None, option: str) -> float | None:
    """Reads a span of time such as 90s, 10m or 1.5h; None where the option was left out.

    Raises:
        ConfigError: if it is none, or no time at all.
    """
    if text is None:
        return None
    span = _SPAN.fullmatch(text.strip())
    if span is None or not float(span[1]):
        raise ConfigError(f"a span of time for {option}", repr(text), "Write for example 90s, 10m or 1.5h.")
    return float(span[1]) * _UNITS[span[2]]


def numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Reads comma-separated finite numbers; None where the option was left out.

    Raises:
        ConfigError: if they are none.
    """
    if text is None:
        return None
    return parsing.numbers(text, f"comma-separated numbers for {option}", f"{option} 0.5,0.25")


def names(text: str | None) -> list[str]:
    """Reads comma-separated names; none where the option was left out."""
    return [] if text is None else [name.strip() for name in text.split(",") if name.strip()]


def labels(text: str | None, option: str) -> tuple[int, ...] | None:
    """Reads comma-separated class labels, each once; None where the option was left out.

    Raises:
        ConfigError: if they are not whole numbers of at least 0.
    """
    if text is None:
        return None
    return parsing.whole_numbers(text, f"class labels for {option}, whole numbers from 0", f"{option} 7,3")


def class_labels(text: str | None, class_names: Sequence[str]) -> tuple[int, ...] | None:
    """Reads comma-separated classes, each a label or a name and each once; None where the option was left out.

    Args:
        text: as it was typed for ``--classes``.
        class_names: of the images, in label order.

    Raises:
        ConfigError: if a name is none of these.
    """
    if text is None:
        return None
    try:
        return labels(text, "--classes")
    except ConfigError:
        # A name with a comma in it can only be given by its label.
        found = [_label_of(name.strip(), class_names) for name in text.split(",")]
    return tuple(dict.fromkeys(found))


def _label_of(name: str, class_names: Sequence[str]) -> int:
    if name.isascii() and name.isdigit() and len(name) <= parsing.DIGITS:
        return int(name)
    for known, wanted in ((class_names, name), ([one.casefold() for one in class_names], name.casefold())):
        if wanted in known:
            return known.index(wanted)
    shown = ", ".join(class_names[:SHOWN]) + (", ..." if len(class_names) > SHOWN else "")
    raise ConfigError(
        f"class labels or names for --classes, among {shown}", repr(name), "Write for example --classes 7,3."
    )
