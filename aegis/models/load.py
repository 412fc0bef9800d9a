"""Loads untrusted checkpoints as classifiers; there is no other way in.

The sandbox gives plain tensors and a card; both are checked against the architecture and the data before memory is
allocated for a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from aegis.core.errors import AegisError, CheckpointError
from aegis.core.text import first_fault, printable
from aegis.core.types import LabelledImages
from aegis.models.architectures import build, runs_foreign_code
from aegis.models.card import Identity
from aegis.models.classifier import Classifier
from aegis.models.intake.sandbox import Contents, Limits, read_contents
from aegis.models.mismatch import check_fit, task
from aegis.models.normalisation import Values, for_unit_pixels
from aegis.models.release import weights_of
from aegis.models.steadiness import unsteadiness
from aegis.models.unsaid import Given, Said, said_beside
from aegis.models.wrappers import Found, find_network


@dataclass(frozen=True, eq=False)
class Suspect:
    """Holds a loaded model.

    Args:
        classifier: the model in evaluation mode, float32, on the CPU.
        identity: its identity, from the card or the caller.
        sha256: SHA-256 of the bytes that were read, in hex.
        entry: name of the model in a file with others that differ from it; None for the only one.
        others: names of these others.
        left_out: names of tensors of the file outside the model, such as weights of a loss.
        code: names of code in the file, of which nothing was run.
        reading: what is unusual about the network and how it is read, a part of a sentence each.
        recognised: how its architecture was recognised, by its tensors or what lies beside them; None where the card or
            the caller named it.
    """

    classifier: Classifier
    identity: Identity
    sha256: str
    entry: str | None = None
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()
    recognised: str | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex, of everything that decides the model's predictions: file, its entry if there are several,
        architecture, image size, normalisation, and how the network is read if that is unusual.
        """
        said = self.identity
        parts: list[object] = [self.sha256, said.architecture, said.shape, said.mean, said.std]
        parts += [] if self.entry is None else [self.entry]
        parts += [self.classifier.anatomy] if self.classifier.anatomy.notes else []
        if runs_foreign_code(said.architecture):
            # The user may edit that code between two scans, which only the model's logits show.
            probe = torch.rand(8, *said.shape, generator=torch.Generator().manual_seed(0))
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)  # for a network whose answers are random
                logits = self.classifier.logits(probe)
            parts.append(hashlib.sha256(logits.numpy().tobytes()).hexdigest())
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def load_checkpoint(
    path: str | Path,
    *,
    architecture: str | None = None,
    shape: tuple[int, int, int] | None = None,
    class_names: tuple[str, ...] | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    entry: str | None = None,
    images: LabelledImages | None = None,
    limits: Limits | None = None,
) -> Suspect:
    """Loads an untrusted checkpoint without running any code in it.

    Without a card and without ``architecture``, names and shapes of its tensors say which network it is, if they do so
    for sure.

    Args:
        path: safetensors, or a state dictionary written by torch.save; the content decides. Also the folder of a
            release: weights and config.json, which then says what nobody else does.
        architecture: as in ``architectures.build``; overrides the card's.
        shape: channels, height and width of the images; overrides the size on the card. Needed without a card, unless
            the architecture is recognised, which also says the likely size.
        class_names: class names of the data, in label order; must be as many as on the card. Needed without a card,
            unless the architecture is recognised; they are numbers then.
        mean, std: per-channel normalisation; override the card's, or without a card that which lies beside the network
            in the file, or in a release beside it; without any of these they are 0 and 1. With a mean above 1.5 they
            are taken as those of pixels from 0 to 255.
        entry: which of several networks in the file, by the names that a refusal lists; None for the only one.
        images: labelled images, which tell architectures apart that have the same tensors; or None.
        limits: time and memory for reading.

    Returns:
        The model with its identity and digest.

    Raises:
        CheckpointError: if the file is refused, does not fit the architecture or the data, holds several networks
            that differ, of which none is named, or if nobody says what its architecture is and its tensors do not.
    """
    weights = weights_of(Path(path).absolute())
    contents = read_contents(weights, limits or Limits(), entry)
    mean, std, divided = for_unit_pixels(mean, std)
    asked = {"architecture": architecture, "shape": shape, "class_names": class_names, "mean": mean, "std": std}
    given = cast(Given, {key: value for key, value in asked.items() if value is not None})
    said = said_beside(contents, weights, entry, given, images) if contents.identity is None else Said()
    identity = _identify(contents.identity, said.fields | given)
    if architecture is None and runs_foreign_code(identity.architecture):
        raise CheckpointError(
            "a card that names an architecture of aegis, torchvision or timm",
            f"{printable(identity.architecture)!r}, which would run code from another module",
            "If you trust that code, name it yourself with --arch module:factory.",
        )
    _check_builds_alone(identity.architecture)
    with _in_the_networks_name():
        network, found = _network(identity, contents, entry)
        if contents.identity is None:
            identity = _normalised(identity, mean or found.mean, std or found.std)
        classifier = _classifier(network, identity)
        reading = (*said.notes, *divided, *found.notes, *classifier.anatomy.notes, *unsteadiness(classifier))
    others = (*contents.layout.others, *found.others)
    entry, code = found.entry if others else None, contents.layout.code
    return Suspect(classifier, identity, contents.sha256, entry, others, found.left_out, code, reading, said.recognised)


