"""Makes benign reference models of a data set, and finds those that there are.

Making them is divided into small tasks, each kept as soon as it is done: a model is trained, its robustness is
measured, and triggers are searched for in one class after another, as a scan does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from aegis.core.errors import AegisError, ConfigError, DataError, StoreError
from aegis.core.files import write_text
from aegis.core.folders import default_folder
from aegis.core.runtime import choose_runtime
from aegis.core.source import STEPS_CODE, code_digest
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.fleet.tasks import run_all
from aegis.records.builders import trigger_record
from aegis.records.config import ScanConfig, VerdictConfig
from aegis.records.fitting import reference_model
from aegis.records.presets import preset
from aegis.records.record import TriggerRecord
from aegis.records.references import (
    ReferenceModel,
    References,
    read_references,
    shipped_references,
    write_references,
)

MODELS = 4
# Fewer images of a class tell nothing about it.
MIN_TRAIN, MIN_TEST = 50, 10
# Images that a model sees in its whole training, and the most of them that differ.
SEEN, MOST_IMAGES = 60_000, 20_000
FEWEST_EPOCHS, MOST_EPOCHS = 3, 16
MODES = ("auto", "required", "off")
T = TypeVar("T")


# Architecture, budget as a multiple of the usual one, norm, and learning rate of each reference model in turn. They
# differ, since what belongs to the data shows in all of them.
_KINDS: tuple[tuple[str, float, Literal["l2", "linf"], float], ...] = (
    ("aegis:cnn16,width=8", 1.0, "l2", 0.2),
    ("aegis:strided,width=8,grid={grid},hidden=64", 2.0, "l2", 0.02),
    ("aegis:preact,width=8,blocks=1", 1.0, "linf", 0.2),
    ("aegis:plain,width=8,grid={grid},hidden=64", 0.5, "l2", 0.02),
)


def find_references(images: Dataset, folder: Path | None = None) -> References | None:
    """Finds references of a data set: the user's own, else those that come with AEGIS.

    Args:
        images: the data set of a scan.
        folder: of the results; None for the default one.

    Returns:
        The references; None if there are none.

    Raises:
        StoreError: if the user's own are damaged, of an earlier version, or of other images.
    """
    own = _table(images.digest, folder)
    if own.exists():
        found = read_references(own)
        if images.digest not in found.images or found.class_names != images.class_names:
            raise StoreError(f"references of these images at {own}", "those of others", "Remove that file.")
        if found.code != code_digest(STEPS_CODE):
            raise StoreError(
                f"references that this version made at {own}", "those of another", "Make them anew: aegis reference."
            )
        return found
    return shipped_references(images.digest)


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
        found = find_references(images, folder)
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
        source: the data set, as ``load_dataset`` takes it.
        models: number of reference models, at least 2.
        device, precision: as in ``choose_runtime``.
        folder: of the results; None for the default one.

    Raises:
        ConfigError: for fewer than 2 models.
    """

    source: str
    models: int = MODELS
    device: str = "auto"
    precision: str = "auto"
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.models < 2:
            raise ConfigError("at least 2 reference models", str(self.models), "One alone shows no spread.")

    @property
    def images(self) -> Dataset:
        """The data set, read once in each process."""
        return _images(self.source)

    def tasks(self) -> list[ReferenceTask]:
        """All tasks: for every model its training, its measurement and each of its classes."""
        classes = range(len(self.images.class_names))
        steps = ("train", "assess", *(f"class-{label}" for label in classes))
        return [ReferenceTask(self, number, step) for number in range(self.models) for step in steps]

    @property
    def home(self) -> Path:
        """Folder of everything that is made for these images by this source."""
        return _table(self.images.digest, self.folder).with_suffix("") / code_digest(STEPS_CODE)[:16]


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
        from aegis.lab.recipes import Recipe
        from aegis.lab.suspect import TrainingSpec, make_suspect

        images = self.plan.images
        architecture, times, norm, lr = _KINDS[self.number % len(_KINDS)]
        count = min(len(images.train), MOST_IMAGES)
        # Pixels of colour images are known to allow half the budget of grey ones.
        radius = times * (0.5 if images.shape[0] == 1 else 0.25)
        epsilon = radius if norm == "l2" else 2 * radius / float(np.sqrt(np.prod(images.shape)))
        recipe = Recipe(
            epochs=min(max(round(SEEN / count), FEWEST_EPOCHS), MOST_EPOCHS),
            batch=64,
            lr=lr,
            schedule="one-cycle",
            norm=norm,
            epsilon=epsilon,
            step=0.6 * epsilon,
            iterations=2,
        )
        spec = TrainingSpec(
            architecture=architecture.format(grid=min(8, max(1, images.shape[1] // 4))),
            recipe=recipe,
            preset="reference",
            images=count,
            seed=1000 + self.number,
        )
        make_suspect(self.model, spec, images, runtime=choose_runtime(self.plan.device, self.plan.precision))

    def _assess(self) -> None:
        from aegis.detect.assess import assess
        from aegis.detect.scan import with_sizes

        config = preset("default", None, self.plan.images.shape)
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
        config = preset("default", None, self.plan.images.shape).gather
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
    plan: ReferencePlan, jobs: int = 1, on_done: Callable[[int, int], None] = lambda done, total: None
) -> References:
    """Trains reference models and searches them for triggers, going on where an earlier call stopped.

    Args:
        plan: what is to be made.
        jobs: processes side by side, at least 1.
        on_done: told, after each task, how many are done and how many there are.

    Returns:
        The references, which are kept for every later scan with these images.

    Raises:
        DataError: if a class has too few images.
        AegisError: if a task fails or a file cannot be written.
    """
    images = plan.images
    _check(images)
    for done, _ in enumerate(_outcomes(plan, jobs), 1):
        on_done(done, len(plan.tasks()))
    models = tuple(_model(plan, number) for number in range(plan.models))
    found = References(
        images=(images.digest,), class_names=images.class_names, models=models, code=code_digest(STEPS_CODE)
    )
    write_references(found, _table(images.digest, plan.folder))
    return found


def _outcomes(plan: ReferencePlan, jobs: int) -> Iterator[object]:
    tasks = plan.tasks()
    position = {(task.number, task.step): i for i, task in enumerate(tasks)}
    after = {
        i: position[task.number, "train" if task.step == "assess" else "assess"]
        for i, task in enumerate(tasks)
        if task.step != "train"
    }
    yield from run_all(tasks, jobs, after=after)


def _model(plan: ReferencePlan, number: int) -> ReferenceModel:
    own = [task for task in plan.tasks() if task.number == number]
    found = [task.triggers() for task in own if task.step.startswith("class-")]
    architecture = _KINDS[number % len(_KINDS)][0].partition(",")[0]
    return reference_model(f"reference {number + 1}", architecture, own[0].measured()["accuracy"], found)


def _read(path: Path, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreError(f"a part of the references at {path}", "other content", "Remove it and try again.") from error


def _check(images: Dataset) -> None:
    for split, fewest, images_of in (("training", MIN_TRAIN, images.train), ("test", MIN_TEST, images.test)):
        counts = np.bincount(images_of.labels, minlength=len(images.class_names))
        if counts.min() < fewest:
            label = int(counts.argmin())
            raise DataError(
                f"at least {fewest} {split} images of every class",
                f"{counts.min()} of class {label}",
                "Give more images, or scan without references.",
            )


def _table(digest: str, folder: Path | None) -> Path:
    return (folder or default_folder()) / "references" / f"{digest[:32]}.json"


@lru_cache(maxsize=1)
def _images(source: str) -> Dataset:
    return load_dataset(source)
