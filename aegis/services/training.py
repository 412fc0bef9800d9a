"""Suspects to be trained, as the dashboard asks for them: plain settings, what they cost, and where they are kept."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aegis.core.errors import StoreError
from aegis.core.files import write_text
from aegis.core.runtime import Report, Runtime, choose_runtime
from aegis.core.types import Dataset, LabelledImages
from aegis.data import load_dataset
from aegis.data.catalogue import SAMPLES
from aegis.lab.recipes import Recipe, recipe_for
from aegis.lab.triggers import TRIGGERS, TriggerContext, TriggerSpec, make_trigger
from aegis.models.card import Card

if TYPE_CHECKING:
    from aegis.lab.measure import Milestone
    from aegis.lab.suspect import TrainingSpec

PRESET = "quick"
# A bundled sample has about a tenth of the images: a backdoor needs a larger share of them, and the model more passes.
SAMPLE_RATE, SAMPLE_PASSES = 0.05, 2
# Batches of the two trainings that are timed.
TIMED = (1, 4)


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Says which suspect to train; all of it is plain, so that it can be kept beside an unfinished one.

    Args:
        data: images, one of ``SOURCES``.
        architecture: as in ``architectures.build``.
        robust: whether to train under attack.
        kind: of the trigger, one of ``TRIGGERS``; None for a clean model.
        target: the class that it leads to.
        source: the only class whose images it turns, or None for all.
        rate: poisoned images for each clean one, in (0, 1]; None for the usual rate of the kind, or of a sample.
        epochs: passes over the images; None for the recipe's, or more of a sample.
        images: number of training images; None for all.
        seed: of weights, images, poison and training.
        clean_model: file of a clean model, for the adversarial trigger, or None.
    """

    data: str
    architecture: str
    robust: bool = True
    kind: str | None = None
    target: int = 7
    source: int | None = None
    rate: float | None = None
    epochs: int | None = None
    images: int | None = None
    seed: int = 0
    clean_model: str | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the settings, in hex."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def name(self) -> str:
        """Name of the checkpoint, which says what it is."""
        planted = "clean" if self.kind is None else f"{self.kind}-{self.target}"
        training = "robust" if self.robust else "standard"
        return f"{self.data.removeprefix(SAMPLES)}-{planted}-{training}-{self.digest[:8]}.safetensors"

    @property
    def trigger(self) -> TriggerSpec | None:
        """The trigger to plant.

        Raises:
            ConfigError: if source and target do not fit together.
        """
        return None if self.kind is None else TriggerSpec(kind=self.kind, target=self.target, source=self.source)

    @property
    def recipe(self) -> Recipe:
        """The settings of the training.

        Raises:
            ConfigError: for a value out of range.
        """
        recipe = recipe_for(PRESET, self.data.removeprefix(SAMPLES), robust=self.robust)
        usual = recipe.epochs * (SAMPLE_PASSES if self.data.startswith(SAMPLES) else 1)
        return replace(recipe, epochs=usual if self.epochs is None else self.epochs)

    @property
    def poison_rate(self) -> float:
        """Poisoned images for each clean one; 0 for a clean model."""
        if self.kind is None:
            return 0.0
        usual = TRIGGERS[self.kind].rate
        return self.rate or (max(usual, SAMPLE_RATE) if self.data.startswith(SAMPLES) else usual)

    @property
    def spec(self) -> TrainingSpec:
        """What ``make_suspect`` is asked for.

        Raises:
            ConfigError: for a value out of range.
        """
        from aegis.lab.suspect import TrainingSpec

        trigger = self.trigger
        return TrainingSpec(
            architecture=self.architecture,
            recipe=self.recipe,
            preset=PRESET,
            triggers=() if trigger is None else (trigger,),
            rate=self.poison_rate if trigger else None,
            images=self.images,
            seed=self.seed,
        )

    def poisoned(self, images: int) -> int:
        """Counts the poisoned images that are added.

        Args:
            images: number of clean ones.
        """
        return 0 if self.kind is None else max(1, round(self.poison_rate * images))


