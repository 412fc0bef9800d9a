"""Where the time of one class goes: with and without determinism, on the device or waiting, and at ResNet-50's size."""

import os
import time
from dataclasses import replace

import torch

from aegis.core.runtime import Event, Runtime
from aegis.core.types import Dataset, Evidence, digest_of
from aegis.detect.gather import gather
from aegis.models.classifier import Classifier
from aegis.records.presets import preset
from benchmarks.gpu.setting import Setting, tf32

LABEL = 7
# cuBLAS is deterministic only with a workspace of a fixed size, which is read when CUDA starts.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def gathers(setting: Setting) -> dict[str, object]:
    """Examine one class of the suspect twice as usual and twice deterministically.

    Args:
        setting: where checks run.

    Returns:
        Whether the bytes are equal, and the seconds.
    """
    classifier, data, found = setting.suspect, setting.data, {}
    tf32(False)
    for way in ("usual", "deterministic"):
        _deterministic(way == "deterministic")
        took, digests = [], []
        for _ in range(3):
            seconds, evidence = _gather(setting, classifier, data)
            took.append(seconds)
            found_triggers = [t.stamp.add for t in evidence.triggers]
            digests.append(digest_of(evidence.translated, evidence.features, *found_triggers))
        found[way] = {"equal bytes": len(set(digests[1:])) == 1, "seconds": [round(s, 2) for s in took]}
    _deterministic(False)
    return found


def profile(setting: Setting) -> dict[str, object]:
    """Measure how much of a ResNet-18 class's time the GPU computes.

    Args:
        setting: where checks run.

    Returns:
        The share, and the ten costliest kernels.
    """
    classifier, data = setting.network("aegis:resnet18", (1, 28, 28)), setting.data
    _gather(setting, classifier, data)
    activities = [torch.profiler.ProfilerActivity.CPU]
    if setting.device == "cuda":
        activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profiled:
        seconds, _ = _gather(setting, classifier, data)
    kernels = sorted(profiled.key_averages(), key=lambda k: k.self_device_time_total, reverse=True)
    busy = sum(kernel.self_device_time_total for kernel in kernels) / 1e6
    calls = sum(kernel.count for kernel in kernels if kernel.self_device_time_total)
    top = {k.key[:80]: [round(k.self_device_time_total / 1e3, 1), k.count] for k in kernels[:10]}
    return {"wall s": round(seconds, 2), "GPU busy s": round(busy, 2), "kernels": calls, "top, ms and calls": top}


def large(setting: Setting) -> dict[str, object]:
    """Examine one class with the paper's preset, by ResNet-18 at 28 pixels and ResNet-50 at 32.

    Args:
        setting: where checks run.

    Returns:
        Seconds by stage, and peak memory.
    """
    from aegis import load_dataset
    from aegis.detect.embed import embed

    found: dict[str, object] = {}
    for architecture, source in (("aegis:resnet18", "samples:mnist"), ("aegis:resnet50", "samples:cifar10")):
        data = load_dataset(source)
        classifier, config = setting.network(architecture, data.shape), preset("paper", data.name, data.shape)
        if setting.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        seconds, evidence = _gather(setting, classifier, data, "paper")
        start = time.perf_counter()
        embed(evidence, config.embed)
        peak = torch.cuda.max_memory_allocated() / 2**30 if setting.device == "cuda" else 0
        found[architecture] = {
            "gather s": round(seconds, 2),
            "embed s": round(time.perf_counter() - start, 2),
            "GPU memory GiB": round(peak, 2),
        }
    return found


def _gather(setting: Setting, classifier: Classifier, data: Dataset, name: str = "default") -> tuple[float, Evidence]:
    config = preset("quick" if setting.small and name == "default" else name, data.name, data.shape).gather
    if config.trigger_search is not None:
        config = replace(config, trigger_search=replace(config.trigger_search, area=0.03, radius=1.2))
    if setting.small:
        stages = tuple(replace(stage, iterations=1) for stage in config.stages)
        search = config.trigger_search
        few = search and replace(search, clusters=1, tiles=1, steps=1, refine_steps=1, held_out=2)
        config = replace(config, seeds=50, stages=stages, trigger_search=few)
    model = classifier.frozen(Runtime(setting.device, "fp32" if setting.device == "cpu" else "bf16"))

    def tell(event: Event) -> None:
        """Progress is of no interest here."""

    setting.wait()
    start = time.perf_counter()
    evidence = gather(model, data, LABEL, config, report=tell)
    setting.wait()
    return time.perf_counter() - start, evidence


def _deterministic(asked: bool) -> None:
    torch.use_deterministic_algorithms(asked)
    torch.backends.cudnn.deterministic = asked
    torch.backends.cudnn.benchmark = False
