"""``aegis show``: what a file says, without computing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aegis.cli.options import flag
from aegis.cli.output import print_scan, print_values
from aegis.core.errors import CheckpointError
from aegis.models.card import read_identity, read_truth
from aegis.models.intake.formats import opened, recognise


def show(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A checkpoint with a card, or a result of aegis scan --json.", show_default=False
        ),
    ],
    truth: Annotated[
        bool, flag("--truth", "Also what only its maker knows: the trigger, how it was trained, how good it is.")
    ] = False,
) -> None:
    """Show what a checkpoint's card says, or the result of a scan again.

    Examples:

        aegis show model.safetensors
        aegis show model.safetensors --truth
        aegis show result.json

    A card is what this program writes into its checkpoints: architecture, classes, data set.
    """
    from aegis.records.record import read_record

    if _is_json(path):
        print_scan(read_record(path))
        return
    recognise(path)
    identity = read_identity(path)
    if identity is None:
        raise CheckpointError("a checkpoint with a card", f"{path}, which has none", "Scan it with --arch and --data.")
    print_values("identity", identity.model_dump(exclude_none=True, exclude={"schema_version"}))
    if truth:
        _print_truth(path)


def _print_truth(path: Path) -> None:
    known = read_truth(path)
    if known is None:
        print_values("truth", {"none": "this card says nothing about how the model was made"})
        return
    if not known.triggers:
        print_values("trigger", {"none": "the model was trained without a backdoor"})
    for trigger in known.triggers:
        print_values("trigger", trigger.model_dump(exclude_defaults=True, exclude={"keep", "add", "flow"}))
    plain = known.model_dump(exclude_none=True)
    for name in ("poison", "recipe", "metrics"):
        if plain.get(name):
            print_values(name, plain[name])


def _is_json(path: Path) -> bool:
    """Judges by content, since the name is the user's; a checkpoint never begins with a brace."""
    if path.suffix == ".json":
        return True
    with opened(path) as file:
        return file.read(64).lstrip()[:1] == b"{"
