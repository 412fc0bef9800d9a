"""Applies the paper's rule to one suspect under many settings; what needs the model is gathered once and reused."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from aegis.core.files import write_text
from aegis.core.types import Evidence, Stage
from aegis.detect.cluster import cluster
from aegis.detect.embed import embed
from aegis.experiments.bank_scans import Trial
from aegis.experiments.kept import KeptRecord, OnSuspect, find_kept, kept_at, origin, trials_of
from aegis.experiments.paper.models import DATA, VISIBLE, name_of
from aegis.experiments.smoke import FEWER
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import choose, read_bank
from aegis.records.config import JudgeConfig, ScanConfig
from aegis.records.schema1 import plain_in_schema1

Parameter = Literal["epsilon", "bandwidth", "seeds", "budget"]
# The paper's numbers of seeds, the number it uses elsewhere, and its offsets from the computed bandwidth.
SEEDS, USUAL = (200, 300, 400, 500, 600, 700, 800), 500
AWAY = (-3.0, 0.0, 3.0)
# L2 budgets small enough to restrict the attack, and the iterations from each budget to the next.
BINDING, ITERATIONS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0), 6


class Setting(BaseModel):
    """Numbers of clusters with one parameter set to a value.

    Args:
        parameter: the parameter that varies.
        value: its value.
        clusters: number of clusters of every class, in label order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: Parameter
    value: float
    clusters: tuple[int, ...]


class SweepRecord(KeptRecord):
    """The outcome of a sweep.

    Args:
        shape: channels, height and width of the images.
        settings: numbers of clusters for each value of each parameter.
    """

    shape: tuple[int, int, int]
    settings: tuple[Setting, ...]


@dataclass(frozen=True, kw_only=True)
class Sweep(OnSuspect):
    """One suspect of the bank under many settings.

    Args:
        trial: the suspect and its scan with the paper's preset, which gives the settings that do not vary.
    """

    trial: Trial

    @property
    def path(self) -> Path:
        """The file of the outcome."""
        return kept_at(self.trial, "sweeps")

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of seeds."""
        return tuple(count // FEWER for count in SEEDS) if self.trial.is_smoke else SEEDS

    @property
    def usual(self) -> int:
        """The number of seeds while other settings vary."""
        return USUAL // FEWER if self.trial.is_smoke else USUAL

    @property
    def many(self) -> ScanConfig:
        """Settings of the scan with the largest number of seeds."""
        config = self.trial.config
        return replace(config, gather=replace(config.gather, seeds=max(self.counts)))

    @property
    def bound(self) -> ScanConfig:
        """Settings of the scan at budgets that restrict the attack."""
        config = self.trial.config
        return replace(config, gather=replace(config.gather, seeds=self.usual, stages=growing(BINDING)))

    @property
    def plan(self) -> dict[str, Any]:
        """All settings, those that vary and those that do not."""
        kept = ("gather", "embed", "judge")
        # Saved outcomes use the field names of schema 1.
        many, bound = ({k: v for k, v in plain_in_schema1(c).items() if k in kept} for c in (self.many, self.bound))
        return {"many": many, "bound": bound, "seeds": [*self.counts], "usual": self.usual, "away": [*AWAY]}

    def find(self) -> SweepRecord | None:
        """Reads the saved outcome, if checkpoint, images and plan are the same; else gives None."""
        return find_kept(SweepRecord, self.path, self.trial, [self.plan])

    def run(self, workers: int | None = None) -> SweepRecord:
        """Computes the sweep and saves the outcome; classes are examined one after another.

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
        model, counts = suspect.classifier.frozen(runtime), dict[tuple[Parameter, float], list[int]]()
        for label in suspect.classifier.labels:
            many = gather(model, trial.images, label, self.many.gather)
            bound = gather(model, trial.images, label, self.bound.gather)
            for parameter, value, count in (
                *_varied(many, self.many, self.counts, self.usual),
                *_at_budgets(bound, self.bound),
            ):
                counts.setdefault((parameter, value), []).append(count)
        record = SweepRecord(
            **origin(trial, runtime.precision, began),
            shape=trial.images.shape,
            plan=self.plan,
            settings=tuple(Setting(parameter=p, value=v, clusters=tuple(found)) for (p, v), found in counts.items()),
        )
        write_text(self.path, record.model_dump_json() + "\n")
        return record


