"""A tiny robust model, its images, and the command line run within the process."""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.shared import once

NAMES = ("bar", "[red]post[/red]", "cross", "box")
# Signs so large that a few pixels make none of another: clean on every processor, however its last digits fall.
SIDE = 12
SIGNS = np.zeros((4, 2 * SIDE, 2 * SIDE))
SIGNS[0, 9:14] = SIGNS[1, :, 9:14] = 1
SIGNS[2] = np.maximum(SIGNS[0], SIGNS[1])
SIGNS[3] = 1 - np.pad(np.ones((9, 9)), ((7, 8), (7, 8)))

# A robust model in seconds.
TRAINING = ("--arch", "aegis:cnn16", "--attack-epsilon", "1.5", "--epochs", "7", "--precision", "fp32", "--seed", "1")
# The smallest scan that is one, of all or of one class.
SMALL = ("--preset", "quick", "--seeds", "40", "--perplexity", "10", "--precision", "fp32", "--workers", "1")
# The paper's rule needs no search for triggers and is quicker still.
TINY = ("--preset", "paper", "--iterations", "4", *SMALL[2:])


def pictures(seed: int, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """One of four signs somewhere in each picture, and which."""
    generator = np.random.default_rng(seed)
    labels = np.tile(np.arange(4), per_class)
    images = generator.normal(0.1, 0.04, (len(labels), SIDE, SIDE))
    for image, label in zip(images, labels, strict=True):
        row, column = generator.integers(4, 8, 2)
        image += 0.8 * SIGNS[label, row : row + SIDE, column : column + SIDE]
    return (images.clip(0, 1) * 255).astype(np.uint8), labels


def write_images(path: Path, change=lambda images, labels: (images, labels), names=NAMES) -> Path:
    """The pictures as an NPZ file, changed in both splits."""
    x_train, y_train = change(*pictures(0, 100))
    x_test, y_test = change(*pictures(1, 20))
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, class_names=np.array(names))
    return path


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """Lines on standard error but those that tell of progress, which comes to a log where work takes long."""
        return [line for line in self.err.splitlines() if not line.endswith((" left", "%"))]


def run(*arguments: object, store: Path | None = None) -> Outcome:
    """``aegis`` with these arguments, in this process; with a store or with that of the environment."""
    from aegis.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", ["aegis", *map(str, arguments)])
        if store is not None:
            patch.setenv("AEGIS_STORE", str(store))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
            main()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return Outcome(end.value.code or 0, out.getvalue(), err.getvalue())


def run_without_torch(*arguments: object) -> str:
    """What it prints in a process of its own, where it ends with 0 and imports nothing heavy."""
    code = f"""
import sys
from aegis.cli import main
sys.argv = {["aegis", *map(str, arguments)]!r}
try:
    main()
except SystemExit as end:
    assert (end.code or 0, {{"torch", "sklearn", "umap", "openTSNE"}} & sys.modules.keys()) == (0, set())
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def command(*arguments: object) -> list[str]:
    """The same in a process of its own."""
    return [sys.executable, "-m", "aegis", *map(str, arguments)]


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return once(tmp_path_factory, "signs", lambda folder: write_images(folder / "signs.npz"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory, images):
    """What ``aegis train`` said, and the checkpoint that it wrote."""

    def train(folder):
        path = folder / "signs.safetensors"
        return run("train", path, "--data", images, *TRAINING, store=folder / "store"), path

    return once(tmp_path_factory, "signs-trained", train)


@pytest.fixture
def suspect(trained):
    return trained[1]


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory):
    return tmp_path_factory.mktemp("cli") / "store"


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch, shared_store):
    monkeypatch.setenv("AEGIS_STORE", str(shared_store))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "NO_COLOR", "AEGIS_DEBUG", "GITHUB_ACTIONS", "PY_COLORS", "TERMINAL_WIDTH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _scanned(tmp_path_factory, trained, images):
    def scan(folder):
        path = folder / "result.json"
        return run("scan", trained[1], "--data", images, *SMALL, "--json", path, store=folder / "store"), path

    outcome, path = once(tmp_path_factory, "signs-scanned", scan)
    return outcome, path, shutil.copytree(path.parent / "store", tmp_path_factory.mktemp("scanned") / "store")


@pytest.fixture
def scanned(_scanned, monkeypatch):
    """A scan of every class with triggers sought: what it said, and the file that it wrote. Its store is in use."""
    monkeypatch.setenv("AEGIS_STORE", str(_scanned[2]))
    return _scanned[:2]


@pytest.fixture
def results(tmp_path):
    """An empty folder in place of the project's results."""
    return tmp_path / "results"


def entries(folder: Path) -> set[str]:
    """Everything in a folder, however deep."""
    return {os.path.relpath(Path(root) / name, folder) for root, _, names in os.walk(folder) for name in names}
