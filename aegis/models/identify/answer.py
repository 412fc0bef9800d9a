"""Recognises the architecture of a network by the names and shapes of its tensors."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.core.types import LabelledImages
from aegis.models.architectures import EXAMPLES
from aegis.models.computed import with_whole_weights
from aegis.models.identify import library, own
from aegis.models.identify.alike import by_accuracy, groups
from aegis.models.identify.fit import Candidate, compare, outline
from aegis.models.identify.views import View, views
from aegis.models.intake.entries import joined
from aegis.models.intake.sandbox import Contents, Limits, read_contents
from aegis.models.mismatch import check_fit
from aegis.models.wrappers import Found, find_network

# Architectures that an uncertain answer names.
NAMED = 3
# Architectures with the same tensors whose answers are compared, each of which is built.
COMPARED = 8


@dataclass(frozen=True)
class Answer:
    """The likely architectures of a network.

    Args:
        candidates: the likeliest first; those that compute the same as the first are left out if it is sure.
        sure: whether all tensors of the first one fit, and nothing else fits that computes something else.
        why: how sure it is, in words.
        entry: name of the network in the file.
        card: the architecture that the file's card names, if there is one.
    """

    candidates: tuple[Candidate, ...]
    sure: bool
    why: str
    entry: str
    card: str | None = None

    @property
    def best(self) -> Candidate:
        """The likeliest one."""
        return self.candidates[0]

    def commands(self, path: str | Path, entry: str | None = None) -> list[str]:
        """Gives a command line for a scan with each of the architectures.

        Args:
            path: the file.
            entry: which of several networks in it, or None.
        """
        asked = "" if entry is None else f" --entry {shlex.quote(entry)}"
        return [
            f"aegis scan {shlex.quote(printable(str(path), 200))} --arch {one.architecture} --data DATA{asked}"
            for one in self.candidates
        ]


def identify(
    path: str | Path,
    entry: str | None = None,
    *,
    images: LabelledImages | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    limits: Limits | None = None,
) -> Answer:
    """Recognises the architecture of an untrusted checkpoint without running any code in it.

    Args:
        path: the checkpoint.
        entry: which of several networks in it; None for the only one.
        images: labelled images, which tell architectures apart that have the same tensors; or None.
        mean, std: normalisation of these; without them that which lies in the file, or none.
        limits: time and memory for reading.

    Returns:
        The likely architectures.

    Raises:
        CheckpointError: if the file is refused, holds several networks that differ, or none that is known.
    """
    contents = read_contents(Path(path).absolute(), limits or Limits(), entry)
    return recognise(contents, entry, images=images, mean=mean, std=std)


def recognise(
    contents: Contents,
    entry: str | None,
    *,
    shape: tuple[int, int, int] | None = None,
    images: LabelledImages | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> Answer:
    """Recognises the architecture of what was read from a file; arguments as in ``identify``.

    Args:
        contents: what was read.
        entry: which of several networks in the file.
        shape: of the images that it must run on; None for that of ``images``, or a likely one.
        images, mean, std: as in ``identify``.

    Raises:
        CheckpointError: as in ``identify``.
    """
    contents = replace(contents, tensors=with_whole_weights(contents.tensors).tensors)
    with torch.random.fork_rng(devices=[]):  # fresh weights draw from the caller's random generator
        compared = _compared(contents, entry)
        if not compared:
            raise unknown()
        places = {one: found for one in compared if one.fits and (found := _found(one, contents, entry)) is not None}
        if places:
            shape = images.shape if shape is None and images is not None else shape
            chosen, sure, why = _choose(places, shape, images, mean, std)
        elif compared[0].fits:
            chosen, sure, why = compared, False, "tensors of something else lie beside what fits"
        else:
            chosen, sure, why = compared, False, "nothing fits whole"
    named = contents.layout.entry if entry is None else entry
    card = None if contents.identity is None else contents.identity.architecture
    return Answer(tuple(chosen[:NAMED]), sure, why, named, card)


def unknown() -> CheckpointError:
    """The refusal of a network of which nothing is known."""
    return CheckpointError(
        "a network whose layers are named as in torchvision, timm or one of AEGIS's architectures",
        "names that none of them has",
        f"Give --arch, for example {EXAMPLES}: the last is code of your own that builds it.",
    )


def _choose(
    places: Mapping[Candidate, Found],
    shape: tuple[int, int, int] | None,
    images: LabelledImages | None,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
) -> tuple[Sequence[Candidate], bool, str]:
    """Chooses among architectures whose tensors all fit: the likeliest, whether it is sure, and why."""
    fitting = list(places)
    fit = str(fitting[0])
    if len(fitting) == 1:
        return fitting, True, f"{fit}, and no other architecture's do"

    def tensors(one: Candidate) -> Mapping[str, Tensor]:
        return places[one].tensors

    apart = groups(fitting[:COMPARED], tensors, shape)
    if not apart:
        return fitting, False, f"{fit}, but on such images it does not run"
    if len(apart) == 1 and len(fitting) <= COMPARED:
        others = _listed(one.architecture for one in fitting if one is not apart[0][0])
        return apart[0][:1], True, f"{fit}; so do those of {others}, which compute the same or cannot run here"
    if images is not None and len(apart) > 1:
        lying = places[fitting[0]]
        normalised = mean or lying.mean or (0.0,), std or lying.std or (1.0,)
        won = by_accuracy(apart, tensors, images, *normalised)
        if won is not None:
            return (
                won[:1],
                True,
                f"{fit}; of {len(apart)} that compute something else each, it is right about the images",
            )
    told = f"{fit}, but so do those of others that compute something else; labelled images (--data) may tell them apart"
    return [group[0] for group in apart], False, told


def _compared(contents: Contents, entry: str | None) -> list[Candidate]:
    """Compares all that is proposed for any part of a file; those that fit, the usual first, and the nearest others."""
    parts = views(contents.tensors)
    asked = [part for part in parts if joined(contents.layout.entry, part.prefix.removesuffix(".")) == entry]
    found: dict[str, Candidate] = {}
    for view in asked or parts:
        for candidate in _for_view(view):
            known = found.get(candidate.architecture)
            if known is None or candidate.distance < known.distance:
                found[candidate.architecture] = candidate
    return sorted(found.values(), key=lambda one: (one.distance, *library.preference(one.architecture)))


def _for_view(view: View) -> Iterable[Candidate]:
    proposed = [compare(one, view) for one in own.proposals(view.shapes)]
    for proposal, wanted in library.proposals(view.shapes):
        told = compare(proposal, view, wanted)
        # Options change few tensors. A fit is believed when built: the installed library may be another version.
        close = told is not None and told.differing <= proposal.architecture.count(",")
        proposed.append(compare(proposal, view) if close else told)
    return (one for one in proposed if one is not None)


def _found(candidate: Candidate, contents: Contents, entry: str | None) -> Found | None:
    """The network's tensors in the file, as loading finds them; None if something else lies there too."""
    proposal = candidate.proposal
    wanted = outline(proposal)
    assert wanted is not None
    found = find_network(
        wanted, contents.tensors, contents.layout.entry, entry, max(proposal.channels, proposal.classes)
    )
    try:
        check_fit(wanted, found.tensors, proposal.channels, proposal.classes)
    except CheckpointError:
        return None
    return found


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:NAMED]) + (f" and {len(found) - NAMED} more" if found[NAMED:] else "")