def sweeps_of(
    names: Sequence[str] = (),
    *,
    training: str,
    device: str = "auto",
    precision: str = "auto",
    results: Path = RESULTS,
    is_smoke: bool = False,
) -> list[Sweep]:
    """Creates the sweeps of suspects that have been trained.

    Args:
        names: names of the suspects; empty for the six of Table 7.
        training: the preset that they were trained with.
        device, precision: as in ``runtime.choose_runtime``.
        results: folder of all results.
        is_smoke: as in ``Trial``.

    Returns:
        One sweep for each suspect.
    """
    six = [name_of(True, data, trigger) for data in DATA for trigger in VISIBLE]
    how = {"training": training, "preset": "paper", "device": device, "precision": precision}
    trials = trials_of(choose(read_bank(), [], names or six), results=results, is_smoke=is_smoke, **how)
    return [Sweep(trial=trial) for trial in trials]


def growing(budgets: Sequence[float]) -> tuple[Stage, ...]:
    """Creates stages that grow from budget to budget, with steps long enough to reach each.

    Args:
        budgets: L2 radii, increasing, above 0.

    Returns:
        One stage for each budget.
    """
    before = (0.0, *budgets)
    return tuple(
        Stage(epsilon=budget, step=2.5 * (budget - last) / ITERATIONS, iterations=ITERATIONS)
        for last, budget in zip(before, budgets)
    )


def never_binds(epsilon: float, shape: tuple[int, int, int]) -> bool:
    """Tells whether a budget exceeds the distance of any two images in [0, 1], so that larger ones change nothing.

    Args:
        epsilon: L2 radius.
        shape: channels, height and width of the images.
    """
    return epsilon >= math.sqrt(math.prod(shape))


def part_of(evidence: Evidence, count: int) -> Evidence:
    """Takes the evidence of the first seeds, and of at most as many training images at even distances.

    Args:
        evidence: evidence of one class.
        count: number of seeds.

    Returns:
        The reduced evidence.
    """
    own = np.unique(np.linspace(0, len(evidence.train_index) - 1, min(count, len(evidence.train_index))).astype(int))
    rows = np.concatenate([own, len(evidence.train_index) + np.arange(min(count, len(evidence.seed_index)))])
    return replace(
        evidence,
        seed_index=evidence.seed_index[:count],
        train_index=evidence.train_index[own],
        translated=evidence.translated[:, :count],
        features=evidence.features[:, rows],
    )


def _varied(
    evidence: Evidence, config: ScanConfig, counts: Sequence[int], usual: int
) -> Iterator[tuple[Parameter, float, int]]:
    """Counts clusters for each number of seeds, and for the usual number also at other bandwidths; its count with the
    computed bandwidth also stands for every epsilon.
    """
    (stage,) = config.gather.stages
    for count in counts:
        (plane,) = embed(part_of(evidence, count), config.embed)
        found = cluster(plane, config.judge)
        yield "seeds", count, found.count
        if count == usual:
            yield "epsilon", stage.epsilon, found.count
            for away in AWAY:
                judge = JudgeConfig(bandwidth=max(found.bandwidth + away, 0.1))
                yield "bandwidth", away, cluster(plane, judge).count


def _at_budgets(evidence: Evidence, config: ScanConfig) -> Iterator[tuple[Parameter, float, int]]:
    for plane in embed(evidence, config.embed):
        yield "budget", plane.budget, cluster(plane, config.judge).count
