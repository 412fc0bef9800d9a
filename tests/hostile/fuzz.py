"""Valid files of every format, damaged where their structure is, and what must be true of any of them."""

import contextlib
import copy
import io
import json
import os
import pickle
import pickletools
import struct
import tarfile
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from hypothesis import strategies as st
from safetensors.torch import save

from aegis.core.errors import AegisError, CheckpointError
from aegis.data.arrays import to_dataset
from aegis.data.npz import read_npz
from aegis.data.pictures import read_pictures
from aegis.models.card import Card, Identity, read_identity
from aegis.models.intake.formats import recognise
from aegis.models.intake.sandbox_output import take
from aegis.models.intake.tensor_limits import room_for
from tests.hostile.case import Canary
from tests.hostile.doors import QUICK, unconfined
from tests.hostile.pickles import system
from tests.hostile.pictures import encoded, pack, photos

STATE = OrderedDict(weight=torch.arange(6.0).reshape(2, 3), bias=torch.ones(3), count=torch.tensor(7))
CARD = Card(Identity(architecture="aegis:cnn16", class_names=("a", "b"), shape=(1, 12, 12)))
# Where the canary of every mutated pickle would sing.
CAGE = Canary(Path(tempfile.gettempdir(), f"aegis-canary-{os.getpid()}"))


def _saved(**options: object) -> bytes:
    buffer = io.BytesIO()
    torch.save({"model": STATE, "epoch": 3}, buffer, **options)
    return buffer.getvalue()


GOOD = {
    "safetensors": save(dict(STATE), CARD.as_metadata()),
    "torch zip": _saved(),
    "torch pickle": _saved(_use_new_zipfile_serialization=False),
}


@dataclass
class Outcomes:
    """What became of mutated files."""

    tried: int = 0
    refused: int = 0
    loaded: int = 0
    executed: int = 0


@contextlib.contextmanager
def _one_more(outcomes: Outcomes) -> Iterator[None]:
    outcomes.tried += 1
    try:
        yield
    except AegisError as error:
        outcomes.refused += 1
        said = str(error)
        assert said.isprintable()
        assert len(said) < 5000
    else:
        outcomes.loaded += 1
    outcomes.executed += CAGE.sang


def attempt(content: bytes, folder: Path, outcomes: Outcomes) -> None:
    """Read a file as the worker and its parent do; any end but a message or plain tensors is an error of the test.

    Args:
        content: of the file.
        folder: to work in.
        outcomes: is added to.
    """
    source, out = folder / "file", folder / "out"
    source.write_bytes(content)
    for left in (out, out.with_name(f"{out.name}.json")):
        left.unlink(missing_ok=True)
    # What commands and pages look at without a process of its own.
    for look in (recognise, read_identity):
        with contextlib.suppress(CheckpointError):
            look(source)
    with _one_more(outcomes):
        unconfined(source, out, QUICK)
        tensors, *_ = take(out, room_for(len(content)))
        assert tensors
        assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
        assert out.stat().st_size <= room_for(len(content)) + 2**20


def attempt_images(content: bytes, kind: str, folder: Path, outcomes: Outcomes) -> None:
    """The same for images: a data set with pixels in [0, 1], or one message."""
    source = folder / f"images{kind}"
    source.write_bytes(content)
    with _one_more(outcomes):
        data = to_dataset(read_npz(source) if kind == ".npz" else read_pictures(source), "images")
        assert 0 <= data.train.pixels.min() <= data.train.pixels.max() <= 1


def attempt_picture(content: bytes, folder: Path, outcomes: Outcomes) -> None:
    """The same for one picture among others."""
    pack(folder / "packed.zip", photos(content))
    attempt_images((folder / "packed.zip").read_bytes(), ".zip", folder, outcomes)


POSITIONS = st.integers(0, 2**20)
EXTREMES = st.sampled_from([0, 1, -1, 2, 7, 255, 2**16, 2**31 - 1, 2**32 - 1, 2**53, 2**63 - 1, 2**64 - 1, 2**70])
VALUES = st.one_of(
    EXTREMES,
    st.none(),
    st.booleans(),
    st.floats(),
    st.text(max_size=8),
    st.lists(EXTREMES, max_size=4),
    st.sampled_from(["F32", "F64", "BF16", "I8", "BOOL", "F8_E4M3", "U64", "\ud800", "\x1b[31m", "__metadata__"]),
)


@st.composite
def bytes_changed(draw: st.DrawFn, good: bytes) -> bytes:
    """Bytes overwritten, cut, doubled and put in."""
    content = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(POSITIONS) % max(1, len(content))
        kind = draw(st.sampled_from(["flip", "set", "cut", "double", "insert", "end"]))
        if kind == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            some = draw(st.binary(min_size=1, max_size=8))
            content[at : at + len(some)] = some
        elif kind == "cut":
            del content[at : at + draw(st.integers(1, 64))]
        elif kind == "double":
            content[at:at] = content[at : at + draw(st.integers(1, 64))]
        elif kind == "insert":
            content[at:at] = draw(st.binary(max_size=16))
        else:
            del content[at:]
    return bytes(content)


