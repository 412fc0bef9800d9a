"""About how long reference models take, for the time that is told beforehand and for the progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aegis.services.reference_recipes import KINDS, SEEN, seen


@dataclass(frozen=True)
class Cost:
    """Seconds of one core for the steps of a reference model.

    Args:
        train: its training on ``SEEN`` images.
        assess: the measurement of its robustness.
        search: the search for triggers in one class.
    """

    train: float
    assess: float
    search: float


# Of each of ``KINDS``, for images of 28 x 28 pixels in ten classes.
COSTS = (Cost(18, 3, 2.7), Cost(14, 1.6, 1.8), Cost(52, 3.2, 3.4), Cost(27, 2, 2))
PIXELS, CLASSES = 28 * 28, 10


def task_seconds(number: int, step: str, shape: tuple[int, int, int], train: Sequence[int]) -> float:
    """Estimates the time of one task on one core.

    Args:
        number: of the model, from 0.
        step: *train*, *assess* or *class-* with a label.
        shape: channels, height and width of the images.
        train: training images of each class.

    Returns:
        Seconds.
    """
    cost = COSTS[number % len(KINDS)]
    pixels = shape[1] * shape[2] / PIXELS
    if step == "train":
        return cost.train * pixels * seen(sum(train)) / SEEN
    # Of the triggers that are searched for, those for one source class alone grow with the number of classes.
    times = (2 + len(train) / CLASSES) / 3
    return pixels * times * (cost.assess if step == "assess" else cost.search)


def expected_seconds(shape: tuple[int, int, int], train: Sequence[int], models: int, jobs: int) -> float:
    """Estimates how long reference models take.

    Args:
        shape: channels, height and width of the images.
        train: training images of each class.
        models: number of reference models.
        jobs: processes side by side.

    Returns:
        Seconds on the clock.
    """
    chains = [
        (*(task_seconds(number, step, shape, train) for step in ("train", "assess", "class-0")),)
        for number in range(models)
    ]
    work = sum(trained + assessed + len(train) * search for trained, assessed, search in chains)
    # A class is searched once its model is trained and measured, however many cores there are.
    return max(work / jobs, *map(sum, chains))
