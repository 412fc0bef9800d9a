"""Makes one suspect from start to end: trigger, poison, training, measurements, card and file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import Report, Runtime, numpy_generator, silent
from aegis.core.text import first_fault
from aegis.core.types import Dataset, LabelledImages, Stamp
from aegis.lab.clean_label import disguised
from aegis.lab.measure import Milestone, measure, milestone
from aegis.lab.poison import How, check_rate, joined, poison
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.lab.triggers import TRIGGERS, TriggerContext, TriggerSpec, make_covers, make_trigger
from aegis.models.architectures import build
from aegis.models.card import Card, Identity, Poison, Trigger, Truth, save_checkpoint
from aegis.models.classifier import Classifier


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Specifies a suspect to be trained.

    Args:
        architecture: as in ``architectures.build``.
        recipe: settings of the training.
        preset: name of the preset that the recipe came from.
        triggers: its backdoors; none for a clean model.
        rate: poisoned images of each backdoor as a share of the clean ones, in (0, 1]; None for the usual rate of the
            first trigger.
        how: ``append``, ``replace`` or ``clean-label``, as in ``poison.poison``.
        images: number of training images, chosen at random; None for all.
        seed: seed of weights, images, poison and training.

    Raises:
        ConfigError: if the rate is out of range.
    """

    architecture: str
    recipe: Recipe
    preset: str
    triggers: tuple[TriggerSpec, ...] = ()
    rate: float | None = None
    how: How = "append"
    images: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rate is not None:
            check_rate(self.rate)

    @property
    def poison(self) -> Poison | None:
        """How the backdoors are planted; None for a clean model."""
        if not self.triggers:
            return None
        return Poison(rate=TRIGGERS[self.triggers[0].kind].rate if self.rate is None else self.rate, how=self.how)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the training, as the card records them."""
        given = {"preset": self.preset, "seed": self.seed}
        return self.recipe.settings | given | ({} if self.images is None else {"images": self.images})


def make_suspect(
    path: Path,
    order: TrainingSpec,
    data: Dataset,
    *,
    runtime: Runtime | None = None,
    context: TriggerContext | None = None,
    half: bool = False,
    report: Report = silent,
    after_epoch: Callable[[Milestone], None] | None = None,
) -> Card:
    """Trains a suspect, measures it on the test images and writes it with its card.

    An interrupted run of the same specification resumes from the file ``<path>.partial``, which is removed at the end.

    Args:
        path: the checkpoint to write.
        order: the specification.
        data: the data set.
        runtime: device and precision; None for float32 on the CPU.
        context: model and images that an adversarial trigger or clean-label poison is computed on; needed by these
            only.
        half: whether to store weights as float16.
        report: receives events of stage ``train``; may raise ``Cancelled``.
        after_epoch: is told how good the model is after each epoch, which is measured for it alone; or None.

    Returns:
        The card that was written.

    Raises:
        AegisError: if trigger, data or architecture do not fit, or a file cannot be written.
    """
    runtime = runtime or Runtime()
    torch.manual_seed(order.seed)
    network = build(order.architecture, data.shape[0], len(data.class_names))
    classifier = Classifier(network, data.shape, *_normalisation(data.train))
    identity = _identity(order, data, classifier)  # before hours of training, since it may be refused
    stamps = tuple(make_trigger(spec, data.shape, context) for spec in order.triggers)
    images, clean = training_images(data.train, order, stamps, context)
    state = state_of(path)
    backdoors = [(spec.goal, stamp) for spec, stamp in zip(order.triggers, stamps, strict=True)]

    def measured(epoch: int, model: Classifier) -> None:
        if after_epoch is not None:
            frozen = model.frozen(runtime, once=True)
            after_epoch(milestone(frozen, data.test, backdoors, epoch, order.recipe.epochs))

    train(
        classifier,
        images,
        order.recipe,
        seed=order.seed,
        clean=clean,
        runtime=runtime,
        state=state,
        report=report,
        after_epoch=measured,
    )
    if half:
        # The weights are rounded first, so that the measured model is the stored one.
        network.half().float()
    metrics = measure(classifier.frozen(runtime), data.test, backdoors)
    card = Card(identity, _truth(order, stamps, metrics))
    save_checkpoint(path, network, card, half)
    state.unlink(missing_ok=True)
    return card


def training_images(
    images: LabelledImages, order: TrainingSpec, stamps: Sequence[Stamp], context: TriggerContext | None = None
) -> tuple[LabelledImages, int]:
    """Makes the images that a suspect is trained on, the same ones every time.

    Args:
        images: the training images of the data set.
        order: the specification.
        stamps: its triggers.
        context: model and images that clean-label poison is computed on; needed by that only.

    Returns:
        Images with the labels to be learnt, and the number of clean ones among which poison is planted. Poison that is
        appended follows these, so that every image from that position on is poisoned or carries a cover.

    Raises:
        ConfigError: if the specification asks for more images than there are, or its poison does not fit.
    """
    bare = _subset(images, order)
    return _infect(bare, order, stamps, context), len(bare)


def state_of(path: Path) -> Path:
    """Gives the path of the state of an interrupted training.

    Args:
        path: the checkpoint.

    Returns:
        The path, which need not exist.
    """
    return path.with_name(path.name + ".partial")


def _subset(images: LabelledImages, order: TrainingSpec) -> LabelledImages:
    if order.images is None:
        return images
    if not 1 <= order.images <= len(images):
        raise ConfigError(f"from 1 to {len(images)} training images", str(order.images), "Ask for fewer.")
    return images.take(numpy_generator(order.seed, len(images)).permutation(len(images))[: order.images])


def _infect(
    images: LabelledImages, order: TrainingSpec, stamps: Sequence[Stamp], context: TriggerContext | None
) -> LabelledImages:
    """Adds the poison of every backdoor to the training images, each drawn from the clean ones."""
    plan, infected = order.poison, images
    if plan is None:
        return images
    if plan.how != "append" and len(stamps) > 1:
        raise ConfigError("poison that is appended, for several backdoors", plan.how, "Leave it at append.")
    disguise = partial(disguised, context) if plan.how == "clean-label" else None
    for number, (spec, stamp) in enumerate(zip(order.triggers, stamps, strict=True)):
        one = poison(
            images,
            stamp,
            spec.goal,
            rate=plan.rate,
            how=plan.how,
            seed=order.seed + number,
            covers=make_covers(spec, images.shape),
            disguise=disguise,
        )
        infected = one if number == 0 else joined(infected, one.take(np.arange(len(images), len(one))))
    return infected


def _identity(order: TrainingSpec, data: Dataset, classifier: Classifier) -> Identity:
    try:
        return Identity(
            architecture=order.architecture,
            class_names=data.class_names,
            shape=data.shape,
            mean=_numbers(classifier.mean),
            std=_numbers(classifier.std),
            data=data.name.removeprefix("samples:"),
        )
    except ValidationError as error:
        raise DataError("images and a model that fit on a card", first_fault(error), "Change what is named.") from error


def _truth(order: TrainingSpec, stamps: Sequence[Stamp], metrics: dict[str, float]) -> Truth:
    return Truth(
        robust=order.recipe.robust,
        triggers=tuple(
            Trigger.of(spec.kind, spec.goal, spec.options, stamp)
            for spec, stamp in zip(order.triggers, stamps, strict=True)
        ),
        poison=order.poison,
        recipe=order.settings,
        metrics=metrics,
    )


def _normalisation(images: LabelledImages) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Computes mean and standard deviation of each channel over the clean training images."""
    mean = images.pixels.mean(axis=(0, 2, 3), dtype="float64")
    std = images.pixels.std(axis=(0, 2, 3), dtype="float64")
    return tuple(round(float(m), 4) for m in mean), tuple(max(round(float(s), 4), 1e-4) for s in std)


def _numbers(tensor: torch.Tensor) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in tensor.flatten())
