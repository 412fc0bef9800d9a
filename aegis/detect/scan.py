"""Scans a model for backdoors (Algorithm 1), in the order of the paper."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import Report, Runtime, choose_runtime, silent
from aegis.core.threads import one_at_a_time, side_by_side
from aegis.core.types import Applicability, Dataset, Finding, VerdictName
from aegis.detect.assess import assess
from aegis.detect.cluster import judge
from aegis.detect.embed import check_points, embed
from aegis.detect.gather import gather
from aegis.detect.steps import Steps
from aegis.detect.verdict import ClassResult, conclude
from aegis.models.classifier import Classifier
from aegis.models.load import Suspect
from aegis.records.builders import data_record, model_record, now, runtime_record, source_record, versions
from aegis.records.config import ScanConfig
from aegis.records.presets import preset
from aegis.records.record import ScanRecord, config_record
from aegis.records.reference_files import shipped_references

STEPS = Steps(assess, gather, embed)


@dataclass(frozen=True, eq=False)
class ScanResult:
    """Holds the outcome of a scan.

    Args:
        verdict: *infected*, *clean* or *inconclusive*.
        sentence: the verdict with its reason.
        classes: results of every class tested.
        applicability: accuracy and robustness of the model.
        config: the complete settings.
        suspect, data: the model and the images of the scan.
        runtime: device, precision and workers.
        seconds: time of each step in seconds, by name, added up over threads.
        labels: the classes requested, or None for all.
        chosen: device and precision that were chosen first, or None for those of the runtime.
    """

    verdict: VerdictName
    sentence: str
    classes: tuple[ClassResult, ...]
    applicability: Applicability
    config: ScanConfig
    suspect: Suspect
    data: Dataset
    runtime: Runtime
    seconds: dict[str, float]
    labels: tuple[int, ...] | None = None
    chosen: Runtime | None = None

    @property
    def flagged_classes(self) -> tuple[int, ...]:
        """Labels of the flagged classes."""
        return tuple(c.record.label for c in self.classes if c.record.flagged)

    def record(self, file: str) -> ScanRecord:
        """Converts the result to a record that is saved as JSON.

        Args:
            file: name of the checkpoint's file.

        Returns:
            The record, without images and features.
        """
        return ScanRecord(
            verdict=self.verdict,
            sentence=self.sentence,
            flagged_classes=self.flagged_classes,
            classes=tuple(c.record for c in self.classes),
            model=model_record(file, self.suspect, self.applicability),
            data=data_record(self.data),
            config=config_record(self.config),
            versions=versions(),
            runtime=runtime_record(self.runtime, self.chosen),
            seconds={name: round(value, 2) for name, value in self.seconds.items()},
            created=now(),
            labels=self.labels,
            source=source_record(),
        )


def scan(
    suspect: Suspect,
    data: Dataset,
    config: ScanConfig | None = None,
    *,
    labels: Sequence[int] | None = None,
    runtime: Runtime | None = None,
    steps: Steps = STEPS,
    report: Report = silent,
) -> ScanResult:
    """Scans a model for a backdoor (Algorithm 1).

    Args:
        suspect: the model under test.
        data: images that the model was made for.
        config: settings; None for the ``default`` preset, with references of the data that come with AEGIS.
        labels: the classes to test; None for all.
        runtime: device, precision and workers; None for the fastest of this machine. Where the network does not run
            there, the scan takes the nearest at which it does.
        steps: functions that do the costly steps; a store's functions reuse saved results.
        report: receives events of all stages; may raise ``Cancelled``.

    Returns:
        The verdict, with the evidence of each class.

    Raises:
        AegisError: if model, images and settings do not fit together.
    """
    config = config or _default(data)
    first, clock = runtime or choose_runtime(), Clock()
    stop = threading.Event()
    report = one_at_a_time(report, stop)
    # Repeated labels are tested once.
    chosen = list(dict.fromkeys(labels or suspect.classifier.labels))
    _check(suspect.classifier, data, chosen, config)
    runtime = suspect.classifier.fitted(first)
    with clock("assess"):
        applicability = steps.assess(suspect.classifier.frozen(runtime), data, config.assess, report=report)
    config = with_sizes(config, applicability)

    def examine(label: int) -> Finding:
        # Each class gets its own copy of the model: features are read through hooks, which threads cannot share.
        model = suspect.classifier.frozen(runtime)
        with clock("gather"):
            evidence = steps.gather(model, data, label, config.gather, report=report)
        with clock("embed"):
            embeddings = steps.embed(evidence, config.embed, report=report)
        with clock("judge"):
            return judge(evidence, embeddings, config.judge)

    with clock("classes"):
        findings = side_by_side(examine, chosen, runtime.workers, stop)
    end = conclude(applicability, findings, data.class_names, config.verdict)
    return ScanResult(
        end.verdict,
        end.sentence,
        end.classes,
        applicability,
        config,
        suspect,
        data,
        runtime,
        clock.seconds,
        tuple(chosen) if labels else None,
        first,
    )


def _default(data: Dataset) -> ScanConfig:
    config = preset("default", data.name, data.shape)
    return replace(config, verdict=replace(config.verdict, references=shipped_references(data.digest)))


def with_sizes(config: ScanConfig, applicability: Applicability) -> ScanConfig:
    """Sets the patch area and the perturbation radius as fractions of what an ordinary class of this model needs.

    Args:
        config: the settings of a scan.
        applicability: measurements of the model, with the sizes for each class.

    Returns:
        The settings with area and radius set; unchanged without a trigger search.
    """
    search = config.gather.trigger_search
    if search is None:
        return config
    search = search.scaled(applicability.universal_areas, applicability.universal_radii)
    return replace(config, gather=replace(config.gather, trigger_search=search))


@dataclass
class Clock:
    """Adds up seconds by name, over all threads.

    Args:
        seconds: the sums by name.
        lock: protects the sums.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Measures the time of a ``with`` block.

        Args:
            name: name of the sum that the time is added to.

        Returns:
            A context manager.
        """
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            with self.lock:
                self.seconds[name] = self.seconds.get(name, 0.0) + spent


def _check(classifier: Classifier, data: Dataset, labels: Sequence[int], config: ScanConfig) -> None:
    if classifier.classes != len(data.class_names) or classifier.shape != data.shape:
        raise DataError(
            f"images of shape {classifier.shape} in {classifier.classes} classes, as the model has",
            f"{data.shape} in {len(data.class_names)} classes",
            "Give the data set the model was made for with --data.",
        )
    unknown = [label for label in labels if label not in classifier.labels]
    if unknown:
        raise ConfigError(
            f"classes from 0 to {classifier.classes - 1}", ", ".join(map(str, unknown)), "Correct --classes."
        )
    for label in labels:
        own = int((data.train.labels == label).sum())
        points = sum(min(count, config.gather.seeds) for count in (own, len(data.train.labels) - own))
        check_points(points, label, config.embed)
