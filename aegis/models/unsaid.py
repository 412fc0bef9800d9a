"""Finds out what neither a card nor the caller says of a network: from config.json of a release, or its tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, cast

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.core.types import LabelledImages
from aegis.models.identify import library_name, recognise
from aegis.models.intake.sandbox import Contents
from aegis.models.normalisation import for_unit_pixels
from aegis.models.release import CONFIG, Release, release_beside


class Given(TypedDict, total=False):
    """Holds the fields of an identity that the caller of ``load_checkpoint`` gave."""

    architecture: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Said:
    """What neither a card nor the caller says of a network, but its tensors or the files beside it do.

    Args:
        fields: of its identity.
        recognised: how its architecture was recognised, or None.
        notes: where all else comes from, a part of a sentence each.
    """

    fields: Given = field(default_factory=lambda: Given())
    recognised: str | None = None
    notes: tuple[str, ...] = ()


def said_beside(
    contents: Contents, weights: Path, entry: str | None, given: Given, images: LabelledImages | None
) -> Said:
    """Asks the files beside the weights what the caller leaves open, then the tensors.

    Args:
        contents: what was read from a file without a card.
        weights: the file.
        entry: which of several networks in it, or None.
        given: what the caller says.
        images: labelled images, which tell architectures apart that have the same tensors; or None.

    Returns:
        What they say, some of which the caller may say otherwise.

    Raises:
        CheckpointError: if nothing says for sure which architecture it is, or the files beside are damaged.
    """
    release = release_beside(weights)
    said, notes = _of_release(release, given) if release else (Given(), ())
    if "architecture" in said | given:
        recognised = None if "architecture" in given else f"{CONFIG} beside it says so"
        return Said(said, recognised, notes)
    try:
        found, recognised = _recognised(contents, weights, entry, said | given, images)
    except CheckpointError as error:
        if release is None:
            raise
        raise CheckpointError(
            "a network of torchvision, timm or AEGIS",
            f"one of transformers ({printable(release.of_transformers or '')})",
            "Give --arch module:factory, code of your own that returns "
            "transformers.AutoModelForImageClassification.from_config(...) for the release's configuration.",
        ) from error
    return Said(found | said, recognised, notes)


def _of_release(release: Release, given: Given) -> tuple[Given, tuple[str, ...]]:
    """The fields of an identity that a release says, and how that is told to people."""
    mean, std, divided = for_unit_pixels(release.mean, release.std)
    name = None if release.architecture is None or "architecture" in given else library_name(release.architecture)
    known = {"architecture": name, "class_names": release.class_names, "shape": release.shape, "mean": mean, "std": std}
    said = cast(Given, {key: value for key, value in known.items() if value is not None})
    taken = [key.replace("_", " ") for key in said if key not in given]
    notes = (f"{', '.join(taken)} taken from {CONFIG} beside it",) if taken else ()
    return said, (*notes, *(divided if "mean" in taken else ()))


def _recognised(
    contents: Contents, path: Path, entry: str | None, given: Given, images: LabelledImages | None
) -> tuple[Given, str]:
    """Recognises the architecture of a file without a card.

    Returns:
        The fields of an identity that follow, and how the architecture was recognised.

    Raises:
        CheckpointError: if it is not sure, with a command for each of the likeliest.
    """
    answer = recognise(
        contents, entry, shape=given.get("shape"), images=images, mean=given.get("mean"), std=given.get("std")
    )
    if not answer.sure:
        likely = "; ".join(f"{one.architecture} ({one})" for one in answer.candidates)
        raise CheckpointError(
            "a card in the checkpoint, or the name of its architecture",
            f"a checkpoint without a card, which is not recognised for sure. Likeliest: {likely}",
            f"Give --arch: {'; or '.join(answer.commands(path, entry))}; or --arch module:factory, code of your own.",
        )
    proposal = answer.best.proposal
    names = tuple(map(str, range(proposal.classes)))
    likely_shape = (proposal.channels, proposal.side, proposal.side)
    return Given(architecture=proposal.architecture, shape=likely_shape, class_names=names), answer.why
