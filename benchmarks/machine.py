"""The machine a number was measured on."""

import platform
from pathlib import Path

from aegis.core.runtime import cores
from aegis.core.version import processor


def describe() -> str:
    """Describe processor, usable cores, Python and torch.

    Returns:
        One line.
    """
    import torch

    return f"{processor()}, {cores()} cores, Python {platform.python_version()}, torch {torch.__version__}"


def memory(process: int) -> tuple[float, float]:
    """Read the memory of a process.

    Args:
        process: its id.

    Returns:
        MiB now and at most so far.
    """
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    kib = {name: value.split()[0] for name, _, value in (line.partition(":") for line in status) if value.strip()}
    return int(kib["VmRSS"]) / 1024, int(kib["VmHWM"]) / 1024
