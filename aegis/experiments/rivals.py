"""Runs other detectors on suspects of the bank, and counts what they find and what they flag falsely."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aegis.baselines.catalogue import BASELINES
from aegis.baselines.config import DetectorConfig
from aegis.baselines.rival import Rival
from aegis.core.files import write_text
from aegis.core.source import code_digest
from aegis.experiments.bank_scans import CODE, Trial
from aegis.experiments.detection_rates import WORKS, Rate
from aegis.experiments.kept import KeptRecord, OnSuspect, find_kept, kept_at, origin
from aegis.experiments.smoke import smallest_detector
from aegis.lab.bank.record import BankRecord
from aegis.records.detectors import AEGIS, DetectorRecord
from aegis.store import cached_detectors


class RivalRecord(KeptRecord):
    """The outcome of one detector on one suspect.

    Args:
        detector: what it says.
    """

    detector: DetectorRecord


@dataclass(frozen=True, kw_only=True)
class RivalTrial(OnSuspect):
    """One detector on one suspect of the bank.

    Args:
        name: one of ``BASELINES``.
        trial: the suspect, its images and the seed.
    """

    name: str
    trial: Trial

    @property
    def path(self) -> Path:
        """The file of the outcome."""
        return kept_at(self.trial, "baselines", self.name)

    @property
    def config(self) -> DetectorConfig:
        """The settings of the detector."""
        usual = BASELINES[self.name].config
        return smallest_detector(usual) if self.trial.is_smoke else usual

    @property
    def plan(self) -> dict[str, Any]:
        """All settings, as they come back from JSON."""
        config = {
            name: [*value] if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self.config).items()
        }
        return {"detector": self.name, "config": config, "seed": self.trial.seed}

    def find(self) -> RivalRecord | None:
        """Reads the saved outcome, if checkpoint, images and plan are the same; else gives None."""
        return find_kept(RivalRecord, self.path, self.trial, [self.plan])

    def run(self, workers: int | None = None) -> RivalRecord:
        """Runs the detector and saves the outcome.

        Args:
            workers: not used, since a detector takes all classes at once.

        Returns:
            The outcome.

        Raises:
            AegisError: if checkpoint or images cannot be used, or the outcome cannot be written.
        """
        from aegis.models.load import load_checkpoint

        trial, began = self.trial, time.monotonic()
        suspect = load_checkpoint(trial.checkpoint)
        rival = Rival(
            name=self.name,
            suspect=suspect,
            images=trial.images,
            seed=trial.seed,
            device=trial.device,
            config=self.config,
        )
        # On a machine that does other work as well, the time of the processor says more than that of the clock.
        started = time.process_time()
        result = rival.detect()
        detector = rival.record(result, time.process_time() - started)
        known = origin(trial, detector.runtime.precision, began)
        known["versions"] |= {CODE: code_digest(cached_detectors.CODE)[:16]}
        record = RivalRecord(**known, plan=self.plan, detector=detector)
        write_text(self.path, record.model_dump_json(indent=1) + "\n")
        return record


@dataclass(frozen=True, kw_only=True)
class RivalTally:
    """What one detector found in models of one kind of training, each once.

    Models whose attack failed count for no rate of models.

    Args:
        title: of the detector.
        training: of the models, in a word.
        ran: number of models that it ran on.
        found: of models with a backdoor that works, those called infected.
        named: of the same models, those whose target is flagged.
        accused: of models without a backdoor, those called infected.
        flagged: of benign classes of all models, those that are flagged.
        undecided: number of models about which it says nothing.
        seconds: median time in seconds of the processor; None where there is none.
    """

    title: str
    training: str
    ran: int
    found: Rate
    named: Rate
    accused: Rate
    flagged: Rate
    undecided: int
    seconds: float | None


Outcomes = Sequence[tuple[BankRecord, DetectorRecord]]


def by_training(suspect: BankRecord) -> str:
    """Says how a suspect was trained."""
    return "robust" if suspect.robust else "standard"


def tally(outcomes: Outcomes) -> list[RivalTally]:
    """Counts outcomes by detector and kind of training.

    Args:
        outcomes: suspects with what a detector says about each.

    Returns:
        One tally for each detector and kind, in the order in which they come first.
    """
    kinds = dict.fromkeys((one.name, by_training(suspect)) for suspect, one in outcomes)
    groups = ([(s, one) for s, one in outcomes if (one.name, by_training(s)) == kind] for kind in kinds)
    return [_tally(group) for group in groups]


def _tally(group: Outcomes) -> RivalTally:
    told = [(suspect, one, _flagged(one), _targets(suspect, len(one.scores))) for suspect, one in group]
    infected = [(one, flagged, targets) for suspect, one, flagged, targets in told if (suspect.success or 0) >= WORKS]
    benign = [one for suspect, one in group if not suspect.infected]
    # Scans of the bank were computed in parts, on several machines.
    seconds = [one.seconds for _, one in group if one.name != AEGIS]
    return RivalTally(
        title=group[0][1].title,
        training=by_training(group[0][0]),
        ran=len(group),
        found=Rate(sum(one.verdict == "infected" for one, _, _ in infected), len(infected)),
        named=Rate(sum(bool(flagged & targets) for _, flagged, targets in infected), len(infected)),
        accused=Rate(sum(one.verdict == "infected" for one in benign), len(benign)),
        flagged=Rate(
            sum(len(flagged - targets) for _, _, flagged, targets in told),
            sum(len({*range(len(one.scores))} - targets) for _, one, _, targets in told),
        ),
        undecided=sum(one.verdict == "inconclusive" for _, one in group),
        seconds=statistics.median(seconds) if seconds else None,
    )


def _flagged(one: DetectorRecord) -> frozenset[int]:
    # Without a verdict, nothing is accused.
    return frozenset(one.flagged_classes) if one.verdict == "infected" else frozenset()


def _targets(suspect: BankRecord, classes: int) -> frozenset[int]:
    triggers = suspect.triggers if suspect.infected else ()
    return frozenset[int]().union(*(trigger.goal.targets(classes) for trigger in triggers))
