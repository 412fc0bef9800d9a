import io
import os
import tarfile
import zipfile
from functools import partial

import pytest

from aegis.core.errors import DataError
from aegis.data.tree import is_archive, walk

FILES = {("a", "1.png"): b"one", ("a", "b", "2.png"): b"two", ("3",): b""}


def _pack_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _pack_tar(path, files, mode):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def _lay_out(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


PACKERS = {
    "": _lay_out,
    ".zip": _pack_zip,
    ".tar": partial(_pack_tar, mode="w"),
    ".tar.gz": partial(_pack_tar, mode="w:gz"),
    ".tar.xz": partial(_pack_tar, mode="w:xz"),
}


@pytest.fixture(params=PACKERS)
def pack(request, tmp_path):
    return lambda files: PACKERS[request.param](tmp_path / f"source{request.param}", files)


def refused(source, got):
    with pytest.raises(DataError, match=got):
        list(walk(source))


def test_folders_and_archives_give_the_same_files_but_hidden_ones(pack):
    litter = dict.fromkeys(("a/.DS_Store", ".git/a/1.png", "__MACOSX/a/1.png", "a/Thumbs.db"), b"x")
    source = pack(litter | {"/".join(parts): content for parts, content in FILES.items()})
    assert dict(walk(source)) == FILES
    assert is_archive(source) != source.is_dir()


def test_too_many_files_and_too_large_ones_are_refused(pack, monkeypatch):
    source = pack({"/".join(parts): content for parts, content in FILES.items()})
    for limit, value in (("MAX_FILES", 2), ("MAX_FILE_BYTES", 2), ("MAX_TOTAL_BYTES", 5)):
        with monkeypatch.context() as patch:
            patch.setattr(f"aegis.data.tree.{limit}", value)
            refused(source, "at most")
    assert dict(walk(source)) == FILES


@pytest.mark.parametrize("ending", [ending for ending in PACKERS if ending])
def test_missing_empty_damaged_and_wrong_archives_are_refused(tmp_path, ending):
    path = tmp_path / f"source{ending}"
    refused(path, "No such file")
    path.touch()
    refused(path, "empty file")
    path.write_bytes(b"hello" * 1000)
    refused(path, "does not read as one")
    whole = PACKERS[ending](path, {"a/1.png": os.urandom(30_000)}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "does not read as one")


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "outside").mkdir()
    for target in ("secret", "outside"):
        root = _lay_out(tmp_path / f"with-{target}", {"a/1.png": b"one"})
        (root / "a" / "link").symlink_to(tmp_path / target)
        refused(root, "a link that leaves it")


def test_a_link_that_stays_inside_and_a_folder_that_is_a_link_are_read(tmp_path):
    root = _lay_out(tmp_path / "source", {"a/1.png": b"one"})
    (root / "a" / "2.png").symlink_to(root / "a" / "1.png")
    (tmp_path / "link").symlink_to(root)
    assert dict(walk(tmp_path / "link")) == {("a", "1.png"): b"one", ("a", "2.png"): b"one"}
