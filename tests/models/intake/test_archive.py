"""What an archive of torch's may look like, at the edges of what is refused."""

import struct
import zipfile

import pytest
import torch

from aegis.core.errors import CheckpointError
from aegis.models.intake.archive import COPY_AGAIN, WHAT_IS_READ, WHOLE, check_archive, check_archive_kind
from aegis.models.intake.file_kinds import SAVE_PLAINLY, UNPACK
from tests.hostile.archives import good, repack


@pytest.fixture
def path(tmp_path):
    tmp_path.joinpath("a.pt").write_bytes(good())
    return tmp_path / "a.pt"


def refusal(check, path):
    with pytest.raises(CheckpointError) as caught:
        check(path)
    return caught.value.expected, caught.value.got, caught.value.advice


def odd(path):
    expected, got, advice = refusal(check_archive, path)
    assert (expected, advice) == ("an archive as torch.save writes it", SAVE_PLAINLY)
    return got


def with_wrong_checksums(path, count):
    """The first so many of the list's checksums."""
    with zipfile.ZipFile(path, "a") as archive:
        for entry in archive.filelist[:count]:
            entry.CRC ^= 1
        # Else the list would not be written again.
        archive._didModify = True
    return [entry.filename for entry in archive.filelist]


def test_an_archive_of_nothing_or_of_another_kind_is_none_of_torchs(path):
    with zipfile.ZipFile(path, "w"):
        pass
    assert odd(path) == "an empty one"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read.me", "x")
    assert refusal(check_archive_kind, path) == (WHAT_IS_READ, "a zip archive that holds read.me", UNPACK)


@pytest.mark.parametrize("check", [check_archive_kind, check_archive])
def test_what_is_no_archive_or_cannot_be_read_is_broken(check, path):
    path.write_bytes(good()[:100])
    assert refusal(check, path) == (WHOLE, "a broken archive (File is not a zip file)", COPY_AGAIN)
    path.unlink()
    expected, got, _ = refusal(check, path)
    assert expected == WHOLE
    assert got.startswith("a broken archive ([Errno 2] No such file")


def test_an_entry_that_climbs_is_named_and_dots_that_lead_nowhere_are_let_through(path):
    for name in ("..", "../x", "archive/..", "archive/a/../b", "..\\x", "/x", "\\x"):
        repack(path, more=((name, b"x"),))
        assert odd(path) == f"an entry that climbs out of it: {name}"
    repack(path, more=[(f"archive/{name}", b"x") for name in ("..x", "x..", "...", "x..y", "./x")])
    check_archive(path)


def test_a_name_with_a_zero_byte_reads_as_two_names(path):
    # Python's reader would cut it there.
    repack(path, more=(("archive/evil_x", b"x"),))
    path.write_bytes(path.read_bytes().replace(b"evil_x", b"evil\0x"))
    assert odd(path) == r"an entry that climbs out of it: archive/evil\x00x"


def test_a_name_may_come_again_in_another_folder_and_only_a_pickle_of_that_very_name_is_a_second_model(path):
    repack(path, more=[(f"archive/{name}", b"x") for name in ("other/0", "0", "old_data.pkl", "data.pkl/0")])
    check_archive(path)
    repack(path, more=(("data.pkl", b"x"),))
    check_archive(path)
    repack(path, more=(("archive/old/data.pkl", b"x"),))
    assert odd(path) == "two models in one archive"


def test_one_compressed_entry_is_enough(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/data/9", b"x", compress_type=zipfile.ZIP_LZMA)
    assert odd(path) == "a compressed archive"


def test_entries_may_claim_as_many_bytes_as_the_file_has_and_no_more(path):
    content = bytearray(good())
    with zipfile.ZipFile(path) as archive:
        others = sum(entry.file_size for entry in archive.infolist()[1:])
    at = content.index(b"PK\x01\x02") + 20
    # So many cannot be there either, which only reading them shows.
    for more, known in ((0, False), (1, True)):
        content[at : at + 8] = struct.pack("<II", *[len(content) - others + more] * 2)
        path.write_bytes(content)
        said = f"entries that claim {len(content) + more} bytes in a file of {len(content)}"
        assert (refusal(check_archive, path)[1] == said) is known


def test_up_to_three_damaged_entries_are_named_unless_all_are(path):
    last = len(with_wrong_checksums(path, 0)) - 1
    for count in (1, 2, 3, last):
        path.write_bytes(good())
        names = with_wrong_checksums(path, count)
        assert refusal(check_archive, path) == (WHOLE, f"damage in {', '.join(names[: min(count, 3)])}", COPY_AGAIN)
    path.write_bytes(good())
    with_wrong_checksums(path, last + 1)
    check_archive(path)


def test_a_file_without_checksums_may_hold_an_empty_tensor(path):
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"weight": torch.ones(3), "nothing": torch.ones(0)}, path)
    finally:
        torch.serialization.set_crc32_options(before)
    check_archive(path)
