"""Describes each class of a suspect in several spaces: how its images cluster there and how alike their changes are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float32, Int64
from pydantic import BaseModel, ConfigDict

from aegis.core.files import write_text
from aegis.core.types import Dataset, Evidence, Stage, as_pixels
from aegis.detect.changes import coherence, flattened, unit
from aegis.detect.cluster import compute_bandwidth, mean_shift
from aegis.detect.embed import embed
from aegis.experiments.bank_scans import Trial
from aegis.experiments.kept import KeptRecord, OnSuspect, find_kept, kept_at, origin
from aegis.records.config import JudgeConfig, ScanConfig
from aegis.records.record import config_record

if TYPE_CHECKING:
    from aegis.models.classifier import Classifier

Space = Literal["features", "change", "feature change"]
SPACES: tuple[Space, ...] = ("features", "change", "feature change")
Statistic = Literal["clusters", "largest", "tightest", "coherence", "sources"]
# Few images and steps, since dozens of suspects are looked at: half of the default preset's smaller budget, and both of
# its budgets, in about as many steps.
SEEDS = 100
STAGES = (
    Stage(epsilon=1.5, step=0.5, iterations=6),
    Stage(epsilon=3.0, step=0.5, iterations=6),
    Stage(epsilon=100.0, step=3.0, iterations=12),
)
# The smallest cluster that counts, as a share of the images: HDBSCAN's setting, and the fewest changes that are alike
# by more than chance.
LEAST = 0.05


@dataclass(frozen=True, eq=False)
class Rows:
    """The images of one class at one budget in one space.

    Args:
        scores: leading principal components, those of training images first, shape (p, d).
        is_translated: mask of the rows that are translated images, shape (p,).
        vectors: the change of each translated image before the reduction, shape (n, q); None in a space of images.
        plane: embedding of the scores, shape (p, 2); None without one.
    """

    scores: Float32[np.ndarray, "p d"]
    is_translated: Bool[np.ndarray, " p"]
    vectors: Float32[np.ndarray, "n q"] | None = None
    plane: Float32[np.ndarray, "p 2"] | None = None


class Description(BaseModel):
    """One number about every class.

    Args:
        space: the space.
        rule: how clusters are found, one of ``RULES``; *all* for what is measured without clusters.
        statistic: number of clusters, share of translated images in the largest, coherence of the tightest, coherence
            of all changes, or likeness of the mean changes of source classes.
        budget: L2 radius of the translation.
        values: the number of each class, in label order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: Space
    rule: str
    statistic: Statistic
    budget: float
    values: tuple[float, ...]


class SpacesRecord(KeptRecord):
    """What was measured of one suspect.

    Args:
        descriptions: the numbers.
    """

    descriptions: tuple[Description, ...]


