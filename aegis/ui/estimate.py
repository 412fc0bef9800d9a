"""How long a scan will take, told before it starts: from what was measured, else from experience."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from aegis.core.errors import StoreError
from aegis.core.runtime import cores
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig, ScanConfig
from aegis.records.record import ScanRecord, config_of

# Seconds for one gradient of one image of 28 x 28 on one core of a laptop, by architecture; others count as the
# largest, since too long a promise is the smaller disappointment.
GRADIENT = {"aegis:cnn16": 0.0006, "aegis:cnn32": 0.002, "aegis:resnet18": 0.02, "aegis:resnet50": 0.05}
OTHER = 0.05
PIXELS = 28 * 28
# Anywhere among the options; no more digits than make a number that can be reckoned with.
_WIDTH = re.compile(r"(?:^|,)width=([0-9]{1,6})(?=,|$)")
# A forward pass costs about a third of a gradient.
FORWARD = 1 / 3
# t-SNE of one plane: a start, and so much for every point.
PLANE, POINT = 0.6, 0.0025
# What was found in the store took no time and tells nothing.
REAL = 0.2


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is known of a scan before its images are read.

    Args:
        architecture: of the suspect.
        shape: of its images.
        classes: all classes.
        chosen: how many of them are tested.
        config: settings.
        own: training images of a class.
        test: test images in all.
    """

    architecture: str
    shape: tuple[int, int, int]
    classes: int
    chosen: int
    config: ScanConfig
    own: int = 500
    test: int = 1000


def seconds(task: Task, measured: float | None, records: Sequence[ScanRecord]) -> tuple[float, bool]:
    """Expected seconds on the clock, and whether they come from this very kind of model.

    Args:
        task: the scan.
        measured: seconds that measuring this suspect's robustness took, or None.
        records: earlier scans.
    """
    rate = _rate_of(records, task) or _rate_measured(measured, task)
    known = rate is not None
    if rate is None:
        rate = default_rate(task.architecture, task.shape)
    # Robustness is measured on every core at once, a class on one.
    workers = cores()
    assess = 0.0 if measured is not None else assess_work(task.config.assess, task.classes, task.test) * rate / workers
    each = gather_work(task.config.gather, task.classes, task.own) * rate + embed_seconds(task.config, task.own)
    return assess + math.ceil(task.chosen / workers) * each, known


def look_seconds(record: ScanRecord, config: ScanConfig, own: int) -> float:
    """Expected seconds for one class of an earlier scan with other settings, robustness not measured again.

    Args:
        record: the scan.
        config: the other settings.
        own: training images of the class.
    """
    architecture, shape, classes = record.model.architecture, record.data.shape, len(record.data.class_names)
    task = Task(architecture=architecture, shape=shape, classes=classes, chosen=1, config=config, own=own)
    rate = _rate_of([record], task) or default_rate(architecture, shape)
    return gather_work(config.gather, classes, own) * rate + embed_seconds(config, own)


def default_rate(architecture: str, shape: tuple[int, int, int]) -> float:
    """Seconds for one gradient, by experience."""
    name, _, options = architecture.partition(",")
    found = _WIDTH.search(options)
    width = int(found[1]) / 64 if found else 1.0
    rate: float = GRADIENT.get(name, OTHER) * width**1.5 * shape[1] * shape[2] / PIXELS
    return rate


def gather_work(config: GatherConfig, classes: int, own: int) -> float:
    """Gradients that one class takes."""
    translated = config.seeds * sum(stage.iterations for stage in config.stages)
    features = FORWARD * (2 * config.seeds * len(config.stages) + min(own, config.seeds))
    trial = config.transplant
    if trial is None:
        return translated + features
    noise = trial.tiles**2
    changes = len(config.stages) * trial.clusters
    alone = (classes - 1) * (noise + len(config.stages)) * trial.source_survey
    surveyed = trial.steps * ((2 * changes + noise) * trial.survey + alone)
    searched = surveyed + 4 * trial.keep * trial.finish * trial.batch
    return translated + features + searched + FORWARD * 3 * trial.keep * trial.held_out * classes


def assess_work(config: AssessConfig, classes: int, test: int) -> float:
    """Gradients that measuring robustness takes, and how far changes for all images must go."""
    ladder = config.images * len(config.epsilons) * config.iterations
    universal = classes * config.universal_batch * (config.perturbation_steps + config.patch_steps)
    return ladder + universal + FORWARD * test


def embed_seconds(config: ScanConfig, own: int) -> float:
    """Seconds that the planes of one class take on one core."""
    gather: GatherConfig = config.gather
    points = gather.seeds + min(own, gather.seeds)
    embed: EmbedConfig = config.embed
    return len(gather.stages) * (PLANE + POINT * points) * (3 if embed.method == "umap" else 1)


def spoken(span: float) -> str:
    """A time as people say it."""
    if span < 10:
        return "less than 10 seconds"
    if span < 90:
        return f"about {round(span, -1):.0f} seconds"
    if span < 90 * 60:
        return f"about {span / 60:.0f} minutes"
    return f"about {span / 3600:.1f} hours"


def _rate_of(records: Sequence[ScanRecord], task: Task) -> float | None:
    for record in records:
        if (record.model.architecture, record.data.shape) != (task.architecture, task.shape) or not record.classes:
            continue
        try:
            config = config_of(record)
        except StoreError:
            continue
        each = record.seconds.get("gather", 0.0) / len(record.classes)
        rate = each / gather_work(config.gather, len(record.data.class_names), task.own)
        if rate > REAL * default_rate(task.architecture, task.shape):
            return rate
    return None


def _rate_measured(measured: float | None, task: Task) -> float | None:
    if measured is None:
        return None
    rate = measured * cores() / assess_work(task.config.assess, task.classes, task.test)
    return rate if rate > REAL * default_rate(task.architecture, task.shape) else None
