"""Table 7: the paper's rule as its parameters vary."""

import pytest

from aegis.experiments.paper.table7 import EPSILONS, PUBLISHED, binding, by_clusters, by_flagged, varied
from tests.experiments.cases import swept


def clusters(*flagged):
    return tuple(3 if label in flagged else 2 for label in range(10))


@pytest.mark.parametrize(
    ("parameter", "detected", "false_positives"),
    [("epsilon", 0.981, 0), ("bandwidth", 0.944, 0.012), ("seeds", 0.881, 0.0211), ("repeats", 0.9, 0.0074)],
)
def test_the_published_shares_follow_from_the_published_counts(parameter, detected, false_positives):
    found = PUBLISHED[parameter]
    assert found.detected / found.configs == pytest.approx(detected, abs=6e-4)
    assert found.false_positives == pytest.approx(false_positives, abs=6e-4)


def test_configurations_are_counted_by_the_target_alone():
    found = by_clusters([clusters(7), clusters(7, 1, 2), clusters(1), clusters()])
    assert (found.configs, found.detected, found.failed, found.flagged) == (4, 2, 2, 3)
    assert found.false_positives == pytest.approx(3 / 36)
    assert by_flagged([(7,), (7, 1, 2), (1,), ()]) == found
    assert by_clusters([]).false_positives == 0


def test_what_never_binds_stands_for_every_epsilon_of_the_paper():
    sweeps = {
        "mnist": [swept("a", (1, 28, 28), [("epsilon", 100, clusters(7)), ("seeds", 200, clusters())])],
        "cifar10": [swept("a", (3, 32, 32), [("epsilon", 500, clusters(3)), ("bandwidth", -3, clusters(7))])],
    }
    found = varied(sweeps)
    assert len(EPSILONS["mnist"]) == len(EPSILONS["cifar10"]) == 9
    assert 2 * sum(map(len, EPSILONS.values())) == PUBLISHED["epsilon"].configs
    assert (found["epsilon"].configs, found["epsilon"].detected, found["epsilon"].flagged) == (18, 9, 9)
    assert (found["seeds"].configs, found["seeds"].detected) == (1, 0)
    assert (found["bandwidth"].configs, found["bandwidth"].detected) == (1, 1)


def test_budgets_that_bind_are_counted_apart():
    sweeps = {"mnist": [swept("a", (1, 28, 28), [("budget", 1, clusters(7)), ("budget", 2, clusters(7, 3))])] * 2}
    found = binding(sweeps)
    assert list(found) == [1, 2]
    assert (found[1].detected, found[1].flagged, found[2].flagged) == (2, 0, 2)
    assert varied(sweeps) == {}
