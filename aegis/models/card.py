"""The card in a checkpoint's header: what anyone may read, and what only the lab knows.

Reading a card needs no torch, so that Home can list suspects at once.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from aegis.core.errors import CheckpointError
from aegis.core.files import whole_file
from aegis.core.text import control_character, first_fault, printable
from aegis.core.types import Goal, Stamp
from aegis.models.intake.formats import IDENTITY_KEY, TRUTH_KEY, read_header

if TYPE_CHECKING:
    import torch

MAX_SIDE = 224

M = TypeVar("M", bound=BaseModel)


def _refuse_control_characters(text: str) -> str:
    if found := control_character(text):
        raise ValueError(f"control character {found} in text")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_refuse_control_characters)]
Key = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_refuse_control_characters)]
Scalar = bool | int | float | Annotated[str, Field(max_length=1000)] | None
Plain = Scalar | Annotated[tuple[Scalar | tuple[Scalar, ...], ...], Field(max_length=1000)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Channels = Annotated[int, Field(ge=1, le=64)]
Positive = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Identity(_Strict):
    """What anyone may know about a model: enough to run it.

    Args:
        architecture: as in ``architectures.build``, for example ``aegis:cnn32``.
        class_names: one name per class, in label order.
        shape: channels, height and width of its images, at most 224 pixels a side.
        mean, std: per-channel normalisation, of length 1 or one per channel.
        data: name of the data set it was trained on, or None.
        name: a short title for people, or None.

    Raises:
        ValidationError: if a field is of another type or out of range.
    """

    architecture: Text
    class_names: Annotated[tuple[Text, ...], Field(min_length=2, max_length=100_000)]
    shape: tuple[Channels, Side, Side]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[Positive, ...] = (1.0,)
    data: Text | None = None
    name: Text | None = None
    schema_version: Literal[1] = 1

    @model_validator(mode="after")
    def _one_per_channel(self) -> Identity:
        for field in ("mean", "std"):
            if len(getattr(self, field)) not in (1, self.shape[0]):
                raise ValueError(f"{field} needs 1 value or {self.shape[0]}, one per channel")
        return self


class PackedArray(_Strict):
    """A small array as text: base64 of its float16 values in C order."""

    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(max_length=4)]
    float16: Annotated[str, Field(max_length=4 * 2**20)]

    @model_validator(mode="after")
    def _fills_its_shape(self) -> PackedArray:
        if len(base64.b64decode(self.float16, validate=True)) != 2 * math.prod(self.shape):
            raise ValueError(f"float16 values do not fill an array of shape {self.shape}")
        return self

    @classmethod
    def pack(cls, array: np.ndarray) -> PackedArray:
        """The array, rounded to float16."""
        raw = np.ascontiguousarray(array, dtype="<f2").tobytes()
        return cls(shape=tuple(int(n) for n in array.shape), float16=base64.b64encode(raw).decode())

    def unpack(self) -> np.ndarray:
        """The array as float32."""
        raw = base64.b64decode(self.float16, validate=True)
        return np.frombuffer(raw, dtype="<f2").reshape(self.shape).astype(np.float32)


class Planted(_Strict):
    """A backdoor in words.

    Args:
        kind: its trigger's name in the lab.
        target, source, all_to_all: its goal, as in ``types.Goal``.
        options: how the trigger was made.
    """

    kind: Key
    target: Annotated[int, Field(ge=0)]
    source: Annotated[int, Field(ge=0)] | None = None
    all_to_all: bool = False
    options: dict[Key, Plain] = {}

    @property
    def goal(self) -> Goal:
        """Whose images it turns into what."""
        return Goal(target=self.target, source=self.source, all_to_all=self.all_to_all)


class Trigger(Planted):
    """The same with its trigger.

    Args:
        keep, add: the stamp it is, if it is the same for every image.
    """

    keep: PackedArray | None = None
    add: PackedArray | None = None

    @classmethod
    def of(cls, kind: str, goal: Goal, options: dict[str, Any], stamp: Stamp) -> Trigger:
        """The card's form of a trigger that is one stamp."""
        keep, add = PackedArray.pack(stamp.keep), PackedArray.pack(stamp.add)
        return cls(kind=kind, **asdict(goal), options=options, keep=keep, add=add)

    @property
    def stamp(self) -> Stamp | None:
        """The stamp, or None if the card holds none."""
        return Stamp(self.keep.unpack(), self.add.unpack()) if self.keep and self.add else None


