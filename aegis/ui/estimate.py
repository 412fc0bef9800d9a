"""Estimates how long a scan will take from the last scan of the same kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aegis.core.errors import StoreError
from aegis.records.config import ScanConfig
from aegis.records.record import ScanRecord, config_of


@dataclass(frozen=True, kw_only=True)
class PlannedScan:
    """A scan, whose images need not have been read yet.

    Args:
        architecture: of the suspect.
        shape: channels, height and width of its images.
        classes: number of all classes.
        chosen: number of classes to test.
        config: settings.
        is_measured: whether its robustness has been measured already.
    """

    architecture: str
    shape: tuple[int, int, int]
    classes: int
    chosen: int
    config: ScanConfig
    is_measured: bool = False


def seconds(task: PlannedScan, records: Sequence[ScanRecord]) -> float | None:
    """Expected time of a scan.

    Args:
        task: the scan.
        records: saved scans, newest first.

    Returns:
        Seconds on the clock, or None if no saved scan is of the same kind.
    """
    times = list(_times(task, records))
    # Steps found in the store took no time, so the longest time is that of a scan that computed them.
    return max(times) if times else None


def spoken(span: float) -> str:
    """Say a duration in words.

    Args:
        span: in seconds.

    Returns:
        Words such as *2 minutes*.
    """
    if span < 10:
        return "less than 10 seconds"
    if span < 90:
        return f"about {round(span, -1):.0f} seconds"
    if span < 90 * 60:
        return f"about {span / 60:.0f} minutes"
    return f"about {span / 3600:.1f} hours"


def _times(task: PlannedScan, records: Sequence[ScanRecord]) -> Iterator[float]:
    wanted, device = _steps(task.config), None
    for record in records:
        kind = record.model.architecture, record.data.shape, len(record.data.class_names)
        if kind != (task.architecture, task.shape, task.classes) or not record.classes:
            continue
        try:
            same = _steps(config_of(record)) == wanted
        except StoreError:
            continue
        # The newest scan tells the device.
        if same and device in (None, record.runtime.device):
            device = record.runtime.device
            assess = 0.0 if task.is_measured else record.seconds.get("assess", 0.0)
            yield assess + record.seconds.get("classes", 0.0) * task.chosen / len(record.classes)


def _steps(config: ScanConfig) -> tuple[object, ...]:
    """Settings of the costly steps, without sizes of triggers, which come from the model and cost no time."""
    trial = config.gather.trigger_search
    sizeless = trial and replace(trial, area=None, radius=None)
    return config.assess, replace(config.gather, trigger_search=sizeless, seed=0), config.embed
