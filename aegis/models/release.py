"""Reads what lies beside the weights of a release: config.json, as timm and transformers write it; without torch.

It is as hostile as the weights: of bounded size, typed, and nothing of it is more than names and numbers.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aegis.core.errors import CheckpointError
from aegis.core.text import count_of, first_fault, printable
from aegis.models.card import MAX_SIDE, Key, Positive, Text
from aegis.models.intake.file_kinds import INDEX, JOIN
from aegis.models.intake.formats import opened

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
CONFIG, PREPROCESSOR, INDICES = "config.json", "preprocessor_config.json", ".index.json"
# Configurations with the names of 20,000 classes, in two directions, take one.
CONFIG_LIMIT = 4 * 2**20
# Options that change nothing in evaluation, or that the data decides.
WITHOUT_EFFECT = re.compile(r"(?:\w*drop\w*_rate|num_classes|in_chans|scriptable|exportable)")
# What makes a library read other weights.
FETCHING = ("pretrained", "checkpoint", "cache", "weights")
_NAME = re.compile(r"(?:(?:aegis|torchvision|timm):)?[A-Za-z0-9_]{1,100}(?:\.[A-Za-z0-9_.]{1,100})?")

M = TypeVar("M", bound=BaseModel)
Numbers = Annotated[tuple[float, ...], Field(min_length=1, max_length=64)]
Names = Annotated[tuple[Text, ...], Field(max_length=100_000)]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class _Images(_Plain):
    """What timm says of the images, in its own part or beside all else."""

    mean: Numbers | None = None
    std: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=64)] | None = None
    input_size: tuple[int, int, int] | None = None
    label_names: Names | None = None


class _Config(_Images):
    architecture: Text | None = None
    architectures: Annotated[tuple[Text, ...], Field(max_length=20)] | None = None
    num_classes: Annotated[int, Field(ge=1, le=100_000)] | None = None
    id2label: Annotated[dict[Key, Text], Field(max_length=100_000)] | None = None
    model_args: Annotated[dict[Key, Any], Field(max_length=100)] = {}
    pretrained_cfg: _Images = _Images()


class _Preprocessor(_Plain):
    image_mean: Numbers | None = None
    image_std: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=64)] | None = None
    do_normalize: bool = True
    do_rescale: bool = True


@dataclass(frozen=True)
class Release:
    """What the files beside the weights say.

    Args:
        architecture: its plain name with options, or as in ``architectures.build``; None if it is one of transformers.
        of_transformers: name of the class in transformers that the network is of, or None.
        class_names: one name for each class, numbers if only their count is told, or None.
        shape: channels, height and width of images, or None.
        mean, std: normalisation by channel, or None.
    """

    architecture: str | None
    of_transformers: str | None = None
    class_names: tuple[str, ...] | None = None
    shape: tuple[int, int, int] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


def weights_of(path: Path) -> Path:
    """Finds the weights of a release.

    Args:
        path: its folder, or any file.

    Returns:
        The file of weights in the folder; any other path as it is.

    Raises:
        CheckpointError: if it is a folder without weights in one file.
    """
    if not path.is_dir():
        return path
    for name in WEIGHTS:
        if (path / name).exists():
            return path / name
    try:
        names = sorted(one.name for one in path.iterdir())
    except OSError as error:
        raise CheckpointError("a folder that may be read", error.strerror or "", "Check its permissions.") from error
    expected = f"a checkpoint file, or a folder with {' or '.join(WEIGHTS)}"
    if indices := [name for name in names if name.endswith(INDICES)]:
        raise CheckpointError(expected, f"one with {INDEX}: {printable(indices[0])}", JOIN)
    if ".metadata" in names:
        convert = "python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt"
        raise CheckpointError(
            expected, f"a distributed checkpoint: {printable(str(path))!r}", f"Convert it: {convert}."
        )
    listed = f"{count_of(len(names), 'entry')}: {', '.join(map(printable, names[:3]))}" if names else "nothing"
    raise CheckpointError(expected, f"a folder that holds {listed}", "Name the file itself.")


def release_beside(weights: Path) -> Release | None:
    """Reads what lies beside the weights of a release.

    Args:
        weights: a checkpoint.

    Returns:
        What is said; None for a file of another name, or one without a configuration that names a network.

    Raises:
        CheckpointError: if the configuration is damaged, too large or says something impossible.
    """
    text = _text(weights, CONFIG)
    if text is None:
        return None
    config = _parsed(_Config, text, CONFIG)
    if config.architecture is None and not config.architectures:
        return None
    images = config.pretrained_cfg
    size = images.input_size or config.input_size
    mean, std = images.mean or config.mean, images.std or config.std
    if mean is None and std is None and (text := _text(weights, PREPROCESSOR)) is not None:
        mean, std = _normalisation(_parsed(_Preprocessor, text, PREPROCESSOR))
    return Release(
        architecture=None if config.architecture is None else _with_options(config.architecture, config.model_args),
        of_transformers=config.architectures[0] if config.architectures else None,
        class_names=_class_names(config),
        shape=size if size and 0 < size[0] <= 64 and all(0 < side <= MAX_SIDE for side in size[1:]) else None,
        mean=mean,
        std=std,
    )


def digest_beside(weights: Path) -> str | None:
    """Computes the SHA-256 of what lies beside the weights of a release; None where nothing does.

    Args:
        weights: a checkpoint.

    Raises:
        CheckpointError: if it cannot be read or is too large.
    """
    texts = [text for name in (CONFIG, PREPROCESSOR) if (text := _text(weights, name)) is not None]
    return hashlib.sha256(b"\0".join(texts)).hexdigest() if texts else None


def _text(weights: Path, name: str) -> bytes | None:
    path = weights.with_name(name)
    if weights.name not in WEIGHTS or not path.exists():
        return None
    with opened(path) as file:
        text = file.read(CONFIG_LIMIT + 1)
    if len(text) > CONFIG_LIMIT:
        raise _damaged(name, f"one of more than {CONFIG_LIMIT >> 20} MiB")
    return text


def _parsed(model: type[M], text: bytes, name: str) -> M:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _damaged(name, first_fault(error)) from error


def _damaged(name: str, got: str) -> CheckpointError:
    return CheckpointError(
        f"a {name} beside the weights as timm and transformers write it",
        got,
        "Correct it, or copy the weights to a folder of their own and give --arch, --mean and --std.",
    )


def _normalisation(said: _Preprocessor) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    if not said.do_normalize:
        return None, None
    if said.do_rescale or said.image_mean is None or said.image_std is None:
        return said.image_mean, said.image_std
    # It is applied to pixels from 0 to 255.
    return tuple(value / 255 for value in said.image_mean), tuple(value / 255 for value in said.image_std)


def _class_names(config: _Config) -> tuple[str, ...] | None:
    count, names = config.num_classes, config.label_names or config.pretrained_cfg.label_names
    labelled = config.id2label or {}
    if labelled.keys() == {str(label) for label in range(len(labelled))} != set():
        names = names or tuple(labelled[str(label)] for label in range(len(labelled)))
    if names and count in (None, len(names)):
        return names
    return None if count is None else tuple(map(str, range(count)))


def _with_options(name: str, options: dict[str, Any]) -> str:
    """Writes an architecture with the options that its release was built with."""
    if not _NAME.fullmatch(name):
        raise _damaged(CONFIG, f"{printable(name)!r} as the name of an architecture")
    written = [name.partition(".")[0]]
    for option, value in options.items():
        if isinstance(value, list) and len(value) == 2 and value[0] == value[1]:
            value = value[0]
        if value is None or WITHOUT_EFFECT.fullmatch(option):
            continue
        if type(value) is not int or not option.isidentifier() or option.startswith(FETCHING):
            raise CheckpointError(
                f"options of the architecture in {CONFIG} that are whole numbers and say how it is built",
                f"{printable(option)}={printable(repr(value))}",
                "Give --arch module:factory, code of your own that builds the network.",
            )
        written.append(f"{option}={value}")
    return ",".join(written)
