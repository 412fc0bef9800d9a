"""Where hostile files are made and read, and what must be true afterwards."""

import warnings
from pathlib import Path

import pytest

from tests.hostile.case import Canary, Case
from tests.hostile.doors import write_images
from tests.models.conftest import inside  # noqa: F401


class Ground:
    """A folder for the file, one for the canary, one for temporary files; nothing may stay in the last.

    Args:
        folder: of this test.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.canary = Canary(folder / "cage" / "canary")
        self.temporary = folder / "temporary"
        for path in (folder / "place", self.canary.path.parent, self.temporary):
            path.mkdir()

    def make(self, case: Case, name: str = "model.pt") -> Path:
        """The case's file."""
        path = self.folder / "place" / name
        with warnings.catch_warnings(action="ignore"):
            case.make(path, self.canary)
        return path

    def check(self, case: Case, said: str) -> None:
        """One message of one line that says what was expected; nothing ran, and nothing is left behind."""
        assert said.startswith("Expected "), said
        assert "; got " in said
        assert said.isprintable(), ascii(said)
        assert "Traceback" not in said
        assert len(said) < 2000
        for word in case.words:
            assert word in said, said
        assert not self.canary.sang
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def ground(tmp_path, monkeypatch):
    found = Ground(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(found.temporary))
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    return found


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images") / "noise.npz")