@dataclass(frozen=True, kw_only=True)
class Spaces(OnSuspect):
    """One suspect of the bank in every space.

    Args:
        trial: the suspect and its default scan, which gives the settings that are not of this experiment.
        planes: whether to embed and cluster in the plane too, which takes most of the time.
    """

    trial: Trial
    planes: bool = False

    @property
    def path(self) -> Path:
        """The file of the outcome."""
        return kept_at(self.trial, "spaces")

    @property
    def config(self) -> ScanConfig:
        """Settings of translation, features and embedding."""
        config = self.trial.config
        return replace(config, gather=replace(config.gather, seeds=SEEDS, stages=STAGES, trigger_search=None))

    @property
    def plan(self) -> dict[str, Any]:
        """All settings that the outcome depends on."""
        settings = config_record(self.config)
        return {name: settings[name] for name in ("gather", "embed", "judge")} | {"least": LEAST, "planes": self.planes}

    def find(self) -> SpacesRecord | None:
        """Reads the saved outcome if checkpoint, images and plan are the same; one with planes stands for both."""
        return find_kept(SpacesRecord, self.path, self.trial, [self.plan, self.plan | {"planes": True}])

    def run(self, workers: int | None = None) -> SpacesRecord:
        """Measures every class and saves the outcome; classes are examined one after another.

        Args:
            workers: number of workers of the runtime; it does not change the order of the classes.

        Returns:
            The outcome.

        Raises:
            AegisError: if checkpoint or images cannot be used, or the outcome cannot be written.
        """
        from aegis.core.runtime import choose_runtime
        from aegis.detect.gather import gather
        from aegis.models.load import load_checkpoint

        trial, began = self.trial, time.monotonic()
        suspect, runtime = load_checkpoint(trial.checkpoint), choose_runtime(trial.device, trial.precision, workers)
        model, values = suspect.classifier.frozen(runtime), dict[tuple[Space, str, Statistic, float], list[float]]()
        for label in suspect.classifier.labels:
            evidence = gather(model, trial.images, label, self.config.gather)
            sources = trial.images.train.labels[evidence.seed_index]
            for budget, rows in self._rows(model, evidence):
                for (space, rule, statistic), value in described(rows, sources, self.config.judge).items():
                    values.setdefault((space, rule, statistic, budget), []).append(value)
        record = SpacesRecord(
            **origin(trial, runtime.precision, began),
            plan=self.plan,
            descriptions=tuple(
                Description(space=space, rule=rule, statistic=statistic, budget=budget, values=tuple(found))
                for (space, rule, statistic, budget), found in values.items()
            ),
        )
        write_text(self.path, record.model_dump_json() + "\n")
        return record

    def _rows(self, model: Classifier, evidence: Evidence) -> Iterator[tuple[float, dict[Space, Rows]]]:
        spaces = in_spaces(model, self.trial.images, evidence)
        planes = {space: self._planes(evidence, rows) for space, rows in spaces.items()}
        for i, budget in enumerate(evidence.budgets):
            yield budget, {s: replace(rows[i], plane=planes[s][i]) for s, rows in spaces.items()}

    def _planes(self, evidence: Evidence, rows: list[Rows]) -> list[Float32[np.ndarray, "p 2"] | None]:
        if not self.planes:
            return [None] * len(rows)
        own = evidence.train_index[: int((~rows[0].is_translated).sum())]
        shown = replace(evidence, train_index=own, features=np.stack([one.scores for one in rows]))
        return [embedding.points for embedding in embed(shown, self.config.embed)]


def in_spaces(model: Classifier, images: Dataset, evidence: Evidence) -> dict[Space, list[Rows]]:
    """Places the images of one class in every space, once for each budget.

    Args:
        model: the model, prepared by ``Classifier.frozen``.
        images: the images that seeds are of.
        evidence: translated images and features of the class.

    Returns:
        For each space the rows at each budget.
    """
    import torch

    seeds, kept = images.train.pixels[evidence.seed_index], evidence.features.shape[2]
    before = model.features(torch.from_numpy(seeds)).numpy()
    found: dict[Space, list[Rows]] = {
        "features": [Rows(scores, evidence.is_translated) for scores in evidence.features],
        "change": [],
        "feature change": [],
    }
    for translated in evidence.translated:
        moved = as_pixels(translated)
        found["change"].append(rows_of(moved - seeds, kept))
        found["feature change"].append(rows_of(model.features(torch.from_numpy(moved)).numpy() - before, kept))
    return found


def rows_of(changes: Float32[np.ndarray, "n ..."], components: int) -> Rows:
    """Places changes of translated images in their own space.

    Args:
        changes: the change of each image, in pixels or features, shape (n, ...).
        components: number of principal components that are kept, at least 1.

    Returns:
        The rows, without a plane.
    """
    import torch

    from aegis.detect.features import principal_components

    vectors = flattened(changes)
    scores = principal_components(torch.from_numpy(vectors), components)
    return Rows(scores, np.ones(len(vectors), bool), vectors)


