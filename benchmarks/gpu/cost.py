"""Where the time of one class goes: replayed or launched anew, on the device or waiting, and at ResNet-50's size."""

import sys
import time
from dataclasses import replace
from unittest.mock import patch

import torch

from aegis.core import graphs
from aegis.core.runtime import Event, Runtime
from aegis.core.types import Dataset, Evidence, digest_of
from aegis.detect.gather import gather
from aegis.models.classifier import Classifier
from aegis.records.presets import preset
from benchmarks.gpu.setting import Setting

LABEL = 7


def gathers(setting: Setting) -> dict[str, object]:
    """Examine one class by two networks, with work replayed as CUDA graphs and with all of it launched anew.

    Args:
        setting: where checks run.

    Returns:
        Whether the bytes are equal, within each way and between them, and the seconds.
    """
    data, found = setting.data, {}
    for name, classifier in (("suspect", setting.suspect), ("resnet18", setting.network("aegis:resnet18", data.shape))):
        digests = {}
        for way, after in (("replayed", graphs.AFTER), ("launched anew", sys.maxsize)):
            with patch.object(graphs, "AFTER", after):
                rounds = [_gather(setting, classifier, data) for _ in range(3)]
            digests[way] = {_digest(evidence) for _, evidence in rounds}
            found[f"{name}, {way}"] = {
                "equal bytes": len(digests[way]) == 1,
                "seconds": [round(seconds, 2) for seconds, _ in rounds],
            }
        found[f"{name}, both ways equal"] = digests["replayed"] == digests["launched anew"]
    return found


def _digest(evidence: Evidence) -> str:
    return digest_of(evidence.translated, evidence.features, *(t.stamp.add for t in evidence.triggers))


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
