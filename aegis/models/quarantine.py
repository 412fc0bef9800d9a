"""Runs the worker on an untrusted file and takes from it plain tensors and a card, or one message."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from aegis.errors import CheckpointError
from aegis.models.card import Identity, printable, read_identity
from aegis.models.formats import SAVE_PLAINLY, WHAT_IS_READ, regular_size


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What reading one file may take.

    Args:
        seconds: time on the clock.
        memory: bytes of private memory; None for 2 GiB (torch alone takes most of one) and three times the file.
    """

    seconds: float = 120.0
    memory: int | None = None


def read_tensors(path: Path, limits: Limits) -> tuple[dict[str, Tensor], Identity | None]:
    """The tensors of an untrusted file, floating-point ones as float32, and the identity on its card.

    Raises:
        CheckpointError: if the file is refused, or reading it takes too much time or memory.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="aegis-") as scratch:
            out = Path(scratch) / "plain.safetensors"
            _run_worker(path, out, limits)
            identity = read_identity(out)
            # Cloned, since the file they are mapped from goes away with the folder.
            found = {name: _widened(tensor).clone() for name, tensor in load_file(out).items()}
    except SafetensorError as error:
        raise CheckpointError(
            WHAT_IS_READ, f"tensors with impossible names or sizes ({error})", SAVE_PLAINLY
        ) from error
    except OSError as error:
        raise CheckpointError(
            "room in the folder for temporary files",
            f"{error.strerror or type(error).__name__}",
            "Free some disk space, or set TMPDIR to another folder.",
        ) from error
    broken = [name for name, tensor in found.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise CheckpointError(
            "finite weights",
            f"NaN or infinite values in {_names(broken)}",
            "The training diverged or the file is damaged; take an earlier checkpoint.",
        )
    if all(name.startswith("module.") for name in found):  # as DataParallel names everything
        found = {name.removeprefix("module."): tensor for name, tensor in found.items()}
    return found, identity


def _widened(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _names(names: list[str]) -> str:
    return ", ".join(printable(name) for name in names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")


def _run_worker(path: Path, out: Path, limits: Limits) -> None:
    memory = 2 * 2**30 + 3 * regular_size(path) if limits.memory is None else limits.memory
    command = [sys.executable, "-m", "aegis.models.worker", str(path), str(out), str(memory)]
    try:
        with (out.parent / "stderr").open("wb") as stderr:
            done = subprocess.run(
                command,
                cwd=out.parent,
                env=_environment(out.parent),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                timeout=limits.seconds,
                start_new_session=True,
            )
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(
            f"a file that is read within {limits.seconds:g} s", "one that takes longer", SAVE_PLAINLY
        ) from error
    refusal = out.with_name(f"{out.name}.json")
    if refusal.exists():
        raise _refusal(refusal)
    if done.returncode or not out.exists():
        raise CheckpointError(WHAT_IS_READ, _death(done.returncode, out.parent / "stderr", memory), SAVE_PLAINLY)


def _environment(scratch: Path) -> dict[str, str]:
    """What the worker needs to find Python's modules, and nothing that could be a secret."""
    ours = str(Path(__file__).parents[2])
    # The user's own site-packages are found through HOME, which the worker does not get.
    packages = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join([ours, *packages]),
        "PYTHONSAFEPATH": "1",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        # Each thread of a large machine would take its share of the memory limit.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _refusal(path: Path) -> CheckpointError:
    said = json.loads(path.read_bytes()[: 2**16])
    expected, got, advice = (printable(str(said[key]), 600) for key in ("expected", "got", "advice"))
    return CheckpointError(expected, got, advice)


def _death(code: int, stderr: Path, memory: int) -> str:
    if code in (-signal.SIGABRT, -signal.SIGSEGV, -getattr(signal, "SIGKILL", 9)):
        return (
            f"one whose reading was ended by {signal.Signals(-code).name}, most likely at {memory >> 20} MiB of memory"
        )
    last = stderr.read_text(errors="replace")[-2000:].strip().splitlines()[-1:]
    reason = printable("".join(last), 300)
    return f"one whose reading ended with code {code} within {memory >> 20} MiB of memory: {reason}"