def described(
    spaces: Mapping[Space, Rows], sources: Int64[np.ndarray, " n"], config: JudgeConfig
) -> dict[tuple[Space, str, Statistic], float]:
    """Measures one class at one budget in every space.

    Args:
        spaces: its images in each space.
        sources: the class of each seed, shape (n,).
        config: settings of mean shift.

    Returns:
        The numbers by space, rule and statistic.
    """
    found: dict[tuple[Space, str, Statistic], float] = {}
    for space, rows in spaces.items():
        if rows.vectors is not None:
            found[space, "all", "coherence"] = coherence(rows.vectors)
            found[space, "all", "sources"] = likeness_of_sources(rows.vectors, sources)
        for rule, assign in RULES.items():
            assignment = assign(rows, config)
            if assignment is None:
                continue
            translated = assignment[rows.is_translated]
            sizes = np.bincount(translated[translated >= 0], minlength=1)
            found[space, rule, "clusters"] = len(np.unique(assignment[assignment >= 0]))
            found[space, rule, "largest"] = float(sizes.max() / len(translated))
            if rows.vectors is not None:
                found[space, rule, "tightest"] = tightest(rows.vectors, translated)
    return found


def tightest(vectors: Float32[np.ndarray, "n q"], assignment: Int64[np.ndarray, " n"]) -> float:
    """Finds the largest coherence of a cluster that is not tiny.

    Args:
        vectors: shape (n, q).
        assignment: cluster of each, -1 for none.

    Returns:
        The coherence; 0 if all clusters are tiny.
    """
    least = max(2, LEAST * len(vectors))
    members = (assignment == c for c in np.unique(assignment[assignment >= 0]))
    return max((coherence(vectors[chosen]) for chosen in members if chosen.sum() >= least), default=0.0)


def likeness_of_sources(vectors: Float32[np.ndarray, "n q"], sources: Int64[np.ndarray, " n"]) -> float:
    """Computes the mean cosine similarity between the mean changes of two source classes, over all pairs.

    What is natural depends on the class that an image comes from; a trigger for all classes does not.

    Args:
        vectors: the change of each image, shape (n, q).
        sources: its class, shape (n,).

    Returns:
        The similarity, in [-1, 1]; 0 with a single source class.
    """
    means = unit(np.stack([vectors[sources == source].mean(axis=0) for source in np.unique(sources)]))
    pairs = np.triu_indices(len(means), 1)
    return float((means @ means.T)[pairs].mean()) if len(means) > 1 else 0.0


Assign = Callable[[Rows, JudgeConfig], Int64[np.ndarray, " p"] | None]


def _published(rows: Rows, config: JudgeConfig) -> Int64[np.ndarray, " p"] | None:
    if rows.plane is None:
        return None
    return mean_shift(rows.plane, compute_bandwidth(rows.plane, config.quantile))


def _mean_shift_of_scores(rows: Rows, config: JudgeConfig) -> Int64[np.ndarray, " p"]:
    from sklearn.cluster import MeanShift, estimate_bandwidth

    points = rows.scores.astype(np.float64)
    bandwidth = estimate_bandwidth(points, quantile=config.quantile)
    # Images that all coincide leave no distance to take as a bandwidth.
    if bandwidth <= 0:
        return np.zeros(len(points), np.int64)
    assignment: np.ndarray = MeanShift(bandwidth=bandwidth).fit_predict(points).astype(np.int64)
    return assignment


def _hdbscan(points: np.ndarray) -> Int64[np.ndarray, " p"]:
    from sklearn.cluster import HDBSCAN

    least = max(2, round(LEAST * len(points)))
    assignment: np.ndarray = HDBSCAN(min_cluster_size=least, copy=True).fit_predict(points.astype(np.float64))
    return assignment.astype(np.int64)


RULES: dict[str, Assign] = {
    "mean shift, plane": _published,
    "HDBSCAN, plane": lambda rows, _: None if rows.plane is None else _hdbscan(rows.plane),
    "mean shift, scores": _mean_shift_of_scores,
    "HDBSCAN, scores": lambda rows, _: _hdbscan(rows.scores),
}
