"""The three ways in: the Python API, the command line, and the upload widget's code. Each gives the one message."""

import contextlib
import math
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np

from aegis.core.errors import AegisError
from aegis.data import load_dataset
from aegis.models.intake.sandbox import Limits
from aegis.models.load import load_checkpoint
from aegis.ui.uploads import Workspace, identify, read_images, upload
from tests.cli.conftest import command
from tests.models.conftest import unconfined as unconfined

GIVEN = {"architecture": "aegis:cnn16", "shape": (1, 12, 12), "class_names": tuple("abcd")}
# No benign file of a kilobyte computes for longer.
QUICK = Limits(processor=6)


@cache
def quick() -> Limits:
    """The same for a process of its own, which imports torch first: more only where that alone takes half of it."""
    timed = [sys.executable, "-c", "import time, torch; print(time.process_time())"]
    done = subprocess.run(timed, capture_output=True, text=True, check=True)
    return Limits(processor=max(QUICK.processor, math.ceil(2 * float(done.stdout))))


class NotRefused(AssertionError):
    """A file that went through."""


def message(attempt) -> str:
    """What a door says of a file; anything but the package's own error is passed on."""
    try:
        found = attempt()
    except AegisError as error:
        return str(error)
    raise NotRefused(f"{found!r} was loaded")


def python(path: Path, given=GIVEN, limits: Limits = QUICK) -> str:
    """``aegis.load_checkpoint``."""
    return message(lambda: load_checkpoint(path, **given, limits=limits))


def python_images(path: Path) -> str:
    """``aegis.load_dataset``."""
    return message(lambda: load_dataset(path))


@contextlib.contextmanager
def _workspace():
    workspace = Workspace()
    try:
        yield workspace
    finally:
        workspace.remove()


def uploaded(path: Path, given=GIVEN, limits: Limits = QUICK) -> str:
    """What the page does with a checkpoint: look at it at once, and load it when the scan starts."""

    def attempt():
        sent = upload(path.name, path.read_bytes())
        identify(sent)
        with _workspace() as workspace:
            return load_checkpoint(workspace.put(sent, "model"), **given, limits=limits)

    return message(attempt)


def uploaded_images(path: Path) -> str:
    """What the page does with images."""

    def attempt():
        with _workspace() as workspace:
            return read_images(workspace.put(upload(path.name, path.read_bytes()), "images"), "upload: mine")

    return message(attempt)


def may_be_uploaded(path: Path) -> bool:
    """Whether a browser could send it: it sends the content of small files and nothing else."""
    return path.is_file() and not path.is_symlink() and path.stat().st_size <= 150 * 2**20


def process(*arguments: object, folder: Path) -> tuple[int, str, str]:
    """``aegis`` with these arguments in a process of its own: exit code and both outputs."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "AEGIS_STORE": str(folder / "store"), "COLUMNS": "80"}
    done = subprocess.run(
        command(*arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout, done.stderr


def write_images(path: Path) -> Path:
    """Four classes of noise, as ``GIVEN`` says."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 255, (40, 12, 12), dtype=np.uint8)
    y = np.arange(40) % 4
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y, class_names=np.array(list("abcd")))
    return path
