"""``aegis show``: what a file says, without computing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aegis.cli.output import print_scan, print_values
from aegis.errors import CheckpointError


def show(
    path: Annotated[Path, typer.Argument(help="A checkpoint with a card, or a result of aegis scan --json.")],
    truth: Annotated[
        bool, typer.Option("--truth", help="Also what only its maker knows: trigger, recipe, metrics.")
    ] = False,
) -> None:
    """Show a checkpoint's card, or a scan's result again.

    aegis show assets/models/suspect-a.safetensors
    aegis show result.json
    """
    from aegis.detect.record import read_record
    from aegis.models.card import read_identity, read_truth

    if path.suffix == ".json":
        print_scan(read_record(path), quiet=False)
        return
    identity = read_identity(path)
    if identity is None:
        raise CheckpointError(
            "a checkpoint with a card, or a scan result that ends in .json",
            f"{path}, which has no card",
            "Scan it with --arch and --data.",
        )
    print_values("identity", identity.model_dump(exclude_none=True, exclude={"schema_version"}))
    known = read_truth(path) if truth else None
    if truth and known is None:
        print_values("truth", {"": "none on the card"})
    if known is not None:
        plain = known.model_dump(exclude_none=True, exclude={"schema_version": True, "trigger": {"keep", "add"}})
        for name in ("trigger", "poison", "recipe", "metrics"):
            if plain.get(name):
                print_values(name, plain[name])