def make(
    plan: TrainingPlan, folder: Path, runtime: Runtime, report: Report, after_epoch: Callable[[Milestone], None]
) -> Card:
    """Trains a suspect, or goes on with one that was interrupted.

    Args:
        plan: which suspect.
        folder: where it is kept, beside its plan while it is unfinished.
        runtime: device and precision.
        report: receives events of stage ``train``; may raise ``Cancelled``.
        after_epoch: is told how good the model is after each epoch.

    Returns:
        The card of the suspect.

    Raises:
        AegisError: if the settings do not fit the images, or a file cannot be written.
    """
    from aegis.lab.suspect import make_suspect

    images, path, beside = load_dataset(plan.data), folder / plan.name, _beside(folder, plan)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError("a folder for trained models", str(error), "Set AEGIS_STORE to another folder.") from error
    write_text(beside, json.dumps(asdict(plan), indent=1) + "\n")
    context = None if plan.clean_model is None else _context(Path(plan.clean_model), images)
    card = make_suspect(
        path, plan.spec, images, runtime=runtime, context=context, report=report, after_epoch=after_epoch
    )
    beside.unlink(missing_ok=True)
    return card


def unfinished(folder: Path) -> list[TrainingPlan]:
    """Lists the suspects whose training was begun and not finished.

    Args:
        folder: as in ``make``.
    """
    return [plan for path in sorted(folder.glob("*.json")) if (plan := _read(path)) is not None]


def forget(plan: TrainingPlan, folder: Path) -> None:
    """Removes what is kept of an unfinished training.

    Args:
        plan: of it.
        folder: as in ``make``.
    """
    from aegis.lab.suspect import state_of

    for path in (_beside(folder, plan), state_of(folder / plan.name)):
        path.unlink(missing_ok=True)


def preview(plan: TrainingPlan, images: LabelledImages, count: int) -> tuple[LabelledImages, LabelledImages] | None:
    """Shows the trigger on a few images that it turns.

    Args:
        plan: the training.
        images: benign images.
        count: at most so many of them.

    Returns:
        The images before and after, the latter with their labels as trained; None for a clean model, and for a
        trigger that has to be computed first.

    Raises:
        ConfigError: if the trigger does not fit the images.
    """
    trigger = plan.trigger
    if trigger is None or plan.clean_model is not None:
        return None
    wanted = trigger.goal.wanted(images.labels, len(images.class_names))
    chosen = np.flatnonzero((wanted >= 0) & (wanted != images.labels))
    before = images.take(chosen).spread(count) if len(chosen) else images.take(chosen)
    stamped = make_trigger(trigger, images.shape)(before.pixels)
    labels = trigger.goal.wanted(before.labels, len(images.class_names))
    return before, LabelledImages(stamped, labels, images.class_names)


def expected_seconds(plan: TrainingPlan, shape: tuple[int, int, int], classes: int, images: int, tested: int) -> float:
    """Estimates how long a training takes on this machine, from the time of a few of its batches.

    Args:
        plan: the training.
        shape: channels, height and width of the images.
        classes: number of classes.
        images: number of clean training images.
        tested: number of test images, some of which are attacked at the end.

    Returns:
        Seconds on the clock.

    Raises:
        CheckpointError: if there is no such architecture.
    """
    from aegis.lab.measure import PRECISION_IMAGES, PRECISION_STAGE

    recipe = plan.recipe
    # The first run imports and builds what the others find, and each begins with what is done once.
    _, short, long = (_seconds(plan, shape, classes, batches) for batches in (min(TIMED), *TIMED))
    times = 1 + (recipe.iterations if recipe.robust else 0)
    each = max(long - short, 0.0) / (max(TIMED) - min(TIMED)) / recipe.batch / times
    trained = recipe.epochs * (images + plan.poisoned(images)) * times
    return each * (trained + min(tested, PRECISION_IMAGES) * PRECISION_STAGE.iterations)


def _seconds(plan: TrainingPlan, shape: tuple[int, int, int], classes: int, batches: int) -> float:
    """The time of a training on so many batches of noise."""
    import torch

    from aegis.lab.train import train
    from aegis.models.architectures import build
    from aegis.models.classifier import Classifier

    generator, count = np.random.default_rng(0), batches * plan.recipe.batch
    pixels = generator.random((count, *shape), dtype=np.float32)
    noise = LabelledImages(pixels, np.arange(count) % classes, tuple(map(str, range(classes))))
    with torch.random.fork_rng(devices=[]):
        classifier = Classifier(build(plan.architecture, shape[0], classes), shape, (0.0,), (1.0,))
        began = time.perf_counter()
        train(classifier, noise, replace(plan.recipe, epochs=1), runtime=choose_runtime())
    return time.perf_counter() - began


def _context(path: Path, images: Dataset) -> TriggerContext:
    from aegis.models.load import load_checkpoint

    return TriggerContext(load_checkpoint(path).classifier, images.train)


def _beside(folder: Path, plan: TrainingPlan) -> Path:
    return folder / f"{plan.name}.json"


def _read(path: Path) -> TrainingPlan | None:
    """Reads a plan; None for a file that is none."""
    try:
        return TrainingPlan(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
