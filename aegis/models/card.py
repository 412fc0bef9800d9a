"""The card in a checkpoint's header: the identity, which anyone may read, and the truth, which only the lab may read.

Reading a card needs no torch, so that the Home page lists suspects at once.
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
from aegis.core.varying import RoamingStamp, WarpStamp
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
    """Tells what is needed to run a model.

    Args:
        architecture: as in ``architectures.build``, for example ``aegis:cnn32``.
        class_names: one name for each class, in label order.
        shape: channels, height and width of its images, at most 224 pixels a side.
        mean, std: per-channel normalisation, of length 1 or one per channel; std above 0.
        data: name of the data set it was trained on, or None.
        name: a short title for people, or None.
        schema_version: version of the card's format.

    Raises:
        ValidationError: if a field has another type or is out of range.
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
    """Holds a small array as text: base64 of its float16 values in C order.

    Args:
        shape: shape of the array, at most four axes.
        float16: the base64 text.

    Raises:
        ValidationError: if the values do not fill the shape.
    """

    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(max_length=4)]
    float16: Annotated[str, Field(max_length=4 * 2**20)]

    @model_validator(mode="after")
    def _fills_its_shape(self) -> PackedArray:
        if len(base64.b64decode(self.float16, validate=True)) != 2 * math.prod(self.shape):
            raise ValueError(f"float16 values do not fill an array of shape {self.shape}")
        return self

    @classmethod
    def pack(cls, array: np.ndarray) -> PackedArray:
        """Packs an array, rounded to float16.

        Args:
            array: numbers of any shape.

        Returns:
            The packed array.
        """
        raw = np.ascontiguousarray(array, dtype="<f2").tobytes()
        return cls(shape=tuple(int(n) for n in array.shape), float16=base64.b64encode(raw).decode())

    def unpack(self) -> np.ndarray:
        """Gives the array as float32."""
        raw = base64.b64decode(self.float16, validate=True)
        return np.frombuffer(raw, dtype="<f2").reshape(self.shape).astype(np.float32)


class Planted(_Strict):
    """Describes a backdoor that was planted in training.

    Args:
        kind: name of its trigger, a key of ``lab.triggers.TRIGGERS``.
        target, source, all_to_all: its goal, as in ``types.Goal``.
        options: settings of the trigger that differ from the paper's.
    """

    kind: Key
    target: Annotated[int, Field(ge=0)]
    source: Annotated[int, Field(ge=0)] | None = None
    all_to_all: bool = False
    options: dict[Key, Plain] = {}

    @property
    def goal(self) -> Goal:
        """The images it is made for and the class they are led to."""
        return Goal(target=self.target, source=self.source, all_to_all=self.all_to_all)


class Trigger(Planted):
    """Describes a planted backdoor together with its trigger.

    Args:
        keep, add: the stamp, or None if the card holds none.
        flow: of a warp, as in ``varying.WarpStamp``; else None.
        roams: whether the stamp lies elsewhere on each image.
    """

    keep: PackedArray | None = None
    add: PackedArray | None = None
    # Written only where they say something, so that cards of all other triggers stay the same, byte by byte.
    flow: PackedArray | None = Field(default=None, exclude_if=lambda flow: flow is None)
    roams: bool = Field(default=False, exclude_if=lambda roams: not roams)

    @model_validator(mode="after")
    def _warps_the_whole_image(self) -> Trigger:
        if self.flow is not None and (self.keep is None or self.flow.shape != (2, *self.keep.shape[1:])):
            raise ValueError("a flow needs two numbers for each pixel of the stamp")
        return self

    @classmethod
    def of(cls, kind: str, goal: Goal, options: dict[str, Any], stamp: Stamp) -> Trigger:
        """Creates the card's form of a trigger that is a stamp.

        Args:
            kind: name of the trigger.
            goal: its goal.
            options: settings of the trigger that differ from the paper's.
            stamp: the change it makes to every image.

        Returns:
            The trigger, with its stamp rounded to float16.
        """
        keep, add = PackedArray.pack(stamp.keep), PackedArray.pack(stamp.add)
        flow = PackedArray.pack(stamp.flow) if isinstance(stamp, WarpStamp) else None
        roams = isinstance(stamp, RoamingStamp)
        return cls(kind=kind, **asdict(goal), options=options, keep=keep, add=add, flow=flow, roams=roams)

    @property
    def stamp(self) -> Stamp | None:
        """The stamp, or None if the card holds none."""
        if not (self.keep and self.add):
            return None
        keep, add = self.keep.unpack(), self.add.unpack()
        if self.flow is not None:
            return WarpStamp(keep, add, self.flow.unpack())
        return RoamingStamp(keep, add) if self.roams else Stamp(keep, add)


