"""Settings so small that an experiment ends in seconds: they show that it runs, and say nothing of the method."""

from __future__ import annotations

from dataclasses import replace

from aegis.baselines.config import DetectorConfig, MaximumMarginConfig, NeuralCleanseConfig, PgdNormsConfig
from aegis.core.types import Dataset
from aegis.data import default_source, load_dataset
from aegis.lab.bank.suspects import Entry
from aegis.records.config import ScanConfig, TriggerSearchConfig

# Images translated of each class; sweeps take a tenth of their numbers of seeds.
SEEDS, FEWER = 20, 10
ITERATIONS = 8
SEARCH = TriggerSearchConfig(
    steps=8,
    refine_steps=8,
    tiles=1,
    clusters=1,
    top_k=1,
    batch=16,
    screening_batch=4,
    source_screening_batch=1,
    held_out=10,
    minimised_on=20,
)
# Of a training: images, of which a tenth is poisoned, since so few of the paper's hundredth would plant nothing.
IMAGES, RATE, EPOCHS, BATCH = 1000, 0.1, 3, 32
TESTED = 200


def smallest(config: ScanConfig) -> ScanConfig:
    """Makes a scan as small as it can be.

    Args:
        config: settings of a preset.

    Returns:
        The same with fewer seeds, steps, images and starts; the rule stays.
    """
    gather = config.gather
    stages = tuple(replace(stage, iterations=min(stage.iterations, ITERATIONS)) for stage in gather.stages)
    search = None if gather.trigger_search is None else SEARCH
    return replace(
        config,
        assess=replace(config.assess, images=50, iterations=3, perturbation_steps=8, patch_steps=12, universal_batch=4),
        gather=replace(gather, seeds=SEEDS, stages=stages, trigger_search=search),
        embed=replace(config.embed, perplexity=8),
    )


def smallest_detector(config: DetectorConfig) -> DetectorConfig:
    """Makes another detector as quick as it can be.

    Args:
        config: its settings.

    Returns:
        The same with fewer rounds, images and starts.
    """
    match config:
        case NeuralCleanseConfig():
            return replace(config, images=200, steps=40)
        case PgdNormsConfig():
            return replace(config, images=20)
        case MaximumMarginConfig():
            return replace(config, starts=5, steps=50)


def smallest_training(entry: Entry) -> Entry:
    """Makes the training of a suspect as short as it can be.

    Args:
        entry: the suspect.

    Returns:
        The same with fewer images and epochs, and a larger share of poison.
    """
    rate = RATE if entry.triggers else None
    return replace(entry, images=IMAGES, rate=rate, recipe={**entry.recipe, "epochs": EPOCHS, "batch": BATCH})


def few_images(name: str) -> Dataset:
    """Reads the bundled images of a data set, of which a few test images do.

    Args:
        name: of the data set.

    Returns:
        The images.
    """
    data = load_dataset(default_source(name))
    return replace(data, test=data.test.spread(TESTED))
