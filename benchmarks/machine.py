"""The machine a number was measured on."""

import os
import platform
from pathlib import Path


def describe() -> str:
    """Processor, cores that may be used, Python and torch, in one line."""
    import torch

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = named[0] if named else model
    return (
        f"{model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )


def memory(process: int) -> tuple[float, float]:
    """MiB of a process in memory, now and at the most so far."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    kib = {name: value.split()[0] for name, _, value in (line.partition(":") for line in status) if value.strip()}
    return int(kib["VmRSS"]) / 1024, int(kib["VmHWM"]) / 1024
