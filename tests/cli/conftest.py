"""A tiny robust model, its images, and the command line run within the process."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

NAMES = ("bar", "[red]post[/red]", "cross", "box")
SHAPES = np.zeros((4, 5, 5))
SHAPES[0, 2] = SHAPES[1, :, 2] = 1
SHAPES[2] = np.maximum(np.eye(5), np.eye(5)[::-1])
SHAPES[3, [0, -1]] = SHAPES[3, :, [0, -1]] = 1

# The smallest scan that is one, of all or of one class.
SMALL = ("--preset", "quick", "--seeds", "40", "--perplexity", "10", "--precision", "fp32", "--workers", "1")
# The paper's rule needs no search for triggers and is quicker still.
TINY = ("--preset", "paper", "--iterations", "4", *SMALL[2:])


def pictures(seed: int, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """One of four signs somewhere in each 12x12 picture, and which."""
    generator = np.random.default_rng(seed)
    labels = np.tile(np.arange(4), per_class)
    images = generator.normal(0.1, 0.04, (len(labels), 12, 12))
    for image, label in zip(images, labels, strict=True):
        row, column = generator.integers(0, 8, 2)
        image[row : row + 5, column : column + 5] += 0.8 * SHAPES[label]
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
        return [line for line in self.err.splitlines() if not line.endswith(" left")]


def run(*arguments: object) -> Outcome:
    """``aegis`` with these arguments, in this process."""
    from aegis.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "argv", ["aegis", *map(str, arguments)])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
            main()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return Outcome(end.value.code or 0, out.getvalue(), err.getvalue())


def command(*arguments: object) -> list[str]:
    """The same in a process of its own."""
    return [sys.executable, "-m", "aegis", *map(str, arguments)]


def start(*arguments: object, **options: object) -> subprocess.Popen:
    """A process that runs it, with its outputs as text."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen(command(*arguments), **pipes)


def finish(process: subprocess.Popen) -> Outcome:
    """Wait for its end."""
    out, err = process.communicate(timeout=120)
    return Outcome(process.returncode, out, err)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="session")
def images(folder):
    return write_images(folder / "signs.npz")


@pytest.fixture(scope="session")
def trained(folder, images):
    """What ``aegis train`` said, and the checkpoint that it wrote."""
    path = folder / "signs.safetensors"
    how = ("--arch", "aegis:cnn16", "--attack-epsilon", "1.5", "--epochs", "7", "--precision", "fp32", "--seed", "1")
    return run("train", path, "--data", images, *how), path


@pytest.fixture
def suspect(trained):
    return trained[1]


@pytest.fixture(scope="session")
def shared_store(folder):
    return folder / "store"


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch, shared_store):
    monkeypatch.setenv("AEGIS_STORE", str(shared_store))
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "NO_COLOR", "AEGIS_DEBUG", "GITHUB_ACTIONS", "PY_COLORS", "TERMINAL_WIDTH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def scanned(trained, images, shared_store, folder):
    """A scan of every class with triggers sought: what it said, and the file that it wrote."""
    path = folder / "result.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEGIS_STORE", str(shared_store))
        return run("scan", trained[1], "--data", images, *SMALL, "--json", path), path


def entries(folder: Path) -> set[str]:
    """Everything in a folder, however deep."""
    return {os.path.relpath(Path(root) / name, folder) for root, _, names in os.walk(folder) for name in names}
