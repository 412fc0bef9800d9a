"""One suspect under many settings of the paper's rule: what needs the model is gathered once, and looked at often."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from aegis.core.files import write_text
from aegis.core.types import Evidence, Stage
from aegis.core.version import versions_with
from aegis.detect.cluster import cluster
from aegis.detect.embed import embed
from aegis.experiments.bank_scans import Trial
from aegis.experiments.table5 import DATA, VISIBLE, name_of
from aegis.lab.bank.record import RESULTS, made_record
from aegis.lab.bank.suspects import choose, read_bank
from aegis.records.builders import PACKAGES
from aegis.records.config import JudgeConfig, ScanConfig
from aegis.records.schema1 import plain_in_schema1

Parameter = Literal["epsilon", "bandwidth", "seeds", "budget"]
# The paper's numbers of seeds, of which this one is its usual, and its steps away from the computed bandwidth.
SEEDS, USUAL = (200, 300, 400, 500, 600, 700, 800), 500
AWAY = (-3.0, 0.0, 3.0)
# Budgets that bind, and the iterations spent on the way from each to the next.
BINDING, ITERATIONS = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0), 6


class Setting(BaseModel):
    """The clusters of every class, in label order, with one parameter set to a value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameter: Parameter
    value: float
    clusters: tuple[int, ...]


class SweepRecord(BaseModel):
    """What was found; ``plan`` is all that it depends on but model, images and code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    suspect: str
    sha256: str
    data: str
    shape: tuple[int, int, int]
    plan: dict[str, Any]
    settings: tuple[Setting, ...]
    precision: str
    seconds: float
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A suspect of the bank under many settings.

    Args:
        trial: the suspect and its scan with the paper's preset, which everything but the varied parameter is of.
    """

    trial: Trial

    @property
    def path(self) -> Path:
        """Where the outcome is kept."""
        trial = self.trial
        return trial.results / "sweeps" / trial.training / f"{trial.suspect.name}-seed{trial.seed}.json"

    @property
    def many(self) -> ScanConfig:
        """The scan with as many seeds as are ever asked for."""
        config = self.trial.config
        return replace(config, gather=replace(config.gather, seeds=max(SEEDS)))

    @property
    def bound(self) -> ScanConfig:
        """The scan at budgets that bind."""
        config = self.trial.config
        return replace(config, gather=replace(config.gather, seeds=USUAL, stages=growing(BINDING)))

    @property
    def plan(self) -> dict[str, Any]:
        """Everything that is varied, and everything that is not."""
        kept = ("gather", "embed", "judge")
        # In the words of the schema that outcomes are kept in.
        many, bound = ({k: v for k, v in plain_in_schema1(c).items() if k in kept} for c in (self.many, self.bound))
        return {"many": many, "bound": bound, "seeds": [*SEEDS], "usual": USUAL, "away": [*AWAY]}

    def find(self) -> SweepRecord | None:
        """The outcome, if it is of this very checkpoint, these images and this plan."""
        try:
            record = SweepRecord.model_validate_json(self.path.read_bytes())
        except (OSError, ValidationError):
            return None
        asked = (self.trial.suspect.sha256, self.trial.images.digest, self.plan)
        return record if (record.sha256, record.data, record.plan) == asked else None

    def run(self, workers: int | None = None) -> SweepRecord:
        """Gather and look, and keep the outcome; classes are examined one after another, whatever the workers.

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
            for parameter, value, count in (*_varied(many, self.many), *_at_budgets(bound, self.bound)):
                counts.setdefault((parameter, value), []).append(count)
        record = SweepRecord(
            suspect=trial.suspect.name,
            sha256=trial.suspect.sha256,
            data=trial.images.digest,
            shape=trial.images.shape,
            plan=self.plan,
            settings=tuple(Setting(parameter=p, value=v, clusters=tuple(found)) for (p, v), found in counts.items()),
            precision=runtime.precision,
            seconds=round(time.monotonic() - began, 1),
            versions=versions_with(PACKAGES),
        )
        self.keep(record)
        return record

    def keep(self, record: SweepRecord) -> None:
        """Write the outcome.

        Raises:
            StoreError: if it cannot be written.
        """
        write_text(self.path, record.model_dump_json() + "\n")


def sweeps_of(
    names: Sequence[str] = (), *, training: str, device: str = "auto", precision: str = "auto", results: Path = RESULTS
) -> list[Sweep]:
    """Sweeps of suspects that are made; without names, of the six that Table 7 is about.

    Args:
        names: of the suspects.
        training: the preset that they were trained with.
        device, precision: to compute with.
        results: the folder of all results.
    """
    six = [name_of(True, data, trigger) for data in DATA for trigger in VISIBLE]
    return [
        Sweep(
            trial=Trial(
                suspect=record,
                checkpoint=entry.path(training),
                training=training,
                preset="paper",
                device=device,
                precision=precision,
                results=results,
            )
        )
        for entry in choose(read_bank(), [], names or six)
        if (record := made_record(entry, training, results=results))
    ]


def growing(budgets: Sequence[float]) -> tuple[Stage, ...]:
    """Stages that grow from budget to budget, with steps that get there."""
    before = (0.0, *budgets)
    return tuple(
        Stage(epsilon=budget, step=2.5 * (budget - last) / ITERATIONS, iterations=ITERATIONS)
        for last, budget in zip(before, budgets)
    )


def never_binds(epsilon: float, shape: tuple[int, int, int]) -> bool:
    """Whether no image in [0, 1] is so far from another, so that a larger budget changes nothing at all."""
    return epsilon >= math.sqrt(math.prod(shape))


def part_of(evidence: Evidence, count: int) -> Evidence:
    """The evidence of the first so many seeds, and of at most as many training images, drawn evenly."""
    own = np.unique(np.linspace(0, len(evidence.train_index) - 1, min(count, len(evidence.train_index))).astype(int))
    rows = np.concatenate([own, len(evidence.train_index) + np.arange(min(count, len(evidence.seed_index)))])
    return replace(
        evidence,
        seed_index=evidence.seed_index[:count],
        train_index=evidence.train_index[own],
        translated=evidence.translated[:, :count],
        features=evidence.features[:, rows],
    )


def _varied(evidence: Evidence, config: ScanConfig) -> Iterator[tuple[Parameter, float, int]]:
    """The number of seeds, and with the usual number the bandwidth; what is neither stands for every epsilon."""
    (stage,) = config.gather.stages
    for count in SEEDS:
        (plane,) = embed(part_of(evidence, count), config.embed)
        found = cluster(plane, config.judge)
        yield "seeds", count, found.count
        if count == USUAL:
            yield "epsilon", stage.epsilon, found.count
            for away in AWAY:
                judge = JudgeConfig(bandwidth=max(found.bandwidth + away, 0.1))
                yield "bandwidth", away, cluster(plane, judge).count


def _at_budgets(evidence: Evidence, config: ScanConfig) -> Iterator[tuple[Parameter, float, int]]:
    for plane in embed(evidence, config.embed):
        yield "budget", plane.budget, cluster(plane, config.judge).count