class Poison(_Strict):
    """Tells how poisoned images were put into the training images.

    Args:
        rate: number of poisoned images as a share of the clean ones, in [0, 1].
        how: ``append``, ``replace`` or ``clean-label``, as in ``lab.poison.poison``.
    """

    rate: Annotated[float, Field(ge=0, le=1)]
    how: Literal["append", "replace", "clean-label"]


class Truth(_Strict):
    """Tells what only the lab and the experiments may know about a model.

    Args:
        robust: whether it was trained adversarially.
        triggers: its backdoors; none for a clean model.
        poison: how each backdoor was planted; None for a clean model.
        recipe: settings of its training.
        metrics: what was measured after training, by name.
        schema_version: version of the card's format.
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
    """Holds a model's identity and, if known, the truth about it.

    Args:
        identity: what is needed to run the model.
        truth: how it was made, or None.
    """

    identity: Identity
    truth: Truth | None = None

    def as_metadata(self) -> dict[str, str]:
        """Gives the card as the metadata of a safetensors header."""
        metadata = {IDENTITY_KEY: self.identity.model_dump_json()}
        return metadata if self.truth is None else metadata | {TRUTH_KEY: self.truth.model_dump_json()}


def save_checkpoint(path: str | Path, network: torch.nn.Module, card: Card, half: bool = False) -> None:
    """Writes a network's tensors and its card as safetensors, completely or not at all.

    Args:
        path: the file to write; an older one is replaced at the last moment.
        network: the bare network, or a classifier around it.
        card: the card for the header.
        half: whether to store floating-point tensors as float16 instead of float32.

    Raises:
        CheckpointError: if the file cannot be written.
    """
    import torch
    from safetensors.torch import save

    from aegis.models.classifier import Classifier

    bare = network.network if isinstance(network, Classifier) else network
    dtype = torch.float16 if half else torch.float32
    tensors = {
        # safetensors refuses tensors that share memory, so each is cloned.
        name: tensor.detach().cpu().to(dtype if tensor.is_floating_point() else tensor.dtype).contiguous().clone()
        for name, tensor in bare.state_dict().items()
    }
    write_whole(path, _in_order(save(tensors, card.as_metadata())))


def _in_order(content: bytes) -> bytes:
    """Puts the metadata of a safetensors file in a fixed order, because the library's is random and files must be
    repeatable.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    # The format wants tensors to begin at a multiple of eight bytes.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[end:]


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes a file, completely or not at all, even through a crash or a full disk.

    Args:
        path: the file to write; an existing one is replaced.
        content: its bytes.

    Raises:
        CheckpointError: if it cannot be written.
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
    """Reads the identity from a checkpoint's header.

    Args:
        path: the checkpoint.

    Returns:
        The identity, or None if the file has no card.

    Raises:
        CheckpointError: if the file cannot be read or its card is malformed.
    """
    return _read(path, IDENTITY_KEY, Identity)


def read_truth(path: str | Path) -> Truth | None:
    """Reads the truth from a checkpoint's header; only the lab and the experiments may call this.

    Args:
        path: the checkpoint.

    Returns:
        The truth, or None if the file has none.

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
