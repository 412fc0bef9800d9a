"""Runs what a table or figure is made from, at a scale: what is kept is found again, and the rest is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.core.folders import default_folder
from aegis.experiments.bank_scans import Trial
from aegis.experiments.kept import trials_of
from aegis.experiments.paper.needs import Need, Scale
from aegis.experiments.paper.records import Records
from aegis.experiments.rivals import RivalTrial
from aegis.experiments.smoke import few_images, smallest_training
from aegis.experiments.sweep import Sweep
from aegis.fleet.tasks import Task, run_all
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import Entry, choose, read_bank, with_bases

if TYPE_CHECKING:
    from aegis.lab.bank.train import BankBuilder

# In smoke, of the suspects that are needed only these, or where none of these is, the first two.
SMOKE = ("mnist_localised", "mnist_clean", "mnist_localised_standard")
SMOKE_SUSPECTS = 2


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The runs behind one table or figure.

    Args:
        needs: the runs.
        scale: *smoke*, as small as they can be and with a few suspects; *small*, the bank of two processor cores; or
            *paper*, the same with models that are trained as in the paper.
        base: folder of all results; None for the project's own, or a folder beside the store for *smoke*.
    """

    needs: tuple[Need, ...]
    scale: Scale
    base: Path | None = None

    @property
    def is_smoke(self) -> bool:
        """Whether it only shows that all of it runs."""
        return self.scale == "smoke"

    @property
    def trains(self) -> bool:
        """Whether it is about trainings alone, so that *smoke* needs models of its own."""
        return all(need.kind == "training" for need in self.needs)

    @property
    def training(self) -> str:
        """The preset that models are trained with."""
        return "paper" if self.scale == "paper" else "quick"

    @property
    def results(self) -> Path:
        """Where outcomes are kept; those of *smoke* are never among the project's."""
        if not self.is_smoke:
            return self.base or RESULTS
        own = self.base is None or self.base.resolve() == RESULTS.resolve()
        folder = default_folder() / "smoke" if own or self.base is None else self.base
        return folder / ("trained" if self.trains else "bundled")

    @property
    def wanted(self) -> tuple[Need, ...]:
        """The runs at this scale."""
        if not self.is_smoke:
            return self.needs
        # A finding about trainings is one about all thirty.
        kept = self.needs if self.trains else [need for need in self.needs if need.kind != "training"]
        return tuple(replace(need, names=_few(need.names), seeds=1) for need in kept)

    @cached_property
    def bank(self) -> dict[str, Entry]:
        """All suspects by name, as they are to be trained."""
        bank = read_bank()
        small = self.is_smoke and self.trains
        return {name: smallest_training(entry) for name, entry in bank.items()} if small else bank

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The suspects that take part, with those that they are made on."""
        names = {name for need in self.wanted for name in need.names}
        bank = self.bank
        return with_bases(bank, choose(bank, [], names)) if names else ()

    @property
    def runs(self) -> int:
        """Number of all runs, and of suspects that must be there."""
        return len(self.entries) + sum(len(n.names) * n.seeds for n in self.wanted if n.kind != "training")

    def records(self) -> Records:
        """Gives the records that the table is made from."""
        return Records(self.training, self.results, self.bank, is_smoke=self.is_smoke)

    def missing(self) -> int:
        """Counts the runs and suspects that are not kept."""
        builder = self._builder()
        made = sum(builder.find(entry) is not None for entry in self.entries)
        return self.runs - made - sum(task.find() is not None for _, task in self._tasks())

    def run(self, *, apart: bool = False, tick: Callable[[], None] | None = None) -> Iterator[tuple[str, bool]]:
        """Finds what is kept and computes the rest.

        Args:
            apart: compute in processes of their own, which end at once when an error ends the iteration.
            tick: as in ``run_all``.

        Returns:
            For each run, as soon as it is there: what it was, and whether it was computed now.

        Raises:
            AegisError: for the first that cannot be computed.
        """
        entries = self.entries
        for record, now in self._builder().make_all(entries, 1, tick=tick):
            yield f"training of {record.name}" if now else f"model {record.name}", now
        tasks = self._tasks()
        for i, _, now in run_all([task for _, task in tasks], isolated=apart, tick=tick):
            yield tasks[i][0], now

    def _builder(self) -> BankBuilder:
        from aegis.lab.bank.train import BankBuilder

        builder = BankBuilder(preset=self.training, results=self.results)
        if self.is_smoke and self.trains:
            return replace(builder, folder=self.results / "models", source=few_images)
        return builder

    def _tasks(self) -> list[tuple[str, Task[object]]]:
        """Runs of suspects that are made, each with what it is."""
        return [one for need in self.wanted if need.kind != "training" for one in self._tasks_of(need)]

    def _tasks_of(self, need: Need) -> Iterator[tuple[str, Task[object]]]:
        preset = need.by if need.kind == "scan" else "paper" if need.kind == "sweep" else "default"
        trials = trials_of(
            (self.bank[name] for name in need.names),
            training=self.training,
            preset=preset,
            results=self.results,
            is_smoke=self.is_smoke,
        )
        for trial in (replace(one, seed=seed) for seed in range(need.seeds) for one in trials):
            yield _task(need, trial)


def _few(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in SMOKE) or tuple(names[:SMOKE_SUSPECTS])


def _task(need: Need, trial: Trial) -> tuple[str, Task[object]]:
    name = trial.suspect.name
    match need.kind:
        case "scan":
            return f"scan of {name}, preset {trial.preset}, seed {trial.seed}", trial
        case "sweep":
            return f"sweep of {name}", Sweep(trial=trial)
        case _:
            return f"{need.by} on {name}", RivalTrial(name=need.by, trial=trial)
