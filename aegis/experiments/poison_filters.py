"""Runs filters of training images on suspects whose poisoned training set can be made again, and counts what they find.

No scan has the training set of its suspect. These numbers say what can be found by somebody who has it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from aegis.baselines.config import FilterConfig, SpectralSignaturesConfig
from aegis.baselines.poison_filter import POISON_FILTERS, FilterResult
from aegis.core.files import write_text
from aegis.core.runtime import numpy_generator
from aegis.core.source import code_digest
from aegis.core.types import Dataset, LabelledImages
from aegis.data import load_dataset
from aegis.experiments.bank_scans import CODE, Trial
from aegis.experiments.kept import KeptRecord, OnSuspect, find_kept, kept_at, origin, trials_of
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import Entry
from aegis.lab.triggers import TRIGGERS, make_trigger

# Clean images that are filtered, at most; poison is thinned out by the same factor, so that shares stay as they were.
CLEAN = 10_000
# Epsilon is a bound, and the paper's poison of visible triggers is about 9% of the target's images.
CONFIGS: dict[str, FilterConfig] = {name: one.config for name, one in POISON_FILTERS.items()}
CONFIGS["spectral"] = SpectralSignaturesConfig(epsilon=0.1)
# Those that take part.
LIBRARIES = ("aegis", "python", "torch", "numpy", "scikit-learn")
FILTER_CODE = (
    *(f"baselines/{name}.py" for name in ("activations", "activation_clustering", "spectral_signatures", "config")),
    *(f"lab/{name}.py" for name in ("poison", "suspect", "triggers")),
    *("core/types", "core/runtime.py", "models/classifier.py", "models/fold.py", "models/rectify.py"),
    "models/anatomy.py",
)


class FilterRecord(KeptRecord):
    """The outcome of one filter on the training images of one suspect.

    Args:
        training: first 16 digits of the digest of the images that were filtered, poison among them.
        images: number of these of each label.
        flagged: number of all flagged ones.
        accused: number of benign classes of which images are flagged.
        statistics: what the filter measured of each label; None where it measured nothing.
        smaller: images in the smaller cluster of each label; None for a filter without clusters.
        poisoned: number of poisoned images.
        found: number of these that are flagged.
        recall: share of poisoned images that are flagged.
        flag_precision: share of flagged images that are poisoned; None if none is flagged.
        target_precision: the same of images with the label of a target.
        auc: how often a poisoned image has a higher score than a clean one with the same label, over all pairs.
    """

    training: str
    images: tuple[int, ...]
    flagged: int
    accused: int
    statistics: tuple[float | None, ...]
    smaller: tuple[int, ...] | None
    poisoned: int
    found: int
    recall: float
    flag_precision: float | None
    target_precision: float | None
    auc: float


@dataclass(frozen=True, kw_only=True)
class FilterTrial(OnSuspect):
    """One filter on one suspect of the bank.

    Args:
        name: one of ``POISON_FILTERS``.
        trial: the suspect and the seed.
        entry: its recipe, of which ``can_be_made_again`` is true.
        clean: the most clean images that are filtered, at least 1; None for all.
    """

    name: str
    trial: Trial
    entry: Entry
    clean: int | None = CLEAN

    @property
    def path(self) -> Path:
        """The file of the outcome."""
        return kept_at(self.trial, "poison_filters", self.name)

    @property
    def plan(self) -> dict[str, Any]:
        """All settings, as they come back from JSON."""
        config = dataclasses.asdict(CONFIGS[self.name])
        return {"filter": self.name, "config": config, "seed": self.trial.seed, "clean": self.clean}

    def find(self) -> FilterRecord | None:
        """Reads the saved outcome, if checkpoint, data set and plan are the same; else gives None."""
        return find_kept(FilterRecord, self.path, self.trial, [self.plan])

    def run(self, workers: int | None = None) -> FilterRecord:
        """Makes the training images again, runs the filter and saves the outcome.

        Args:
            workers: not used, since a filter takes one class after another.

        Returns:
            The outcome.

        Raises:
            AegisError: if checkpoint or images cannot be used, or the outcome cannot be written.
        """
        from aegis.core.runtime import choose_runtime
        from aegis.models.load import load_checkpoint

        trial, began = self.trial, time.monotonic()
        classifier = load_checkpoint(trial.checkpoint).classifier
        runtime = classifier.fitted(choose_runtime(trial.device, trial.precision))
        images, poisoned = training_set(self.entry, trial.training, self.clean, trial.seed)
        result = POISON_FILTERS[self.name].find_poison(
            classifier.frozen(runtime), images, CONFIGS[self.name], generator=numpy_generator(trial.seed)
        )
        known = origin(trial, runtime.precision, began)
        versions = {name: known["versions"][name] for name in LIBRARIES}
        known["versions"] = versions | {CODE: code_digest(FILTER_CODE)[:16]}
        record = FilterRecord(**known, plan=self.plan, training=images.digest[:16], **counted(result, images, poisoned))
        write_text(self.path, record.model_dump_json() + "\n")
        return record


def can_be_made_again(entry: Entry) -> bool:
    """Tells whether the training images of a suspect follow from its recipe alone, and which of them are poisoned.

    Args:
        entry: the suspect.
    """
    covered = any(TRIGGERS[trigger.kind].covers for trigger in entry.triggers)
    return bool(entry.triggers) and entry.how == "append" and entry.on is None and not covered


def is_visible(entry: Entry) -> bool:
    """Tells whether all triggers of a suspect replace pixels visibly.

    Args:
        entry: the suspect.
    """
    return bool(entry.triggers) and all(TRIGGERS[trigger.kind].replaces for trigger in entry.triggers)


def filter_trials(
    entries: Iterable[Entry],
    names: Iterable[str],
    *,
    training: str,
    device: str = "auto",
    precision: str = "auto",
    results: Path = RESULTS,
) -> list[FilterTrial]:
    """Lists trials of suspects that have been trained by their present recipe and can be made again.

    Args:
        entries: the suspects.
        names: the filters.
        training, device, precision, results: as in ``Trial``.

    Returns:
        One trial for each suspect and filter.
    """
    by_name = {entry.name: entry for entry in entries if can_be_made_again(entry)}
    trials = trials_of(by_name.values(), training=training, device=device, precision=precision, results=results)
    known = [(trial, by_name[trial.suspect.name]) for trial in trials]
    made = [(trial, entry) for trial, entry in known if trial.suspect.made_by(entry, training)]
    return [FilterTrial(name=name, trial=trial, entry=entry) for trial, entry in made for name in names]


def training_set(
    entry: Entry, training: str, clean: int | None = None, seed: int = 0
) -> tuple[LabelledImages, Bool[np.ndarray, " n"]]:
    """Makes the images that a suspect of the bank was trained on, or a random part of them.

    Args:
        entry: the suspect, of which ``can_be_made_again`` is true.
        training: the preset that it was trained with.
        clean: the most clean images, at least 1; None for all. As large a share of the poisoned ones is taken.
        seed: of the choice.

    Returns:
        Images with the labels that were learnt, and the mask of the poisoned ones.

    Raises:
        AegisError: if the data set cannot be read.
    """
    from aegis.lab.suspect import training_images

    spec, data = entry.order(training), _images(entry.data)
    stamps = [make_trigger(trigger, data.shape) for trigger in spec.triggers]
    images, count = training_images(data.train, spec, stamps)
    share = 1.0 if clean is None else min(1.0, clean / count)
    if share == 1:
        return images, np.arange(len(images)) >= count
    generator, added = numpy_generator(seed), len(images) - count
    parts = (
        generator.choice(count, round(share * count), replace=False),
        count + generator.choice(added, max(1, round(share * added)), replace=False),
    )
    chosen = np.sort(np.concatenate(parts))
    return images.take(chosen), chosen >= count


def counted(result: FilterResult, images: LabelledImages, poisoned: Bool[np.ndarray, " n"]) -> dict[str, Any]:
    """Counts what a filter found.

    Args:
        result: what it says.
        images: the images that it was given.
        poisoned: mask of those that are poisoned, shape (n,), at least one.

    Returns:
        Fields of a ``FilterRecord`` by name.
    """
    from sklearn.metrics import roc_auc_score

    labels, classes = images.labels, len(images.class_names)
    targets = np.unique(labels[poisoned])
    own = [labels == target for target in targets]
    # A class of nothing but poison has no pairs.
    areas = [roc_auc_score(poisoned[one], result.scores[one]) for one in own if not poisoned[one].all()]
    found = int((result.flagged & poisoned).sum())
    return {
        "images": tuple(np.bincount(labels, minlength=classes).tolist()),
        "flagged": int(result.flagged.sum()),
        "accused": len({*labels[result.flagged].tolist()} - {*targets.tolist()}),
        "statistics": tuple(_short(value) for value in result.statistics.tolist()),
        "smaller": None if result.sizes is None else tuple(result.sizes[:, 1].tolist()),
        "poisoned": int(poisoned.sum()),
        "found": found,
        "recall": round(found / int(poisoned.sum()), 4),
        "flag_precision": _share(found, result.flagged),
        "target_precision": _share(found, result.flagged & np.isin(labels, targets)),
        "auc": round(float(np.mean(areas)), 4) if areas else 0.5,
    }


def _share(found: int, flagged: Bool[np.ndarray, " n"]) -> float | None:
    count = int(flagged.sum())
    return round(found / count, 4) if count else None


def _short(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 3)


@lru_cache(maxsize=1)
def _images(name: str) -> Dataset:
    return load_dataset(name)
