"""Makes benign reference models of a data set, and finds those that there are.

Making them is divided into small tasks, each kept as soon as it is done: a model is trained, its robustness is
measured, and triggers are searched for in one class after another, as a scan does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from aegis.core.errors import AegisError, ConfigError, DataError, StoreError
from aegis.core.files import write_text
from aegis.core.folders import default_folder
from aegis.core.runtime import Event, Report, choose_runtime, silent
from aegis.core.source import STEPS_CODE, code_digest
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.data.reader import same_images
from aegis.fleet.executor import Executor
from aegis.fleet.portable import Portable
from aegis.fleet.tasks import run_all
from aegis.records.builders import trigger_record
from aegis.records.config import ScanConfig, VerdictConfig
from aegis.records.fitting import reference_model
from aegis.records.record import TriggerRecord
from aegis.records.reference_files import read_references, shipped_references, write_references
from aegis.records.references import ReferenceModel, References
from aegis.services.reference_cost import task_seconds
from aegis.services.reference_recipes import KINDS, SLOWER, search_config, settings_digest, training_spec
from aegis.services.reference_weakness import weakness

MODELS = 4
# Fewer images of a class tell nothing about it.
MIN_TRAIN, MIN_TEST = 50, 10
MODES = ("auto", "required", "off")
T = TypeVar("T")


def find_references(digest: str, class_names: Sequence[str], folder: Path | None = None) -> References | None:
    """Finds references of a data set: the user's own, else those that come with AEGIS.

    Args:
        digest: of the data set of a scan, in hex.
        class_names: of the data set, in label order.
        folder: of the results; None for the default one.

    Returns:
        The references; None if there are none.

    Raises:
        StoreError: if the user's own are damaged, of an earlier version, or of other images.
    """
    own = _table(digest, folder)
    if own.exists():
        found = read_references(own)
        if digest not in found.images or found.class_names != tuple(class_names):
            raise StoreError(f"references of these images at {own}", "those of others", "Remove that file.")
        if found.code != code_digest(STEPS_CODE):
            raise StoreError(
                f"references that this version made at {own}", "those of another", "Make them anew: aegis reference."
            )
        return found
    return shipped_references(digest)


def with_references(
    config: ScanConfig,
    images: Dataset,
    mode: str = "auto",
    *,
    folder: Path | None = None,
    tell: Callable[[AegisError], None] = lambda error: None,
) -> ScanConfig:
    """Adds the references of a data set to the settings of a scan.

    Args:
        config: the settings.
        images: the data set of the scan.
        mode: one of ``MODES``: *auto* goes on without references where there are none that can be used, *required*
            does not, *off* uses none.
        folder: of the results; None for the default one.
        tell: told in mode *auto* why references cannot be used.

    Returns:
        The settings.

    Raises:
        StoreError: in mode *required*, if there are no references or they cannot be used.
    """
    if mode == "off" or config.verdict.rule == "paper":
        return config
    try:
        found = find_references(images.digest, images.class_names, folder)
        if found is None and mode == "required":
            raise StoreError("references of these images", "none", "Make them: aegis reference DATA.")
    except AegisError as error:
        if mode == "required":
            raise
        tell(error)
        return config
    return replace(config, verdict=replace(config.verdict, references=found))


@dataclass(frozen=True, kw_only=True)
class ReferencePlan:
    """What is to be made.

    Args:
        source: the data set.
        read: reads it; sent to other processes by name.
        models: number of reference models, at least 2.
        device, precision: as in ``choose_runtime``.
        folder: of the results; None for the default one.
        digest: that the images have in hex, so that no other machine takes others for them; empty where they were not
            read yet.

    Raises:
        ConfigError: for fewer than 2 models.
    """

    source: str
    read: Portable = load_dataset
    models: int = MODELS
    device: str = "auto"
    precision: str = "auto"
    folder: Path | None = None
    digest: str = ""

    def __post_init__(self) -> None:
        if self.models < 2:
            raise ConfigError("at least 2 reference models", str(self.models), "One alone shows no spread.")

    @property
    def images(self) -> Dataset:
        """The data set, read once in each process.

        Raises:
            DataError: if it is another one here.
        """
        return same_images(_images(self.source, self.read), self.digest)

    def tasks(self) -> list[ReferenceTask]:
        """All tasks: for every model its training, its measurement and each of its classes."""
        classes = range(len(self.images.class_names))
        steps = ("train", "assess", *(f"class-{label}" for label in classes))
        return [ReferenceTask(self, number, step) for number in range(self.models) for step in steps]

    @property
    def home(self) -> Path:
        """Folder of everything that is made for these images by this source with these settings."""
        made_by = f"{code_digest(STEPS_CODE)} {settings_digest(self.images)}"
        name = hashlib.sha256(made_by.encode()).hexdigest()[:16]
        return _table(self.images.digest, self.folder).with_suffix("") / name


@dataclass(frozen=True)
class ReferenceTask:
    """One piece of a reference model, made once and kept.

    Args:
        plan: what is to be made.
        number: of the model, from 0.
        step: *train*, *assess* or *class-* with a label.
    """

    plan: ReferencePlan
    number: int
    step: str

    @property
    def model(self) -> Path:
        """The checkpoint of the model."""
        return self.plan.home / f"model-{self.number}.safetensors"

    @property
    def path(self) -> Path:
        """The file of the result."""
        return self.model if self.step == "train" else self.plan.home / f"model-{self.number}-{self.step}.json"

    def needs(self) -> tuple[Path, ...]:
        """What was made before: the model, and for a class what was measured of it."""
        before = {"train": (), "assess": ("train",)}.get(self.step, ("train", "assess"))
        return tuple(replace(self, step=step).path for step in before)

    def makes(self) -> tuple[Path, ...]:
        """The file of the result, as all that is made."""
        return (self.path,)

    def find(self) -> Path | None:
        """Finds the result, which is a whole file or none."""
        return self.path if self.path.exists() else None

    def run(self, workers: int | None = None) -> Path:
        """Computes the result and writes it.

        Args:
            workers: not used: a task is small.

        Returns:
            The file.
        """
        self.plan.home.mkdir(parents=True, exist_ok=True)
        {"train": self._train, "assess": self._assess}.get(self.step, self._search)()
        return self.path

    def _train(self) -> None:
        from aegis.lab.suspect import make_suspect

        images, runtime = self.plan.images, choose_runtime(self.plan.device, self.plan.precision)
        faults: list[str] = []
        for slower in SLOWER:
            # It counts as trained only once it is known to have learned something.
            draft = self.model.with_name(f"{self.model.stem}-slower-{slower}.draft")
            make_suspect(draft, training_spec(self.number, images, slower), images, runtime=runtime)
            fault = weakness(draft, images, runtime)
            if not fault:
                draft.replace(self.model)
                return
            draft.unlink()
            faults.append(fault)
        raise DataError(
            "benign models that learn to tell these classes apart",
            f"reference model {self.number + 1} ({KINDS[self.number % len(KINDS)][0].partition(',')[0]}) with "
            f"{faults[0]}, and no better when trained more slowly",
            "Check that training and test images are labelled alike, or scan without references.",
        )

    def _assess(self) -> None:
        from aegis.detect.assess import assess
        from aegis.detect.scan import with_sizes

        config = search_config(self.plan.images.shape)
        measured = assess(self._classifier(), self.plan.images, config.assess)
        sizes = with_sizes(config, measured).gather.trigger_search
        assert sizes is not None
        assert sizes.area is not None
        assert sizes.radius is not None
        kept = {"accuracy": measured.accuracy, "area": sizes.area, "radius": sizes.radius}
        write_text(self.path, _MEASURED.dump_json(kept).decode())

    def _search(self) -> None:
        from aegis.detect.gather import gather

        label, kept = int(self.step.removeprefix("class-")), self.measured()
        config = search_config(self.plan.images.shape).gather
        assert config.trigger_search is not None
        search = replace(config.trigger_search, area=kept["area"], radius=kept["radius"])
        found = gather(self._classifier(), self.plan.images, label, replace(config, trigger_search=search))
        share = VerdictConfig().source_quantile
        records = tuple(trigger_record(one, one.score(share)) for one in found.triggers)
        write_text(self.path, _TRIGGERS.dump_json(records).decode())

    def _classifier(self) -> Any:  # noqa: ANN401 - a type that needs torch
        from aegis.models.load import load_checkpoint

        return load_checkpoint(self.model).classifier.frozen(choose_runtime(self.plan.device, self.plan.precision))

    def measured(self) -> dict[str, float]:
        """Reads accuracy, area and radius of the model."""
        return _read(replace(self, step="assess").path, _MEASURED.validate_json)

    def triggers(self) -> tuple[TriggerRecord, ...]:
        """Reads the candidates of a class."""
        return _read(self.path, _TRIGGERS.validate_json)


_MEASURED = TypeAdapter(dict[str, float])
_TRIGGERS = TypeAdapter(tuple[TriggerRecord, ...])


def make_references(
    plan: ReferencePlan,
    jobs: int = 1,
    report: Report = silent,
    *,
    isolated: bool = False,
    executor: Executor | None = None,
) -> References:
    """Trains reference models and searches them for triggers, going on where an earlier call stopped.

    Args:
        plan: what is to be made.
        jobs: processes side by side, at least 1.
        report: told, after each task that had to be done and every half second while processes work, how far all is;
            an error that it raises, such as ``Cancelled``, ends them.
        isolated: use a process even for one job.
        executor: as in ``run_all``.

    Returns:
        The references, which are kept for every later scan with these images.

    Raises:
        DataError: if a class has too few images, or a model learns nothing from them.
        AegisError: if a task fails or a file cannot be written.
    """
    try:
        return _make(replace(plan, digest=plan.images.digest), jobs, report, isolated, executor)
    finally:
        # A server would hold the images for as long as it runs.
        _images.cache_clear()


def usual_jobs(device: str = "auto") -> int:
    """Chooses how many processes make references side by side.

    Args:
        device: as in ``choose_runtime``.
    """
    return 1 if device == "cuda" else choose_runtime(device).workers


def _make(plan: ReferencePlan, jobs: int, report: Report, isolated: bool, executor: Executor | None) -> References:
    images = plan.images
    check_counts(*class_counts(images))
    _carry_out(plan, jobs, report, isolated, executor)
    models = tuple(_model(plan, number) for number in range(plan.models))
    found = References(
        images=(images.digest,), class_names=images.class_names, models=models, code=code_digest(STEPS_CODE)
    )
    write_references(found, _table(images.digest, plan.folder))
    return found


def _carry_out(plan: ReferencePlan, jobs: int, report: Report, isolated: bool, executor: Executor | None) -> None:
    tasks, images, done = plan.tasks(), plan.images, 0.0
    costs = [task_seconds(task.number, task.step, images.shape, class_counts(images)[0]) for task in tasks]
    position = {(task.number, task.step): i for i, task in enumerate(tasks)}
    after = {
        i: position[task.number, "train" if task.step == "assess" else "assess"]
        for i, task in enumerate(tasks)
        if task.step != "train"
    }

    def tell() -> None:
        # Counted in seconds, since trainings take much longer than searches.
        report(Event(stage="references", step=round(done), total=round(sum(costs))))

    for i, _, is_new in run_all(tasks, jobs, after=after, isolated=isolated, tick=tell, executor=executor):
        done += costs[i]
        # Those that were kept take no time, and would spoil the pace.
        if is_new:
            tell()


def _model(plan: ReferencePlan, number: int) -> ReferenceModel:
    own = [task for task in plan.tasks() if task.number == number]
    found = [task.triggers() for task in own if task.step.startswith("class-")]
    architecture = KINDS[number % len(KINDS)][0].partition(",")[0]
    return reference_model(f"reference {number + 1}", architecture, own[0].measured()["accuracy"], found)


def _read(path: Path, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreError(f"a part of the references at {path}", "other content", "Remove it and try again.") from error


def class_counts(images: Dataset) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts the images of every class, in label order: those for training, and those for testing."""
    train, test = (
        np.bincount(part.labels, minlength=len(images.class_names)).tolist() for part in (images.train, images.test)
    )
    return tuple(train), tuple(test)


def check_counts(train: Sequence[int], test: Sequence[int]) -> None:
    """Checks that there are enough images of every class for references.

    Args:
        train, test: images of each class.

    Raises:
        DataError: if there are too few.
    """
    for split, fewest, counts in (("training", MIN_TRAIN, train), ("test", MIN_TEST, test)):
        if min(counts) < fewest:
            raise DataError(
                f"at least {fewest} {split} images of every class",
                f"{min(counts)} of class {counts.index(min(counts))}",
                "Give more images, or scan without references.",
            )


def _table(digest: str, folder: Path | None) -> Path:
    return (folder or default_folder()) / "references" / f"{digest[:32]}.json"


@lru_cache(maxsize=1)
def _images(source: str, read: Callable[[str], Dataset]) -> Dataset:
    return read(source)