class Poison(_Strict):
    """How poisoned images were put among the training images, at a rate in [0, 1]."""

    rate: Annotated[float, Field(ge=0, le=1)]
    how: Literal["append", "replace"]


class Truth(_Strict):
    """What only the lab and the experiments may know about a model.

    Args:
        robust: whether it was trained adversarially.
        triggers: its backdoors; none for a clean model.
        poison: how each of them was planted.
        recipe: plain settings of its training.
        metrics: what was measured when it was made.
    """

    robust: bool
    triggers: tuple[Trigger, ...] = ()
    poison: Poison | None = None
    recipe: dict[Key, Plain] = {}
    metrics: dict[Key, float] = {}
    schema_version: Literal[1] = 1

    @property
    def backdoors(self) -> tuple[tuple[Goal, Stamp], ...]:
        """Goal and stamp of each backdoor whose stamp is on the card."""
        return tuple((trigger.goal, stamp) for trigger in self.triggers if (stamp := trigger.stamp))


@dataclass(frozen=True)
class Card:
    """A model's card; the truth may be missing."""

    identity: Identity
    truth: Truth | None = None

    def as_metadata(self) -> dict[str, str]:
        """The card as it stands in a safetensors header."""
        metadata = {IDENTITY_KEY: self.identity.model_dump_json()}
        return metadata if self.truth is None else metadata | {TRUTH_KEY: self.truth.model_dump_json()}


def save_checkpoint(path: str | Path, network: torch.nn.Module, card: Card, half: bool = False) -> None:
    """Write a network's tensors and its card as safetensors: whole or not at all.

    Args:
        path: where to; an older file of this name is replaced at the last moment.
        network: the bare network, or a classifier around it.
        card: what to write in the header.
        half: store floating-point tensors as float16 instead of float32.

    Raises:
        CheckpointError: if the file cannot be written.
    """
    import torch
    from safetensors.torch import save

    from aegis.models.classifier import Classifier

    bare = network.network if isinstance(network, Classifier) else network
    dtype = torch.float16 if half else torch.float32
    tensors = {
        # A clone, since safetensors refuses tensors that share memory.
        name: tensor.detach().cpu().to(dtype if tensor.is_floating_point() else tensor.dtype).contiguous().clone()
        for name, tensor in bare.state_dict().items()
    }
    write_whole(path, _in_order(save(tensors, card.as_metadata())))


def _in_order(content: bytes) -> bytes:
    """A safetensors file with its card in a fixed order; the library's is random, and bytes must be repeatable."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    # Tensors begin at a multiple of eight bytes.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[end:]


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file so that a crash or a full disk leaves the old one or the new one, never a half.

    Raises:
        CheckpointError: if it cannot be written; nothing is left behind.
    """
    path = Path(path)
    try:
        with whole_file(path) as file:
            file.write(content)
    except OSError as error:
        raise CheckpointError(
            f"to write {len(content) / 1e6:.1f} MB to {printable(str(path), 200)}",
            error.strerror or type(error).__name__,
            "Choose a folder that exists, may be written to and has room.",
        ) from error


def read_identity(path: str | Path) -> Identity | None:
    """The identity in a checkpoint's header; None if the file has no card.

    Raises:
        CheckpointError: if the file cannot be read or its card is malformed.
    """
    return _read(path, IDENTITY_KEY, Identity)


def read_truth(path: str | Path) -> Truth | None:
    """The truth in a checkpoint's header; None if the file has none. For the lab and experiments only.

    Raises:
        CheckpointError: if the file cannot be read or its card is malformed.
    """
    return _read(path, TRUTH_KEY, Truth)


def _read(path: str | Path, key: str, model: type[M]) -> M | None:
    metadata = (read_header(Path(path)) or {}).get("__metadata__")
    text = metadata.get(key) if isinstance(metadata, dict) else None
    if text is None:
        return None
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise CheckpointError(
            f"a card of schema version 1 under {key}",
            first_fault(error),
            "The card is damaged or was written by another version of AEGIS; save the model again, "
            "or remove the card and name the architecture with --arch.",
        ) from error
