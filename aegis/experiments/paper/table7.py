"""Table 7: sensitivity of the paper's rule to its parameters and to the draw of seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aegis.experiments.paper.models import BENIGN, CLASSES, TARGET, VISIBLE, Key, robust_models
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Table, cell, not_recorded, words
from aegis.experiments.sweep import BINDING, SweepRecord, never_binds
from aegis.records.record import ScanRecord

# The paper varies epsilon, with these values by data set, the bandwidth and the number of seeds (RQ4).
EPSILONS: Mapping[str, tuple[float, ...]] = {
    "mnist": tuple(range(60, 141, 10)),
    "fashion_mnist": tuple(range(60, 141, 10)),
    "cifar10": tuple(range(300, 701, 50)),
}
REPEATS = 5
ROWS = {
    "epsilon": "epsilon 60 to 140, 300 to 700",
    "bandwidth": "bandwidth -3, computed, +3",
    "seeds": "seeds 200 to 800",
    "repeats": "five repeats",
}
COLUMNS = (
    Column("parameter", "the paper's rule", words=True),
    *(
        Column(f"{key}_{place}", heading, group, unit)
        for place, group in (("here", "here"), ("paper", "in the paper"))
        for key, heading, unit in (
            ("configs", "configs", ""),
            ("detected", "detected", ""),
            ("failed", "failed", ""),
            ("false_positives", "false positives", "percent"),
        )
    ),
)
NOTE = (
    "On the six models with visible triggers. detected: the target is flagged; false positives: benign classes that "
    "are. In [0, 1] no image is 60 from another, so every epsilon of the paper gives the same bits, and one "
    "computation stands for all nine; budgets that bind are below. Numbers of seeds are parts of one draw of 800, "
    "with at most 500 training images of the class; repeats are draws of their own."
)


@dataclass(frozen=True)
class Sensitivity:
    """Counts outcomes over configurations, each of one infected model.

    Args:
        configs: number of configurations.
        detected: configurations in which the target is flagged.
        flagged: number of benign classes flagged, added up over configurations.
    """

    configs: int
    detected: int
    flagged: int

    @property
    def failed(self) -> int:
        """Number of configurations in which the target is not flagged."""
        return self.configs - self.detected

    @property
    def false_positives(self) -> float:
        """Share of benign classes flagged, in [0, 1]; 0 without configurations."""
        return self.flagged / max(self.configs * (CLASSES - 1), 1)


PUBLISHED: Mapping[str, Sensitivity] = {
    "epsilon": Sensitivity(54, 53, 0),
    "bandwidth": Sensitivity(18, 17, 2),
    "seeds": Sensitivity(42, 37, 8),
    "repeats": Sensitivity(30, 27, 2),
}


def by_clusters(counts: Iterable[Sequence[int]]) -> Sensitivity:
    """Judges configurations by the paper's rule.

    Args:
        counts: for each configuration, the number of clusters of every class, in label order.

    Returns:
        The counts.
    """
    return by_flagged([{label for label, count in enumerate(one) if count > BENIGN} for one in counts])


def by_flagged(flagged: Sequence[Iterable[int]]) -> Sensitivity:
    """Counts configurations whose flagged classes are known.

    Args:
        flagged: for each configuration, the labels of the flagged classes.

    Returns:
        The counts.
    """
    found = [set(labels) for labels in flagged]
    return Sensitivity(len(found), sum(TARGET in labels for labels in found), sum(len(s - {TARGET}) for s in found))


def varied(sweeps: Mapping[str, Sequence[SweepRecord]]) -> dict[str, Sensitivity]:
    """Applies the paper's rule while its parameters vary.

    An epsilon beyond the distance of any two images restricts nothing, so one computation stands for all of these.

    Args:
        sweeps: sweeps of infected models, by data set.

    Returns:
        Counts by parameter.
    """
    counts: dict[str, list[tuple[int, ...]]] = {}
    for data, records in sweeps.items():
        for record in records:
            for setting in record.settings:
                if setting.parameter == "epsilon":
                    assert all(never_binds(epsilon, record.shape) for epsilon in EPSILONS[data])
                    counts.setdefault("epsilon", []).extend([setting.clusters] * len(EPSILONS[data]))
                elif setting.parameter != "budget":
                    counts.setdefault(setting.parameter, []).append(setting.clusters)
    return {parameter: by_clusters(found) for parameter, found in counts.items()}


def binding(sweeps: Mapping[str, Sequence[SweepRecord]]) -> dict[float, Sensitivity]:
    """Applies the paper's rule at budgets that restrict the attack.

    Args:
        sweeps: sweeps of infected models, by data set.

    Returns:
        Counts by L2 budget.
    """
    counts: dict[float, list[tuple[int, ...]]] = {}
    for setting in (s for records in sweeps.values() for record in records for s in record.settings):
        if setting.parameter == "budget":
            counts.setdefault(setting.value, []).append(setting.clusters)
    return {budget: by_clusters(counts[budget]) for budget in BINDING if budget in counts}


def table(number: str, records: Records) -> Table:
    """Makes Table 7: the paper's parameters, then budgets that bind and repeats with the default preset.

    Args:
        number: of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    sweeps = records.sweeps()
    paper, default = (records.scans(preset, robust_models(*VISIBLE)) for preset in ("paper", "default"))
    ours = varied(sweeps) | repeated(paper)
    rows = [(*words(title), *_cells(ours.get(name)), *_cells(PUBLISHED[name])) for name, title in ROWS.items()]
    rows += [(*words(f"budget {budget:g}"), *_cells(one), *_cells(None)) for budget, one in binding(sweeps).items()]
    if by_default := first_repeats(default):
        rows.append((*words("five repeats, preset default"), *_cells(by_default), *_cells(None)))
    missing = not_recorded(title for name, title in ROWS.items() if name not in ours)
    return Table(number, "Sensitivity to detection parameters", COLUMNS, tuple(rows), missing, NOTE)


def repeated(scans: Mapping[Key, Sequence[ScanRecord]]) -> dict[str, Sensitivity]:
    """Applies the paper's rule to repeats with seeds of their own.

    Args:
        scans: scans of infected models, sorted by seed; the first five of each count.

    Returns:
        The counts, named *repeats*; nothing without scans.
    """
    counts = [[found.clusters for found in scan.classes] for scan in _first(scans)]
    return {"repeats": by_clusters(counts)} if counts else {}


def first_repeats(scans: Mapping[Key, Sequence[ScanRecord]]) -> Sensitivity | None:
    """Counts repeats by the rule that they were scanned with.

    Args:
        scans: as in ``repeated``.

    Returns:
        The counts; None without scans.
    """
    return by_flagged([scan.flagged_classes for scan in _first(scans)]) if scans else None


def _first(scans: Mapping[Key, Sequence[ScanRecord]]) -> list[ScanRecord]:
    return [scan for found in scans.values() for scan in found[:REPEATS]]


def _cells(found: Sensitivity | None) -> tuple[Cell, ...]:
    if found is None:
        return (EMPTY,) * 4
    shares = ((n, n / max(found.configs, 1)) for n in (found.detected, found.failed))
    detected, failed = (Cell(f"{share:.1%} ({n})", n) for n, share in shares)
    false = Cell(f"{found.false_positives:.1%} ({found.flagged})", 100 * found.false_positives)
    return cell(found.configs), detected, failed, false
