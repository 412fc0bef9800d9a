"""Torch files whose archive lies, breaks off or is damaged."""

import io
import struct
import warnings
import zipfile
from pathlib import Path

import torch

from tests.hostile.case import CHECKPOINTS
from tests.hostile.pickles import LEGACY, WEIGHTS

BROKEN, DAMAGE, CLAIM, CLIMBS = "a broken archive", "damage in", "entries that claim", "an entry that climbs out of it"


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
        with warnings.catch_warnings(action="ignore"):
            for name, content in more:
                packed.writestr(name, content)


WHOLE, OLD = good(), good(**LEGACY)
LIST, PICKLE, ENTRY = WHOLE.index(b"PK\x01\x02"), WHOLE.index(b"_rebuild_tensor"), WHOLE.index(b"archive/data/0")


def _changed(*changes: tuple[int, bytes]) -> bytes:
    content = bytearray(WHOLE)
    for at, some in changes:
        content[at : at + len(some)] = some
    return bytes(content)


def _end_that_claims_more() -> bytes:
    """A 64-bit end with a list of an exabyte."""
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 6, 6, 2**60, LIST)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(WHOLE) - 22, 1)
    return WHOLE[:-22] + record + locator + WHOLE[-22:-14] + b"\xff" * 12 + WHOLE[-2:]


for title, content, word in (
    ("cut in the first entry's name", WHOLE[:20], BROKEN),
    ("cut in the pickle", WHOLE[:PICKLE], BROKEN),
    ("cut in a tensor", WHOLE[: ENTRY + 40], BROKEN),
    ("cut before its list of entries", WHOLE[:LIST], BROKEN),
    ("cut in its list of entries", WHOLE[: LIST + 60], BROKEN),
    ("cut in its end", WHOLE[:-10], BROKEN),
    ("of the older format cut in its number", OLD[:4], "Expected"),
    ("of the older format cut in its pickle", OLD[: len(OLD) // 2], "Expected"),
    ("of the older format cut in its tensors", OLD[:-3], "Expected"),
    ("whose list reads like a wrong checksum", WHOLE[:LIST] + WHOLE[LIST:].replace(b"archive/", b"CRC 123/"), BROKEN),
    (
        "that says it is encrypted",
        _changed((LIST + 8, bytes([WHOLE[LIST + 8] | 1])), (6, bytes([WHOLE[6] | 1]))),
        "an encrypted archive",
    ),
    ("whose list claims terabytes", _changed((LIST + 20, struct.pack("<II", 2**32 - 2, 2**32 - 2))), CLAIM),
    ("whose end claims more", _end_that_claims_more(), BROKEN),
    ("behind something else", b"\xee\x01\x02\x03" * 16 + WHOLE, "unknown kind"),
):
    CHECKPOINTS.add(f"torch file {title}", content, word)

for title, position, word in (
    ("in the pickle", PICKLE, DAMAGE),
    ("in a tensor", WHOLE.index(WEIGHTS["weight"].numpy().tobytes()) + 4, DAMAGE),
    ("in an entry's name", ENTRY, BROKEN),
    ("in the list's names", WHOLE.rindex(b"archive/data/0"), BROKEN),
    ("in the list's mark", LIST, BROKEN),
    ("in its end", len(WHOLE) - 22, BROKEN),
):
    flipped = _changed((position, bytes([WHOLE[position] ^ 1])))
    CHECKPOINTS.add(f"torch file with a flipped bit {title}", flipped, word)

EMPTY, TWO_PICKLES = b"\x80\x02}.", "two entries named archive/data.pkl"
for title, more, word in (
    ("an entry that climbs out", ("archive/../../../.bashrc", b"x"), CLIMBS),
    ("an entry that begins at the root", ("/etc/cron.d/evil", b"x"), CLIMBS),
    ("an entry that climbs out on Windows", ("archive\\..\\..\\evil", b"x"), CLIMBS),
    ("two pickles", ("archive/data.pkl", EMPTY), TWO_PICKLES),
    ("two pickles but for case", ("ARCHIVE/DATA.PKL", EMPTY), TWO_PICKLES),
    ("two models", ("other/data.pkl", EMPTY), "two models in one archive"),
):
    CHECKPOINTS.add(f"torch file with {title}", lambda path, _, more=more: repack(path, more=[more]), word)


@CHECKPOINTS.case("a compressed archive")
def torch_file_that_unpacks_to_a_hundred_times_its_size(path, canary):
    repack(path, method=zipfile.ZIP_DEFLATED, more=(("archive/data/9", bytes(20 * 2**20)),))


@CHECKPOINTS.case(CLAIM)
def torch_file_whose_entries_share_their_bytes(path, canary):
    """As the bombs that David Fifield showed: many entries, one place."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", bytes(1000))
        first = archive.infolist()[0]
        for number in range(50):
            entry = zipfile.ZipInfo(f"archive/data/{number}")
            entry.header_offset, entry.CRC = first.header_offset, first.CRC
            entry.file_size = entry.compress_size = 1000
            archive.filelist.append(entry)
        archive._didModify = True


def endless(path: Path, before: bytes) -> None:
    """A zip file whose forty megabytes of list would become four hundred in memory."""
    start, size = len(before), 40 * 2**20
    with path.open("wb") as file:
        file.write(before)
        file.truncate(start + size)
        file.seek(0, io.SEEK_END)
        file.write(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, size, start, 0))


CHECKPOINTS.add("torch file whose list of entries is endless", lambda path, _: endless(path, WHOLE[:LIST]), BROKEN)
