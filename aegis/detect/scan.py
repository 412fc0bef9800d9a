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
from aegis.core.types import Applicability, Dataset, VerdictName
from aegis.detect.assess import assess
from aegis.detect.bounds import is_large
from aegis.detect.cluster import judge
from aegis.detect.early import first_look, is_hopeless, look_settings
from aegis.detect.embed import check_points, embed
from aegis.detect.gather import gather
from aegis.detect.screen import screen
from aegis.detect.steps import Steps
from aegis.detect.verdict import ClassResult, conclude_classes
from aegis.models.classifier import Classifier
from aegis.models.load import Suspect
from aegis.records.builders import (
    class_record,
    data_record,
    model_record,
    now,
    runtime_record,
    source_record,
    versions,
)
from aegis.records.config import ScanConfig
from aegis.records.presets import preset
from aegis.records.record import ScanRecord, TriageRecord, config_record
from aegis.records.reference_files import shipped_references

STEPS = Steps(assess, gather, embed, first_look, screen)


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
        triage: how classes were ranked, if the likeliest were examined first.
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
    triage: TriageRecord | None = None

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
            triage=self.triage,
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
    # Repeated labels are tested once.
    chosen = list(dict.fromkeys(labels or suspect.classifier.labels))
    work = Work.begin(suspect, data, config, chosen, runtime, steps, report)
    seen = None if labels else work.first_look()
    if seen is not None and is_hopeless(seen, len(data.test), work.config.verdict):
        return work.result(seen, [])
    measured, work = work.measured()
    with work.clock("classes"):
        found = side_by_side(work.examine, chosen, work.runtime.workers, work.stop)
    return work.result(measured, found, labels=tuple(chosen) if labels else None)


@dataclass(frozen=True, eq=False)
class Work:
    """What the steps of one scan share.

    Args:
        suspect, data, config, steps: as in ``scan``; the settings with sizes once the model was measured.
        runtime: where the network runs.
        first: device and precision that were chosen first.
        report: receives events, from one thread at a time.
        stop: ends all threads.
        clock: adds up the time of each step.
    """

    suspect: Suspect
    data: Dataset
    config: ScanConfig
    runtime: Runtime
    first: Runtime
    steps: Steps
    report: Report
    stop: threading.Event
    clock: Clock

    @classmethod
    def begin(
        cls,
        suspect: Suspect,
        data: Dataset,
        config: ScanConfig | None,
        labels: Sequence[int],
        runtime: Runtime | None,
        steps: Steps,
        report: Report,
    ) -> Work:
        """Checks that model, images and settings fit together.

        Args:
            suspect, data, config, runtime, steps, report: as in ``scan``.
            labels: the classes that may be examined.

        Raises:
            AegisError: if they do not.
        """
        config, first, stop = config or _default(data), runtime or choose_runtime(), threading.Event()
        _check(suspect.classifier, data, labels, config)
        fitted = suspect.classifier.fitted(first)
        return cls(suspect, data, config, fitted, first, steps, one_at_a_time(report, stop), stop, Clock())

    @property
    def is_large(self) -> bool:
        """Whether there are many classes, or the images are large."""
        return is_large(self.suspect.classifier.classes, self.data.shape)

    def first_look(self) -> Applicability | None:
        """Measures the model on few images; None where measuring it on all takes no longer than a minute anyway."""
        if not self.is_large:
            return None
        model, settings = self.suspect.classifier.frozen(self.runtime), look_settings(self.config)
        with self.clock("look"):
            return self.steps.look(model, self.data, settings, report=self.report)

    def measured(self) -> tuple[Applicability, Work]:
        """Measures the model, and sets the sizes of triggers by that."""
        model = self.suspect.classifier.frozen(self.runtime)
        with self.clock("assess"):
            applicability = self.steps.assess(model, self.data, self.config.assess, report=self.report)
        return applicability, replace(self, config=with_sizes(self.config, applicability))

    def examine(self, label: int) -> ClassResult:
        """Examines one class.

        Args:
            label: the class.

        Returns:
            What was found, not judged yet; without the evidence where the scan is large, since that of all classes
            would not fit into memory.
        """
        # Each class gets its own copy of the model: features are read through hooks, which threads cannot share.
        model = self.suspect.classifier.frozen(self.runtime)
        with self.clock("gather"):
            evidence = self.steps.gather(model, self.data, label, self.config.gather, report=self.report)
        with self.clock("embed"):
            embeddings = self.steps.embed(evidence, self.config.embed, report=self.report)
        with self.clock("judge"):
            finding = judge(evidence, embeddings, self.config.judge)
        record = class_record(finding, self.data.class_names[label], self.config.verdict.source_quantile)
        return ClassResult(None if self.is_large else finding, record)

    def result(
        self,
        applicability: Applicability,
        found: Sequence[ClassResult],
        *,
        labels: tuple[int, ...] | None = None,
        triage: TriageRecord | None = None,
    ) -> ScanResult:
        """Judges what was found.

        Args:
            applicability: measurements of the model.
            found: the classes examined.
            labels, triage: as in ``ScanResult``.

        Returns:
            The outcome of the scan.
        """
        end = conclude_classes(applicability, found, self.data.class_names, self.config.verdict, triage)
        return ScanResult(
            end.verdict,
            end.sentence,
            end.classes,
            applicability,
            self.config,
            self.suspect,
            self.data,
            self.runtime,
            self.clock.seconds,
            labels,
            self.first,
            triage,
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
