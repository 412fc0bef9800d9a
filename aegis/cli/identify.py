"""``aegis identify``: which architecture a checkpoint without a card has."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from aegis.cli.options import Checkpoint, Data, Entry, Json, Mean, Quiet, Std, numbers
from aegis.cli.output import Printer, clean
from aegis.cli.progress import waiting
from aegis.core.files import write_text
from aegis.core.text import count_of
from aegis.data import load_dataset
from aegis.models.intake.formats import recognise

if TYPE_CHECKING:
    from aegis.models.identify import Answer
    from aegis.models.identify.fit import Candidate

SURE, NOT_SURE = 0, 3


def identify(
    checkpoint: Checkpoint,
    data: Data = None,
    json: Json = None,
    mean: Mean = None,
    std: Std = None,
    entry: Entry = None,
    quiet: Quiet = False,
) -> None:
    """Recognise a model's architecture by the names and shapes of its tensors.

    Examples:

        aegis identify model_best.pth.tar
        aegis identify model.pt --data photos/

    Known are AEGIS's own architectures, those of published robust models among them, and all of torchvision and
    timm, under whatever a training program put before the names. It is sure if all tensors fit and nothing else
    fits that computes something else. Where shapes leave that open, labelled images decide, if they can.

    Exit codes: 0 sure, 2 bad input or usage, 3 not sure; then the likeliest are told, and what differs.
    """
    from aegis.models import identify as recognition

    recognise(checkpoint)
    with waiting("reading the model", quiet):
        images = None if data is None else load_dataset(data).test
        answer = recognition.identify(
            checkpoint, entry, images=images, mean=numbers(mean, "--mean"), std=numbers(std, "--std")
        )
    if json is not None:
        write_text(json, jsonlib.dumps(_plain(answer, checkpoint, entry), indent=2) + "\n")
    _print(answer, checkpoint, entry, quiet)
    raise typer.Exit(SURE if answer.sure else NOT_SURE)


def _print(answer: Answer, checkpoint: Path, entry: str | None, quiet: bool) -> None:
    out = Printer()
    if quiet:
        for one in answer.candidates:
            out.say(clean(one.architecture), wrap=False)
        return
    if answer.sure:
        out.say((clean(answer.best.architecture), "bold green"), f": {clean(answer.why, 1000)}.")
        out.say(_task(answer.best))
    else:
        out.say(("Not sure", "bold yellow"), f": {clean(answer.why, 1000)}. Likeliest:")
        for one in answer.candidates:
            out.say((clean(one.architecture), "bold"), f": {clean(str(one), 1000)}. {_task(one)}")
    if answer.card is not None:
        out.note(f"The file's card says {clean(answer.card)}, which a scan goes by.")
    for command in answer.commands(checkpoint, entry):
        out.say(clean(command, 1000), wrap=False)


def _task(one: Candidate) -> str:
    proposal = one.proposal
    return (
        f"{count_of(proposal.classes, 'class')}, {count_of(proposal.channels, 'channel')}, images likely of "
        f"{proposal.side}x{proposal.side} pixels."
    )


def _plain(answer: Answer, checkpoint: Path, entry: str | None) -> dict[str, Any]:
    """The answer as JSON holds it."""
    commands = answer.commands(checkpoint, entry)
    return {
        "sure": answer.sure,
        "why": answer.why,
        "entry": answer.entry,
        "card": answer.card,
        "candidates": [
            {
                "architecture": one.architecture,
                "classes": one.proposal.classes,
                "channels": one.proposal.channels,
                "side": one.proposal.side,
                "prefix": one.prefix,
                "tensors": one.tensors,
                "missing": list(one.missing),
                "unexpected": list(one.unexpected),
                "wrong": [{"name": name, "got": list(got), "expected": list(want)} for name, got, want in one.wrong],
                "command": command,
            }
            for one, command in zip(answer.candidates, commands, strict=True)
        ],
    }
