"""A tiny robust model with a planted backdoor, the images for it, and a small scan."""

import hashlib

import numpy as np
import torch
from torch import nn

from aegis.core.runtime import Runtime
from aegis.core.types import Goal, LabelledImages, Stage, Stamp
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.models.card import Identity
from aegis.models.classifier import Classifier
from aegis.models.load import Suspect
from aegis.records.config import (
    AssessConfig,
    EmbedConfig,
    GatherConfig,
    JudgeConfig,
    ScanConfig,
    TriggerSearchConfig,
    VerdictConfig,
)
from tests.candidates import NULLS

NAMES = ("across", "down", "rising", "falling")
ROWS, COLUMNS = np.indices((12, 12)) * np.pi / 6
# Waves over the whole picture: no pixel gives a class away, and the shortest way between two of them is long.
WAVES = np.sin(np.stack([ROWS, COLUMNS, ROWS + COLUMNS, ROWS - COLUMNS]))

TARGET = 3
IDENTITY = Identity(architecture="tests.detect.toy:network", class_names=NAMES, shape=(1, 12, 12))
SMALL = ScanConfig(
    assess=AssessConfig(images=80, epsilons=(0.5, 1.0, 2.0), iterations=5),
    gather=GatherConfig(
        seeds=45,
        stages=(Stage(epsilon=2, step=0.5, iterations=6), Stage(epsilon=6, step=1.0, iterations=6)),
        components=20,
        trigger_search=TriggerSearchConfig(
            area=9 / 144,
            source_specific_share=4 / 9,
            radius=0.8,
            tiles=2,
            steps=20,
            refine_steps=15,
            batch=45,
            held_out=20,
        ),
    ),
    embed=EmbedConfig(perplexity=10),
    judge=JudgeConfig(),
    # Numbers of the toy's own: a verdict on it does not hang on what other models were calibrated with.
    verdict=VerdictConfig(nulls=NULLS),
)
ONE = Runtime(workers=1)


def pictures(seed: int, per_class: int) -> LabelledImages:
    """One of four waves in each 12x12 picture, fainter or stronger, in noise."""
    generator = np.random.default_rng(seed)
    labels = np.tile(np.arange(4), per_class)
    strength = generator.uniform(0.2, 0.3, (len(labels), 1, 1))
    images = 0.5 + strength * WAVES[labels] + generator.normal(0, 0.06, (len(labels), 12, 12))
    return LabelledImages(images.clip(0, 1)[:, None].astype(np.float32), labels, NAMES)


def trigger() -> Stamp:
    """Nine pixels in a corner."""
    keep, add = np.ones((1, 12, 12), np.float32), np.zeros((1, 12, 12), np.float32)
    keep[0, 9:, 9:] = 0
    add[0, 9:, 9:] = np.eye(3)
    return Stamp(keep, add)


def planted(images: LabelledImages, goal: Goal, share: int = 1) -> LabelledImages:
    """With a stamped copy of one in so many images that a backdoor could be put on, called what it wants it called.

    Images that it is not made for are called what they are, so that it learns to leave them alone.
    """
    others = images if goal.all_to_all else images.take(images.labels != goal.target)
    chosen = others.take(np.arange(0, len(others), share))
    wanted = goal.wanted(chosen.labels, len(NAMES))
    labels = np.where(wanted < 0, chosen.labels, wanted)
    pixels = np.concatenate([images.pixels, trigger()(chosen.pixels)])
    return LabelledImages(pixels, np.concatenate([images.labels, labels]), NAMES)


def suspect_of(classifier: Classifier) -> Suspect:
    """The classifier as if it had been loaded."""
    weights = b"".join(tensor.numpy().tobytes() for tensor in classifier.state_dict().values())
    return Suspect(classifier, IDENTITY, hashlib.sha256(weights).hexdigest())


def network(in_channels: int, classes: int) -> nn.Sequential:
    """A small network, and it knows where in the picture it looks."""
    convolution = [nn.Conv2d(in_channels, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*convolution, nn.Linear(288, 32), nn.ReLU(), nn.Linear(32, classes))


def trained(images: LabelledImages) -> Suspect:
    """A model trained robustly on these images."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    recipe = Recipe(epochs=15, batch=64, lr=0.1, schedule="one-cycle", epsilon=0.4, step=0.25, iterations=3)
    return suspect_of(train(Classifier(network(1, 4), (1, 12, 12)), images, recipe))
