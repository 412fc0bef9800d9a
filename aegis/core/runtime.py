"""Chooses device and precision, seeds random generators, reports progress and cancels work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float32

from aegis.core.errors import ConfigError

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "bf16"]
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("auto", "fp32", "bf16")
# While one class is embedded on a core, the GPU translates others; more of them wait for one another (docs/gpu.md).
GPU_WORKERS = 4
# Scikit-learn accepts no larger seed, and would refuse it only minutes into a scan.
MAX_SEED = 2**32 - 1


class Cancelled(Exception):
    """Stops a computation when its progress callback raises it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """Reports the progress of a long computation.

    Args:
        stage: name of the step that runs (``"translate"``), shown to people.
        label: the class the step works on, or None.
        step: steps done, from 0 to ``total``.
        total: number of steps.
        loss: current value of the loss being minimised, or None.
        frames: a few of the images in their present state, in [0, 1], shape (n, c, h, w), or None.
        robust: perturbation budget and accuracy under it, where just that was measured, or None; 0 is no attack.
    """

    stage: str
    step: int
    total: int
    label: int | None = None
    loss: float | None = None
    frames: Float32[np.ndarray, "n c h w"] | None = None
    robust: tuple[float, float] | None = None


Report = Callable[[Event], None]


def silent(event: Event) -> None:
    """Ignores an event.

    Args:
        event: any event.
    """


@dataclass
class Throttle:
    """Passes on at most one event every ``interval`` seconds, and always the last one.

    Args:
        report: callback that receives the events.
        interval: seconds between two events, at least 0.
    """

    report: Report
    interval: float = 0.2
    _last: float = field(default=0.0, init=False)

    def due(self, step: int, total: int) -> bool:
        """Tells whether an event for this step should be built and sent now, and notes the time if so.

        Args:
            step: steps done, from 0 to ``total``.
            total: number of steps; the last one is always due.
        """
        now = time.monotonic()
        if step < total and now - self._last < self.interval:
            return False
        self._last = now
        return True

    def send(self, event: Event) -> None:
        """Sends an event if one is due; for events that cost nothing to build.

        Args:
            event: the event.
        """
        if self.due(event.step, event.total):
            self.report(event)


@dataclass(frozen=True)
class Runtime:
    """Says where and at which precision a network runs.

    Args:
        device: a torch device name.
        precision: ``fp32``, or ``bf16`` for bfloat16 inside the network only.
        workers: number of classes examined side by side, each on one processor core; at least 1.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    workers: int = 1

    @property
    def dtype(self) -> torch.dtype:
        """The torch dtype of the precision."""
        import torch

        return torch.bfloat16 if self.precision == "bf16" else torch.float32

    def settle(self) -> None:
        """Sets torch so that a GPU computes what the record says: float32 in full, and the same bytes every time."""
        import torch

        if self.device == "cuda":
            # Torch computes convolutions in TF32 unless told otherwise, whose errors are a thousand times larger.
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.deterministic = True


def choose_runtime(device: str = "auto", precision: str = "auto", workers: int | None = None) -> Runtime:
    """Chooses the fastest device and precision of this machine.

    Args:
        device: one of ``DEVICES``; ``auto`` means a GPU where there is one.
        precision: one of ``PRECISIONS``; ``auto`` means bfloat16 only where the hardware has it.
        workers: number of classes examined side by side; None for one per processor core, and at most
            ``GPU_WORKERS`` on a GPU.

    Returns:
        The runtime that a scan takes.

    Raises:
        ConfigError: for an unknown name, fewer than one worker, or ``cuda`` on a machine without a GPU.
    """
    import torch

    if device not in DEVICES:
        raise ConfigError(f"a device among {', '.join(DEVICES)}", repr(device), "Choose one of them.")
    if precision not in PRECISIONS:
        raise ConfigError(f"a precision among {', '.join(PRECISIONS)}", repr(precision), "Choose one of them.")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("a CUDA device", "a machine without one", "Use --device auto or cpu.")
    if workers is not None and workers < 1:
        raise ConfigError("at least 1 worker", str(workers), "Leave it out to use every processor core.")
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    fast = precision == "bf16" or (precision == "auto" and _has_fast_bfloat16(chosen))
    if workers is None:
        workers = min(GPU_WORKERS, cores()) if chosen == "cuda" else cores()
    return Runtime(chosen, "bf16" if fast else "fp32", workers)


def at_hand(device: str) -> str:
    """Chooses where to repeat what was computed on a device: there, or on the CPU of a machine that has no GPU.

    Args:
        device: as a record names it.

    Returns:
        The name of a device of this machine.
    """
    import torch

    return "cpu" if device == "cuda" and not torch.cuda.is_available() else device


def cores() -> int:
    """Counts the processor cores that this process may use."""
    # Only Linux says which cores a process may use.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _has_fast_bfloat16(device: str) -> bool:
    import torch

    if device == "cuda":
        return torch.cuda.get_device_capability()[0] >= 8
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(has and has())


def numpy_generator(*entropy: int) -> np.random.Generator:
    """Creates a numpy random generator from integers alone.

    Args:
        entropy: seeds, each at least 0.

    Returns:
        The generator, the same for the same integers.
    """
    return np.random.default_rng(entropy)


def torch_generator(*entropy: int) -> torch.Generator:
    """Creates a torch random generator on the CPU from integers alone.

    Args:
        entropy: seeds, each at least 0.

    Returns:
        The generator, the same for the same integers.
    """
    import torch

    return torch.Generator().manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
