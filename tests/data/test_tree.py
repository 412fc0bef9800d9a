import io
import os
import tarfile
import zipfile

import pytest

from aegis.core.errors import DataError
from aegis.data.tree import is_archive, walk

FILES = {("a", "1.png"): b"one", ("a", "b", "2.png"): b"two", ("3",): b""}


def _pack_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def _pack_tar(path, files, mode="w:xz"):
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
    ".tar": lambda path, files: _pack_tar(path, files, "w"),
    ".tar.gz": lambda path, files: _pack_tar(path, files, "w:gz"),
    ".tar.xz": _pack_tar,
}


@pytest.fixture(params=PACKERS)
def pack(request, tmp_path):
    return lambda files: PACKERS[request.param](tmp_path / f"source{request.param}", files)


def test_folders_and_archives_give_the_same_files(pack):
    source = pack({"/".join(parts): content for parts, content in FILES.items()})
    assert dict(walk(source)) == FILES
    assert is_archive(source) != source.is_dir()


def test_hidden_files_and_folders_are_left_out(pack):
    litter = {"a/.DS_Store": b"x", ".git/a/1.png": b"x", "__MACOSX/a/1.png": b"x", "a/Thumbs.db": b"x"}
    assert dict(walk(pack({**litter, "a/1.png": b"one"}))) == {("a", "1.png"): b"one"}


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 2), ("MAX_FILE_BYTES", 2), ("MAX_TOTAL_BYTES", 5)])
def test_too_many_files_and_too_large_ones_are_refused(pack, monkeypatch, limit, value):
    source = pack({"/".join(parts): content for parts, content in FILES.items()})
    monkeypatch.setattr(f"aegis.data.tree.{limit}", value)
    with pytest.raises(DataError, match="at most"):
        list(walk(source))


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".tar.xz"])
def test_missing_empty_damaged_and_wrong_archives_are_refused(tmp_path, ending):
    path = tmp_path / f"source{ending}"
    with pytest.raises(DataError, match="No such file"):
        list(walk(path))
    path.touch()
    with pytest.raises(DataError, match="empty file"):
        list(walk(path))
    path.write_bytes(b"hello" * 1000)
    with pytest.raises(DataError, match="does not read as one"):
        list(walk(path))
    whole = PACKERS[ending](path, {"a/1.png": os.urandom(30_000)}).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="does not read as one"):
        list(walk(path))


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "outside").mkdir()
    for target in ("secret", "outside"):
        root = _lay_out(tmp_path / f"with-{target}", {"a/1.png": b"one"})
        (root / "a" / "link").symlink_to(tmp_path / target)
        with pytest.raises(DataError, match="a link that leaves it"):
            list(walk(root))


def test_a_link_that_stays_inside_and_a_folder_that_is_a_link_are_read(tmp_path):
    root = _lay_out(tmp_path / "source", {"a/1.png": b"one"})
    (root / "a" / "2.png").symlink_to(root / "a" / "1.png")
    (tmp_path / "link").symlink_to(root)
    assert dict(walk(tmp_path / "link")) == {("a", "1.png"): b"one", ("a", "2.png"): b"one"}
