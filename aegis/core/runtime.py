"""Device, precision, seeds; progress events and cancellation."""

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
# Scikit-learn takes no larger seed, and would say so only after minutes.
MAX_SEED = 2**32 - 1


class Cancelled(Exception):
    """Raised by a progress callback to stop the work that reports to it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """One moment of a long computation.

    Args:
        stage: what is being done, a word for people (``"translate"``).
        label: the class it is done for, or None.
        step: how far, from 0 to ``total``.
        total: how far it goes.
        loss: the loss being minimised, or None.
        frames: a few images in [0, 1] as they are now, or None.
    """

    stage: str
    step: int
    total: int
    label: int | None = None
    loss: float | None = None
    frames: Float32[np.ndarray, "n c h w"] | None = None


Report = Callable[[Event], None]


def silent(event: Event) -> None:
    """Report to nobody."""


@dataclass
class Throttle:
    """Lets a report through at most every ``interval`` seconds, and always the last one."""

    report: Report
    interval: float = 0.2
    _last: float = field(default=0.0, init=False)

    def due(self, step: int, total: int) -> bool:
        """Whether an event for this step should be built and sent now."""
        now = time.monotonic()
        if step < total and now - self._last < self.interval:
            return False
        self._last = now
        return True

    def send(self, event: Event) -> None:
        """Report an event that costs nothing to build, if one is due."""
        if self.due(event.step, event.total):
            self.report(event)


@dataclass(frozen=True)
class Runtime:
    """Where and how precisely a network runs.

    Args:
        device: a torch device name.
        precision: ``bf16`` computes in bfloat16 inside the network only.
        workers: classes examined side by side, each on one processor core.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    workers: int = 1

    @property
    def dtype(self) -> torch.dtype:
        """The torch dtype of the precision."""
        import torch

        return torch.bfloat16 if self.precision == "bf16" else torch.float32


def choose_runtime(device: str = "auto", precision: str = "auto", workers: int | None = None) -> Runtime:
    """Pick the device and the precision that this machine is quickest with.

    Args:
        device: one of ``DEVICES``.
        precision: one of ``PRECISIONS``; ``auto`` means bfloat16 only where hardware has it.
        workers: None takes one for each processor core, and at most ``GPU_WORKERS`` on a GPU.

    Raises:
        ConfigError: for an unknown name, fewer than one worker, or for ``cuda`` where there is none.
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


def cores() -> int:
    """Processor cores that this process may use."""
    # Only Linux says which ones these are.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _has_fast_bfloat16(device: str) -> bool:
    import torch

    if device == "cuda":
        return torch.cuda.get_device_capability()[0] >= 8
    has = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(has and has())


def numpy_generator(*entropy: int) -> np.random.Generator:
    """A numpy generator that depends on nothing but the given integers."""
    return np.random.default_rng(entropy)


def torch_generator(*entropy: int) -> torch.Generator:
    """A torch CPU generator that depends on nothing but the given integers."""
    import torch

    return torch.Generator().manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))
