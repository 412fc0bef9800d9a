"""Torch files whose archive lies, breaks off or is damaged."""

import io
import struct
import zipfile
from pathlib import Path

import torch

from tests.hostile.case import CHECKPOINTS
from tests.hostile.pickles import LEGACY, WEIGHTS

BROKEN, DAMAGE = "a broken archive", "damage in"


def good(**options) -> bytes:
    """A whole file of torch.save."""
    buffer = io.BytesIO()
    torch.save(WEIGHTS, buffer, **options)
    return buffer.getvalue()


def repack(path: Path, change=lambda name: name, method=zipfile.ZIP_STORED, more=()) -> None:
    """The same entries under other names, packed otherwise, or with more of them."""
    with zipfile.ZipFile(io.BytesIO(good())) as archive, zipfile.ZipFile(path, "w", method) as packed:
        for entry in archive.infolist():
            packed.writestr(change(entry.filename), archive.read(entry))
        for name, content in more:
            packed.writestr(name, content)


def _directory(content: bytes) -> int:
    return content.index(b"PK\x01\x02")


WHOLE = good()
for title, end in (
    ("in the first entry's name", 20),
    ("in the pickle", WHOLE.index(b"_rebuild_tensor")),
    ("in a tensor", WHOLE.index(b"archive/data/0") + 40),
    ("before its list of entries", _directory(WHOLE)),
    ("in its list of entries", _directory(WHOLE) + 60),
    ("in its end", len(WHOLE) - 10),
):
    CHECKPOINTS.add(f"torch file cut {title}", lambda path, canary, end=end: path.write_bytes(WHOLE[:end]), BROKEN)

OLD = good(**LEGACY)
for title, end in (("in its number", 4), ("in its pickle", len(OLD) // 2), ("in its tensors", len(OLD) - 3)):
    CHECKPOINTS.add(
        f"old torch file cut {title}", lambda path, canary, end=end: path.write_bytes(OLD[:end]), "Expected"
    )


def _flipped(position: int) -> bytes:
    content = bytearray(WHOLE)
    content[position] ^= 0x01
    return bytes(content)


for title, position, word in (
    ("in the pickle", WHOLE.index(b"_rebuild_tensor"), DAMAGE),
    ("in a tensor", WHOLE.index(WEIGHTS["weight"].numpy().tobytes()) + 4, DAMAGE),
    ("in an entry's name", WHOLE.index(b"archive/data/0"), BROKEN),
    ("in the list's names", WHOLE.rindex(b"archive/data/0"), BROKEN),
    ("in the list's mark", _directory(WHOLE), BROKEN),
    ("in its end", len(WHOLE) - 22, BROKEN),
):
    CHECKPOINTS.add(
        f"torch file with a flipped bit {title}",
        lambda path, canary, position=position: path.write_bytes(_flipped(position)),
        word,
    )


@CHECKPOINTS.case(BROKEN)
def torch_file_whose_list_has_names_that_read_like_a_wrong_checksum(path, canary):
    at = _directory(WHOLE)
    path.write_bytes(WHOLE[:at] + WHOLE[at:].replace(b"archive/", b"CRC 123/"))


for title, name in (
    ("climbs out", "archive/../../../.bashrc"),
    ("begins at the root", "/etc/cron.d/evil"),
    ("climbs out on Windows", "archive\\..\\..\\evil"),
):
    CHECKPOINTS.add(
        f"torch file with an entry that {title}",
        lambda path, canary, name=name: repack(path, more=((name, b"x"),)),
        "an entry that climbs out of it",
    )


@CHECKPOINTS.case("two entries named archive/data.pkl")
def torch_file_with_two_pickles(path, canary):
    import warnings

    with warnings.catch_warnings(action="ignore"):
        repack(path, more=(("archive/data.pkl", b"\x80\x02}."),))


@CHECKPOINTS.case("two entries named archive/data.pkl")
def torch_file_with_two_pickles_but_for_case(path, canary):
    repack(path, more=(("ARCHIVE/DATA.PKL", b"\x80\x02}."),))


@CHECKPOINTS.case("two models in one archive")
def torch_file_with_two_models(path, canary):
    repack(path, more=(("other/data.pkl", b"\x80\x02}."),))


@CHECKPOINTS.case("a compressed archive")
def torch_file_that_unpacks_to_a_hundred_times_its_size(path, canary):
    repack(path, method=zipfile.ZIP_DEFLATED, more=(("archive/data/9", bytes(20 * 2**20)),))


@CHECKPOINTS.case("an encrypted archive")
def torch_file_that_says_it_is_encrypted(path, canary):
    content = bytearray(WHOLE)
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + at] |= 1
    path.write_bytes(content)


@CHECKPOINTS.case("entries that claim")
def torch_file_whose_list_claims_terabytes(path, canary):
    content = bytearray(WHOLE)
    at = _directory(WHOLE)
    content[at + 20 : at + 28] = struct.pack("<II", 2**32 - 2, 2**32 - 2)
    path.write_bytes(content)


@CHECKPOINTS.case("entries that claim")
def torch_file_whose_entries_share_their_bytes(path, canary):
    """As the bombs that David Fifield showed: many entries, one place."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", bytes(1000))
        first = archive.infolist()[0]
        for number in range(50):
            entry = zipfile.ZipInfo(f"archive/data/{number}")
            entry.header_offset, entry.CRC = first.header_offset, first.CRC
            entry.file_size = entry.compress_size = 1000
            archive.filelist.append(entry)
        archive._didModify = True
    path.write_bytes(buffer.getvalue())


@CHECKPOINTS.case(BROKEN)
def torch_file_whose_end_claims_more(path, canary):
    """A 64-bit end with a list of an exabyte."""
    end = WHOLE[-22:]
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 6, 6, 2**60, _directory(WHOLE))
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(WHOLE) - 22, 1)
    path.write_bytes(WHOLE[:-22] + record + locator + end[:8] + b"\xff" * 12 + end[20:])


@CHECKPOINTS.case(BROKEN)
def torch_file_whose_list_of_entries_is_endless(path, canary):
    """Forty megabytes of list would become four hundred in memory."""
    with path.open("wb") as file:
        file.write(WHOLE[: _directory(WHOLE)])
        start, size = file.tell(), 40 * 2**20
        file.truncate(start + size)
        file.seek(0, io.SEEK_END)
        file.write(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, size, start, 0))


@CHECKPOINTS.case("unknown kind")
def torch_file_behind_something_else(path, canary):
    path.write_bytes(b"\xee\x01\x02\x03" * 16 + WHOLE)
