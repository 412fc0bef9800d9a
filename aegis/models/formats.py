"""What a file is, told by its content and never by its name; standard library only, so that it is quick."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from pathlib import Path
from typing import Any, Literal

from aegis.errors import CheckpointError

Format = Literal["safetensors", "torch zip", "torch pickle"]

IDENTITY_KEY, TRUTH_KEY = "aegis.identity", "aegis.truth"
FILE_LIMIT = 4 * 2**30
# A header names tensors and holds the card; one that is larger is an attempt to fill the memory.
HEADER_LIMIT = 16 * 2**20

WHAT_IS_READ = "a checkpoint: safetensors, or a state dictionary written by torch.save"
SAVE_PLAINLY = (
    "Save the tensors alone: safetensors.torch.save_file(model.state_dict(), 'model.safetensors'), "
    "and name the architecture with --arch."
)
SAVE_LESS = "Save the weights alone, without the optimiser."
COPY_AGAIN = "The file is truncated or damaged; copy or save it again."

_OTHERS = {
    b"\x89HDF": "an HDF5 file, as Keras writes",
    b"\x93NUMPY": "a NumPy array",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"GGUF": "a GGUF file",
    b"\x78\x01": "zlib data, as joblib writes",
    b"\x78\x9c": "zlib data, as joblib writes",
    b"\x78\xda": "zlib data, as joblib writes",
    b"version https://git-lfs": "a Git LFS pointer, not the file it points to",
}


def recognise(path: Path) -> Format:
    """The format of a checkpoint.

    Raises:
        CheckpointError: if it is not a regular file, too large, or in no format that is read.
    """
    size = regular_size(path)
    with path.open("rb") as file:
        head = file.read(512)
    if head[8:9] == b"{" and _as_text(head, size) is None:
        if 8 + int.from_bytes(head[:8], "little") <= size:
            return "safetensors"
        raise CheckpointError(
            "a whole safetensors file",
            f"a header that claims {int.from_bytes(head[:8], 'little')} bytes in a file of {size}",
            COPY_AGAIN,
        )
    if head.startswith(b"PK\x03\x04"):
        _check_archive(path)
        return "torch zip"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch pickle"
    raise CheckpointError(WHAT_IS_READ, _other(head, size), SAVE_PLAINLY)


def regular_size(path: Path) -> int:
    """Bytes of a file that is not a folder, device or pipe, and not too large.

    Raises:
        CheckpointError: if it is anything else.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise CheckpointError("a checkpoint file", f"{str(path)!r}: {error.strerror}", "Check the path.") from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or pipe"
        raise CheckpointError("a checkpoint file", f"{kind}: {str(path)!r}", "Name the file itself.")
    if found.st_size > FILE_LIMIT:
        raise CheckpointError(
            f"a checkpoint of at most {FILE_LIMIT >> 30} GiB",
            f"{found.st_size / 2**30:.1f} GiB",
            SAVE_LESS,
        )
    return found.st_size


def file_digest(path: Path) -> str:
    """SHA-256 of a checkpoint file, in hex.

    Raises:
        CheckpointError: if it is no regular file, is too large or cannot be read.
    """
    regular_size(path)  # before reading, since the path may lead to a device without end
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(
            "a checkpoint file that may be read", f"{str(path)!r}: {error.strerror}", "Check its permissions."
        ) from error


def read_header(path: Path) -> dict[str, Any] | None:
    """The header of a safetensors file, or None for a file that is not one.

    Raises:
        CheckpointError: if the file cannot be read or the header is damaged.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            start = file.read(1)
            if start != b"{":
                return None
            if size > HEADER_LIMIT:
                raise CheckpointError(
                    f"a header of at most {HEADER_LIMIT >> 20} MiB", f"one that claims {size} bytes", SAVE_PLAINLY
                )
            text = start + file.read(size - 1)
    except OSError as error:
        raise CheckpointError("a checkpoint file", f"{str(path)!r}: {error.strerror}", "Check the path.") from error
    try:
        header = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            "a safetensors file whose header is whole", f"a header that cannot be read ({error})", COPY_AGAIN
        ) from error
    return header if isinstance(header, dict) else None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers may take two different ones of a repeated entry.
    if len(result := dict(pairs)) != len(pairs):
        raise ValueError("an entry stands in it twice")
    return result


def _other(head: bytes, size: int) -> str:
    if not size:
        return "an empty file"
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            return name
    if head[257:262] == b"ustar":
        return "a tar archive, as very old torch versions wrote"
    text = _as_text(head, size)
    return f"{size} bytes of an unknown kind" if text is None else f"a text file that begins {text[:40]!r}"


def _as_text(head: bytes, size: int) -> str | None:
    try:
        # A longer file's beginning may end in the middle of a character.
        text = head.decode(errors="strict" if size <= len(head) else "ignore")
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c.isspace() for c in text) else None


def _check_archive(path: Path) -> None:
    """Refuse zip files that torch.save did not write, and damaged ones: torch does not compare checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            kind = _archive_kind([entry.filename for entry in entries])
            if kind is not None:
                raise CheckpointError(WHAT_IS_READ, kind, SAVE_PLAINLY)
            if sum(e.file_size for e in entries) > FILE_LIMIT or any(e.compress_type for e in entries):
                raise CheckpointError(WHAT_IS_READ, "a compressed or oversized archive", SAVE_PLAINLY)
            wrong = [entry.filename for entry in entries if not _is_whole(archive, entry)]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise CheckpointError(
            "a whole file written by torch.save", f"a broken archive ({error})", COPY_AGAIN
        ) from error
    # torch can be told to write no checksums; then all of them are wrong.
    if 0 < len(wrong) < len(entries):
        raise CheckpointError("a whole file written by torch.save", f"damage in {', '.join(wrong[:3])}", COPY_AGAIN)


def _is_whole(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(entry) as file:
            while file.read(2**20):
                pass
    except zipfile.BadZipFile:
        return False
    return True


def _archive_kind(names: list[str]) -> str | None:
    ends = {name.partition("/")[2] or name for name in names}
    if "constants.pkl" in ends:
        return "a TorchScript program, which is code"
    if "archive_format" in ends:
        return "an exported program (.pt2), which is code"
    if "data.pkl" in ends:
        return None
    if any(name.endswith(".npy") for name in names):
        return "NumPy arrays (.npz)"
    if "model.weights.h5" in ends:
        return "a Keras model"
    return f"a zip archive that holds {', '.join(names[:3]) or 'nothing'}"
