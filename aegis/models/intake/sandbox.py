"""Runs the worker on a private copy of an untrusted file and takes plain tensors and a card from it, or one message."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.card import Identity
from aegis.models.intake.archive import WHAT_IS_READ
from aegis.models.intake.file_kinds import SAVE_PLAINLY
from aegis.models.intake.formats import opened
from aegis.models.intake.sandbox_output import Layout, refusal, take
from aegis.models.intake.tensor_limits import room_for

CHUNK = 2**20
# Reading speed that the limit of processor time assumes, beyond 30 s for imports on a slow machine.
BYTES_A_SECOND = 20 * 2**20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits time and memory for reading one file.

    Args:
        seconds: wall-clock seconds.
        processor: seconds of processor time; None for 30 and one more for each 20 MiB of the file.
        memory: bytes of private memory; None for 2 GiB (torch alone takes almost one) and three times the file.
    """

    seconds: float = 120.0
    processor: int | None = None
    memory: int | None = None


@dataclass(frozen=True, eq=False)
class Contents:
    """Holds what was read from a file.

    Args:
        tensors: finite tensors by name, floating-point ones as float32.
        identity: identity on the file's card, or None.
        sha256: SHA-256 of the bytes that were read, in hex.
        layout: where in the file the network lay.
    """

    tensors: dict[str, Tensor]
    identity: Identity | None
    sha256: str
    layout: Layout


def read_contents(path: Path, limits: Limits, entry: str | None = None) -> Contents:
    """Reads an untrusted checkpoint in a confined process.

    Args:
        path: the checkpoint.
        limits: time and memory for reading.
        entry: which of several networks in it to read; None for the only one.

    Returns:
        Tensors, identity and digest.

    Raises:
        CheckpointError: if the file is refused, or reading it takes too much time or memory.
    """
    try:
        # A compromised worker may leave files that are hard to remove, which must not fail the reading.
        with tempfile.TemporaryDirectory(prefix="aegis-", ignore_cleanup_errors=True) as scratch:
            copy, out = Path(scratch, "checkpoint"), Path(scratch, "plain.safetensors")
            sha256 = _copy(path, copy)
            # The size is taken before the worker may write to the copy.
            room = room_for(copy.stat().st_size)
            _run_worker(copy, out, limits, entry)
            tensors, identity, layout = take(out, room)
    except OSError as error:
        raise CheckpointError(
            "room in the folder for temporary files",
            error.strerror or type(error).__name__,
            "Free some disk space, or set TMPDIR to another folder.",
        ) from error
    return Contents(tensors, identity, sha256, layout)


def _copy(path: Path, copy: Path) -> str:
    """Copies a file that others may change meanwhile, and returns the digest of the bytes copied."""
    digest = hashlib.sha256()
    with opened(path) as source, copy.open("wb") as target:
        left = os.fstat(source.fileno()).st_size
        while left > 0 and (part := source.read(min(left, CHUNK))):
            digest.update(part)
            target.write(part)
            left -= len(part)
    return digest.hexdigest()


def _run_worker(copy: Path, out: Path, limits: Limits, entry: str | None) -> None:
    size = copy.stat().st_size
    memory = 2 * 2**30 + 3 * size if limits.memory is None else limits.memory
    processor = 30 + size // BYTES_A_SECOND if limits.processor is None else limits.processor
    arguments = (str(copy), str(out), str(memory), str(processor), json.dumps(entry))
    command = [sys.executable, "-m", "aegis.models.intake.worker", *arguments]
    with tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            command,
            cwd=out.parent,
            env=_environment(out.parent),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            code = process.wait(limits.seconds)
        except subprocess.TimeoutExpired as error:
            raise _too_slow(f"{limits.seconds:g} s") from error
        finally:
            _end(process)
        if (said := refusal(out)) is not None:
            raise said
        if code and code == -getattr(signal, "SIGXCPU", 0):
            raise _too_slow(f"{processor} s of computing")
        if code or not out.exists():
            stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - 2000))
            raise CheckpointError(WHAT_IS_READ, _death(code, stderr.read(), memory), SAVE_PLAINLY)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the worker and every process it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _environment(scratch: Path) -> dict[str, str]:
    """Gives the worker the variables it needs to find Python modules, and none that could be a secret."""
    ours = str(Path(__file__).parents[3])
    # Python finds the user's site-packages through HOME, which the worker does not get.
    packages = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join([ours, *packages]),
        "PYTHONSAFEPATH": "1",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        # On a large machine, the stacks of many threads would use up the memory limit.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _too_slow(limit: str) -> CheckpointError:
    return CheckpointError(f"a file that is read within {limit}", "one that takes longer", SAVE_PLAINLY)


def _death(code: int, said: bytes, memory: int) -> str:
    limit = f"{memory >> 20} MiB of memory"
    if code in (-signal.SIGABRT, -signal.SIGSEGV, -getattr(signal, "SIGKILL", 9)):
        return f"one whose reading was ended by {signal.Signals(-code).name}, perhaps for more than {limit}"
    last = said.decode(errors="replace").strip().splitlines()[-1:]
    return f"one whose reading ended with code {code}, with at most {limit}: {printable(''.join(last), 300)}"
