"""Archives whose list of entries would fill the memory."""

import zipfile

import pytest

from aegis.core import archives as zips
from aegis.core.archives import opened_zip


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(50):
            file.writestr(f"{number}", bytes(number))
    return path


def test_an_archive_is_read_as_ever(archive):
    with opened_zip(archive) as found:
        assert [len(found.read(name)) for name in found.namelist()] == list(range(50))


def test_what_is_no_list_may_be_long(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("long", bytes(5000))
    monkeypatch.setattr(zips, "DIRECTORY_LIMIT", 1000)
    with opened_zip(tmp_path / "a.zip") as found:
        assert found.read("long") == bytes(5000)


def test_a_list_of_entries_that_is_too_long_is_not_read(archive, monkeypatch):
    monkeypatch.setattr(zips, "DIRECTORY_LIMIT", 1000)
    with pytest.raises(zipfile.BadZipFile, match="list of entries claims 2390 bytes"), opened_zip(archive):
        pass
