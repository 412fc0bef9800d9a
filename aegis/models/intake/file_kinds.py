"""Recognises files that are no checkpoints by their first bytes, and advises their owner; standard library only."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from aegis.models.intake.pickles import is_pickle

SAVE_PLAINLY = (
    "Save the tensors alone: safetensors.torch.save_file(model.state_dict(), 'model.safetensors'), "
    "and name the architecture with --arch."
)
REBUILD = (
    "AEGIS scans PyTorch networks: build the same network in PyTorch, copy the weights into it, and save its "
    "state_dict() as safetensors."
)
INDEX = "the index of a network in several files"
JOIN = (
    "Join them: read each with safetensors.torch.load_file, and save all tensors together with "
    "safetensors.torch.save_file as model.safetensors."
)
UNPACK = "Unpack it and give the checkpoint in it."
FETCH_AGAIN = "The download failed: get the checkpoint itself."
NOT_A_MODEL = "Give the model's checkpoint here, and images with --data."

_OF_OLD_TORCH = ("sys_info", "pickle", "storages", "tensors")
# Characters of a text file that a message quotes.
_BEGINNING = 40


@dataclass(frozen=True)
class Foreign:
    """Describes a file that is no checkpoint.

    Args:
        what: what the file is, with its article.
        advice: what the user can do instead.
    """

    what: str
    advice: str = SAVE_PLAINLY


_MAGIC = {
    b"\x89HDF": Foreign("an HDF5 file, as Keras writes", REBUILD),
    b"GGUF": Foreign("a GGUF file, which holds a language model", "AEGIS scans image classifiers."),
    b"\x08\x01\x12": Foreign("a TensorFlow SavedModel", REBUILD),
    b"\x93NUMPY": Foreign("a NumPy array"),
    **{b"\x78" + level: Foreign("zlib data, as joblib writes") for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")},
    b"\x1f\x8b": Foreign("a gzip archive", UNPACK),
    b"BZh": Foreign("a bzip2 archive", UNPACK),
    b"\xfd7zXZ": Foreign("an xz archive", UNPACK),
    b"7z\xbc\xaf": Foreign("a 7z archive", UNPACK),
    b"Rar!": Foreign("a RAR archive", UNPACK),
    b"\x28\xb5\x2f\xfd": Foreign("a zstandard archive", UNPACK),
    b"\x89PNG": Foreign("a PNG picture", NOT_A_MODEL),
    b"\xff\xd8\xff": Foreign("a JPEG picture", NOT_A_MODEL),
    b"GIF8": Foreign("a GIF picture", NOT_A_MODEL),
    b"%PDF": Foreign("a PDF document", NOT_A_MODEL),
    b"\x7fELF": Foreign("a program for Linux, which is code"),
    b"MZ": Foreign("a program for Windows, which is code"),
    b"version https://git-lfs": Foreign(
        "a Git LFS pointer, not the file it points to", "Fetch the file itself: git lfs pull."
    ),
}
_TEXTS = {
    r"(?s)\s*\{.*\"weight_map\"\s*:": Foreign(INDEX, JOIN),
    r"(?s)\s*\{.*\"(architectures?|model_type|_name_or_path|pretrained_cfg)\"\s*:": Foreign(
        "the configuration of a release", "Give its folder, or the weights beside it."
    ),
    r"#!": Foreign("a script, which is code"),
    r"(?i)\s*(<!doctype html|<html|<head)": Foreign("a web page", FETCH_AGAIN),
    r"(\s|#.*\n|\"\"\"[^\"]*\"\"\")*(import |from [\w.]+ import |def \w+\(|class \w+)": Foreign(
        "Python source, which is code", "Give the weights, and name the code that builds the network with --arch."
    ),
}


def describe(head: bytes, size: int) -> Foreign:
    """Recognises a file that is no checkpoint.

    Args:
        head: its first bytes, at least 262 if the file has as many.
        size: bytes of the whole file.

    Returns:
        What the file is, with advice.
    """
    if not size:
        return Foreign("an empty file", "Copy or save it again.")
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[257:262] == b"ustar":
        name = head[:100].rstrip(b"\0").removeprefix(b"./").decode(errors="replace")
        if name in _OF_OLD_TORCH:
            return Foreign("a tar archive, as very old torch versions wrote", "Save it again with a torch of today.")
        return Foreign(f"a tar archive that begins with {name}", UNPACK)
    # ONNX and TensorFlow Lite have no magic number, but their first fields are always the same.
    if head[4:8] == b"TFL3":
        return Foreign("a TensorFlow Lite model", REBUILD)
    if re.match(rb"\x08[\x02-\x20]\x12.{1,64}?[\x1a:]", head, re.DOTALL):
        return Foreign("an ONNX model", REBUILD)
    if is_pickle(head, size):
        return Foreign("a pickle of protocol 0 or 1, which torch never wrote and which may run code")
    text = as_text(head, size)
    if text is None:
        return Foreign(f"{size} bytes of an unknown kind")
    for pattern, kind in _TEXTS.items():
        if re.match(pattern, text):
            return Foreign(f"{kind.what}: {text[:_BEGINNING]!r}", kind.advice)
    return Foreign(f"a text file that begins {text[:_BEGINNING]!r}")


def as_text(head: bytes, size: int) -> str | None:
    """Decodes the beginning of a file as UTF-8.

    Args:
        head: its first bytes.
        size: bytes of the whole file.

    Returns:
        The text, or None if the file is no text.
    """
    try:
        # The first bytes of a longer file may end in the middle of a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=size <= len(head))
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c.isspace() for c in text) else None


# Keys are names of entries, without the folder that torch puts around all of them.
_ENTRIES = {
    "constants.pkl": Foreign("a TorchScript program, which is code"),
    "archive_format": Foreign("an exported program (.pt2), which is code"),
    "serialized_exported_program.json": Foreign("an exported program (.pt2), which is code"),
    ".data/extern_modules": Foreign("a torch.package, which is code"),
    "model.weights.h5": Foreign("a Keras model", REBUILD),
    "saved_model.pb": Foreign("a TensorFlow SavedModel", REBUILD),
}


def describe_archive(names: list[str]) -> Foreign | None:
    """Recognises a zip archive by the names of its entries.

    Args:
        names: names of the entries.

    Returns:
        What the archive is, with advice; None for one that torch.save writes.
    """
    inner = {name.partition("/")[2] or name for name in names}
    for entry, kind in _ENTRIES.items():
        if entry in inner:
            return kind
    if "data.pkl" in inner:
        return None
    if any(name.endswith(".npy") for name in names):
        return Foreign("NumPy arrays (.npz)", NOT_A_MODEL)
    return Foreign(f"a zip archive that holds {', '.join(names[:3]) or 'nothing'}", UNPACK)
