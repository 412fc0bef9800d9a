"""Where the checks run, the models they run on, and how things are timed there."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from aegis import load_checkpoint, load_dataset
from aegis.core.types import Dataset
from aegis.models.architectures import build
from aegis.models.classifier import Classifier

SUSPECT = Path("assets/models/fashion_mnist_localised.safetensors")
SAMPLE = "samples:fashion_mnist"


@dataclass(frozen=True)
class Setting:
    """Where and how large the checks run.

    Args:
        device: name of the torch device.
        small: take a few images and steps, to try the checks themselves.
        brief: leave out the slowest ways of running, of which only their seconds are of interest.
    """

    device: str
    small: bool = False
    brief: bool = False

    def several(self, full: int, few: int) -> int:
        """Choose a number of images or steps.

        Args:
            full: for the real checks.
            few: for small ones.

        Returns:
            The number.
        """
        return few if self.small else full

    @property
    def data(self) -> Dataset:
        """The bundled sample of Fashion-MNIST."""
        return load_dataset(SAMPLE)

    @property
    def suspect(self) -> Classifier:
        """The bundled suspect, a small convolutional network."""
        return load_checkpoint(SUSPECT).classifier

    def network(self, architecture: str, shape: tuple[int, int, int]) -> Classifier:
        """Build a network with fresh weights, which do not change how long it takes.

        Args:
            architecture: its name.
            shape: channels, height and width of the images.

        Returns:
            The network.
        """
        torch.manual_seed(0)
        narrow = ",width=8" if self.small and "resnet" in architecture else ""
        return Classifier(build(architecture + narrow, shape[0], 10), shape).eval()

    def seconds(self, run: Callable[[], object], rounds: int = 5) -> float:
        """Time a call, after one that is not counted.

        Args:
            run: the call.
            rounds: number of calls.

        Returns:
            Median seconds.
        """
        took = []
        for _ in range(1 + self.several(rounds, 1)):
            self.wait()
            start = time.perf_counter()
            run()
            self.wait()
            took.append(time.perf_counter() - start)
        return statistics.median(took[1:])

    def wait(self) -> None:
        """Wait until the device has finished."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def tf32(allowed: bool) -> None:
    """Let float32 convolutions and products be computed in TF32, or not."""
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed


def describe(setting: Setting) -> dict[str, object]:
    """Describe the machine.

    Args:
        setting: where checks run.

    Returns:
        Facts by name.
    """
    gpu = torch.cuda.get_device_name() if setting.device == "cuda" else None
    return {
        "gpu": gpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }
