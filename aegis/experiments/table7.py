"""Table 7: how much the outcome of the paper's rule depends on its parameters, and on the draw of seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aegis.experiments.sweep import BINDING, Setting, SweepRecord, never_binds
from aegis.experiments.table6 import BENIGN, CLASSES
from aegis.experiments.table11 import TARGET

# What the paper varies (RQ4): epsilon by data set, the bandwidth around the computed one, and the number of seeds.
EPSILONS: Mapping[str, tuple[float, ...]] = {
    "mnist": tuple(range(60, 141, 10)),
    "fashion_mnist": tuple(range(60, 141, 10)),
    "cifar10": tuple(range(300, 701, 50)),
}
REPEATS = 5


@dataclass(frozen=True)
class Sensitivity:
    """What became of some configurations, each of one infected model.

    Args:
        configs: how many.
        detected: those in which the target is flagged.
        flagged: benign classes that are, added up.
    """

    configs: int
    detected: int
    flagged: int

    @property
    def failed(self) -> int:
        """Configurations in which the target is not flagged."""
        return self.configs - self.detected

    @property
    def false_positives(self) -> float:
        """Share of benign classes flagged; 0 without any."""
        return self.flagged / max(self.configs * (CLASSES - 1), 1)


PUBLISHED: Mapping[str, Sensitivity] = {
    "epsilon": Sensitivity(54, 53, 0),
    "bandwidth": Sensitivity(18, 17, 2),
    "seeds": Sensitivity(42, 37, 8),
    "repeats": Sensitivity(30, 27, 2),
}


def by_clusters(counts: Iterable[Sequence[int]]) -> Sensitivity:
    """Configurations judged by the paper's rule.

    Args:
        counts: of each configuration, the clusters of every class.
    """
    return by_flagged([{label for label, count in enumerate(one) if count > BENIGN} for one in counts])


def by_flagged(flagged: Sequence[Iterable[int]]) -> Sensitivity:
    """Configurations of which it is known whom each flags."""
    found = [set(labels) for labels in flagged]
    return Sensitivity(len(found), sum(TARGET in labels for labels in found), sum(len(s - {TARGET}) for s in found))


def varied(sweeps: Mapping[str, Sequence[SweepRecord]]) -> dict[str, Sensitivity]:
    """What the paper's rule says as its parameters vary, by parameter.

    Args:
        sweeps: by data set, of its infected models.

    An epsilon that no image can reach binds nowhere, so that one computation stands for all of these.
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
    """What it says at budgets that bind, by budget."""
    settings: list[Setting] = [s for records in sweeps.values() for record in records for s in record.settings]
    return {
        budget: by_clusters(s.clusters for s in settings if s.parameter == "budget" and s.value == budget)
        for budget in BINDING
        if any(s.parameter == "budget" and s.value == budget for s in settings)
    }
