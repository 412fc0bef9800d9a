"""Table 7: sensitivity of the paper's rule to its parameters and to the draw of seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aegis.experiments.sweep import BINDING, SweepRecord, never_binds
from aegis.experiments.table6 import BENIGN, CLASSES
from aegis.experiments.table11 import TARGET

# The paper varies epsilon, with these values by data set, the bandwidth and the number of seeds (RQ4).
EPSILONS: Mapping[str, tuple[float, ...]] = {
    "mnist": tuple(range(60, 141, 10)),
    "fashion_mnist": tuple(range(60, 141, 10)),
    "cifar10": tuple(range(300, 701, 50)),
}
REPEATS = 5


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