@contextmanager
def _in_the_networks_name() -> Iterator[None]:
    """Turns whatever a network raises while it is loaded and tried into one message."""
    try:
        yield
    except (AegisError, MemoryError, torch.OutOfMemoryError):
        raise
    except (Exception, SystemExit) as error:  # the code of a network may raise anything
        if "DefaultCPUAllocator" in str(error):
            raise
        raise CheckpointError(
            "a network that can be loaded and run",
            f"one with which that ends in {type(error).__name__}: {error}",
            "Correct the network given to --arch.",
        ) from error


def _check_builds_alone(architecture: str) -> None:
    """Refuses architectures that would download weights while they are built: a card must not reach the network."""
    spec, *options = architecture.split(",")
    room, _, name = spec.partition(":")
    if room != "torchvision":
        return
    from torchvision import models

    if name.lower() not in models.list_models(module=models) or any(o.startswith("pretrained") for o in options):
        raise CheckpointError(
            "an image classifier of torchvision, whose weights come from the checkpoint",
            repr(printable(architecture)),
            "Correct the name given to --arch.",
        )


def _identify(card: Identity | None, given: Given) -> Identity:
    """Completes the card by what the caller gave, which takes precedence."""
    if card is None and not {"shape", "class_names"} <= given.keys():
        raise CheckpointError(
            "the images' shape and classes", "a checkpoint without a card, and no data", "Give --data as well."
        )
    if card:
        _check_same_task(card, given)
    try:
        return Identity.model_validate((card.model_dump() if card else {}) | given)
    except ValidationError as error:
        raise CheckpointError("a model that can be described", first_fault(error), "Correct what was given.") from error


def _normalised(identity: Identity, mean: Values | None, std: Values | None) -> Identity:
    """Replaces the normalisation by what the caller says, or else by what lies in the file beside the network."""
    return _identify(identity, cast(Given, {"mean": mean or identity.mean, "std": std or identity.std}))


def _check_same_task(card: Identity, given: Given) -> None:
    classes, channels = len(given.get("class_names", card.class_names)), given.get("shape", card.shape)[0]
    if (len(card.class_names), card.shape[0]) != (classes, channels):
        raise CheckpointError(
            f"a model for {task(classes, channels)}, as the data has",
            f"one for {task(len(card.class_names), card.shape[0])}",
            f"Give --data with the images this model was trained on ({printable(card.data or 'not named')}).",
        )


def _classifier(network: nn.Module, identity: Identity) -> Classifier:
    classifier = Classifier(
        network, identity.shape, identity.mean, identity.std, classes=len(identity.class_names)
    ).eval()
    if classifier.classes != len(identity.class_names):
        raise CheckpointError(
            f"a final layer with {len(identity.class_names)} classes, as in the data",
            f"one with {classifier.classes}",
            "Give --data with the classes this model was trained on.",
        )
    return classifier


def _network(identity: Identity, contents: Contents, entry: str | None) -> tuple[nn.Module, Found]:
    """Builds the architecture and loads its tensors into it."""
    channels, classes = identity.shape[0], len(identity.class_names)

    def find(wanted: dict[str, Tensor]) -> Found:
        found = find_network(wanted, contents.tensors, contents.layout.entry, entry, max(channels, classes))
        check_fit(wanted, found.tensors, channels, classes)
        return found

    with torch.random.fork_rng(devices=[]):  # fresh weights draw from the caller's random generator
        # Before memory is allocated for a network, if its tensors can be known without.
        outline = _outline(identity)
        found = None if outline is None else find(outline)
        network = build(identity.architecture, channels, classes)
    found = found or find(network.state_dict())
    check_fit(network.state_dict(), found.tensors, channels, classes)
    network.load_state_dict(found.tensors, strict=False)
    return network, found


def _outline(identity: Identity) -> dict[str, Tensor] | None:
    """Gives the architecture's tensors on the meta device, without memory; None for architectures that cannot be built
    so.
    """
    if runs_foreign_code(identity.architecture):  # a user's own factory must run only once
        return None
    try:
        with torch.device("meta"):
            return build(identity.architecture, identity.shape[0], len(identity.class_names)).state_dict()
    except CheckpointError:  # some architectures need real values while they are built
        return None
