"""One suspect from start to end: trigger, poison, training, honest metrics, card, file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from aegis.errors import DataError
from aegis.evaluate import accuracy, attack_success, robust_accuracy
from aegis.lab.poison import How, poison
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.lab.triggers import TriggerSpec, Workbench, make_trigger
from aegis.models.architectures import build
from aegis.models.card import Card, Identity, Poison, Trigger, Truth, printable, save_checkpoint
from aegis.models.classifier import Classifier
from aegis.runtime import Report, Runtime, silent
from aegis.types import Dataset, LabelledImages, Stage, Stamp

# Section 5.1, Adversarial Accuracy: the budget, step and iterations of training are those of evaluation.
PRECISION_STAGE = Stage(epsilon=0.5, step=1.5, iterations=20)
DEFAULT_RATES = {"localised": 0.01, "distributed": 0.01, "static": 0.3, "adversarial": 0.3}


@dataclass(frozen=True, kw_only=True)
class Order:
    """A suspect as it is asked for.

    Args:
        architecture: as in ``architectures.build``.
        recipe: how it is trained.
        preset: the name the recipe came from.
        trigger: its backdoor, or None for a clean model.
        rate: share of poisoned images in (0, 1]; None takes the paper's for the trigger.
        how: how the poisoned images are put among the others.
        seed: of weights, poison and training.
    """

    architecture: str
    recipe: Recipe
    preset: str
    trigger: TriggerSpec | None = None
    rate: float | None = None
    how: How = "append"
    seed: int = 0

    @property
    def poison_rate(self) -> float:
        """The share of poisoned images."""
        assert self.trigger is not None
        return DEFAULT_RATES[self.trigger.kind] if self.rate is None else self.rate


def make_suspect(
    path: Path,
    order: Order,
    data: Dataset,
    *,
    runtime: Runtime | None = None,
    workbench: Workbench | None = None,
    half: bool = False,
    report: Report = silent,
) -> Card:
    """Train a suspect, measure it on the test images, write it with its card and return the card.

    An interrupted run of the same order goes on from the file ``<path>.partial``, which is removed at the end.

    Raises:
        AegisError: if trigger, data or architecture do not fit, or a file cannot be written.
    """
    runtime = runtime or Runtime()
    torch.manual_seed(order.seed)
    network = build(order.architecture, data.shape[0], len(data.class_names))
    classifier = Classifier(network, data.shape, *_normalisation(data.train))
    identity = _identity(order, data, classifier)  # before hours of training, since it may be refused
    stamp = make_trigger(order.trigger, data.shape, workbench) if order.trigger else None
    images = data.train
    if order.trigger and stamp:
        images = poison(images, stamp, order.trigger.target, rate=order.poison_rate, how=order.how, seed=order.seed)
    state = path.with_name(path.name + ".partial")
    train(classifier, images, order.recipe, seed=order.seed, runtime=runtime, state=state, report=report)
    card = Card(identity, _truth(order, stamp, measure(classifier.frozen(runtime), data, order, stamp)))
    save_checkpoint(path, network, card, half)
    state.unlink(missing_ok=True)
    return card


def measure(classifier: Classifier, data: Dataset, order: Order, stamp: Stamp | None) -> dict[str, float]:
    """The numbers of Table 5 on the test images: accuracy, adversarial precision, attack success and lift."""
    metrics = {
        "accuracy": accuracy(classifier, data.test),
        "adversarial_precision": robust_accuracy(classifier, data.test, PRECISION_STAGE),
    }
    if order.trigger and stamp:
        success = attack_success(classifier, stamp, data.test, order.trigger.target)
        metrics |= {f"attack_success_{name}": value for name, value in asdict(success).items()}
    return metrics


def _identity(order: Order, data: Dataset, classifier: Classifier) -> Identity:
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
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(
            "images and a model that fit on a card", printable(f"{where}: {first['msg']}", 200), "Change what is named."
        ) from error


def _truth(order: Order, stamp: Stamp | None, metrics: dict[str, float]) -> Truth:
    recipe = asdict(order.recipe) | {"preset": order.preset, "seed": order.seed}
    if order.trigger is None or stamp is None:
        return Truth(robust=order.recipe.robust, recipe=recipe, metrics=metrics)
    options = {name: value for name, value in asdict(order.trigger).items() if value is not None}
    return Truth(
        robust=order.recipe.robust,
        trigger=Trigger.of(order.trigger.kind, order.trigger.target, options, stamp),
        poison=Poison(rate=order.poison_rate, how=order.how),
        recipe=recipe,
        metrics=metrics,
    )


def _normalisation(images: LabelledImages) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over the clean training images."""
    mean = images.pixels.mean(axis=(0, 2, 3), dtype="float64")
    std = images.pixels.std(axis=(0, 2, 3), dtype="float64")
    return tuple(round(float(m), 4) for m in mean), tuple(max(round(float(s), 4), 1e-4) for s in std)


def _numbers(tensor: torch.Tensor) -> tuple[float, ...]:
    return tuple(round(float(v), 4) for v in tensor.flatten())