@st.composite
def headers_changed(draw: st.DrawFn) -> bytes:
    """A safetensors header whose entries, types, shapes and offsets are others, with a length that is right."""
    good = GOOD["safetensors"]
    end = 8 + int.from_bytes(good[:8], "little")
    header = copy.deepcopy(json.loads(good[8:end]))
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(header)))
        entry = header[name]
        key = draw(st.sampled_from(sorted(entry))) if isinstance(entry, dict) and entry else None
        kind = draw(st.sampled_from(["value", "number", "drop", "rename", "copy"]))
        if kind == "drop":
            header.pop(name)
        elif kind in ("rename", "copy"):
            header[draw(st.text(max_size=12))] = entry if kind == "copy" else header.pop(name)
        elif key is None:
            header[name] = draw(VALUES)
        elif kind == "number" and isinstance(entry[key], list) and entry[key]:
            entry[key][draw(POSITIONS) % len(entry[key])] = draw(EXTREMES)
        else:
            entry[key] = draw(VALUES)
        if not header:
            break
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + good[end:]


@st.composite
def opcodes_changed(draw: st.DrawFn) -> bytes:
    """The pickle in a torch file with opcodes dropped, doubled, swapped and taken from a pickle that runs code."""
    entries = unzipped(GOOD["torch zip"])
    name = next(name for name in entries if name.endswith("data.pkl"))
    steps = _opcodes(entries[name])
    evil = _opcodes(pickle.dumps(system(CAGE), 2))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(POSITIONS) % max(1, len(steps))
        kind = draw(st.sampled_from(["drop", "double", "swap", "evil", "graft"]))
        if kind == "drop":
            del steps[at : at + 1]
        elif kind == "double":
            steps[at:at] = steps[at : at + draw(st.integers(1, 8))]
        elif kind == "swap" and steps:
            other = draw(POSITIONS) % len(steps)
            steps[at], steps[other] = steps[other], steps[at]
        elif kind == "evil":
            steps[at:at] = [draw(st.sampled_from(evil))]
        else:
            steps[at:at] = evil[1:-1]
    entries[name] = b"".join(steps)
    return zipped(entries)


@st.composite
def archives_changed(draw: st.DrawFn) -> bytes:
    """A torch file with other numbers in its headers, its list of entries and its end."""
    content = bytearray(GOOD["torch zip"])
    marks = [
        at
        for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07")
        for at in range(len(content))
        if content.startswith(mark, at)
    ]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(marks)) + draw(st.integers(4, 45))
        size = draw(st.sampled_from([1, 2, 4, 8]))
        content[at : at + size] = (draw(EXTREMES) % 2 ** (8 * size)).to_bytes(size, "little")
    return bytes(content)


def _opcodes(content: bytes) -> list[bytes]:
    positions = [position for _, _, position in pickletools.genops(content)]
    return [content[start:end] for start, end in zip(positions, [*positions[1:], len(content)], strict=True)]


def unzipped(content: bytes) -> dict[str, bytes]:
    """Entries of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(entries: dict[str, bytes]) -> bytes:
    """The same packed again, with checksums that are right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _images() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        files = photos(
            encoded("JPEG"), "jpg", more=[("bee/more.tif", encoded("TIFF", "RGB")), ("ant/x.gif", encoded("GIF"))]
        )
        pack(Path(folder, "a.zip"), files)
        x, y = np.zeros((4, 6, 6), np.uint8), np.array([0, 1, 0, 1])
        np.savez(Path(folder, "a.npz"), x_train=x, y_train=y, x_test=x, y_test=y, class_names=np.array(["a", "b"]))
        for kind, mode in ((".tar", "w"), (".tar.gz", "w:gz")):
            with tarfile.open(Path(folder, f"a{kind}"), mode) as archive:
                for name, content in files:
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
        return {path.name.removeprefix("a"): path.read_bytes() for path in sorted(Path(folder).iterdir())}


IMAGES = _images()
MODES = {"PNG": "P", "JPEG": "RGB", "GIF": "P", "TIFF": "RGB", "BMP": "RGB", "WEBP": "RGB", "PPM": "L"}
IMAGE_MUTATIONS = {kind: bytes_changed(good) for kind, good in IMAGES.items()}
PICTURE_MUTATIONS = {kind: bytes_changed(encoded(kind, mode, size=(9, 7))) for kind, mode in MODES.items()}
MUTATIONS = {
    **{f"{kind}: bytes": bytes_changed(good) for kind, good in GOOD.items()},
    "safetensors: header": headers_changed(),
    "torch zip: opcodes": opcodes_changed(),
    "torch zip: archive": archives_changed(),
}
