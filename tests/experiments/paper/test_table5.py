"""The paper's numbers, and ours beside them."""

from statistics import fmean

import pytest

from aegis.experiments.paper.models import TRIGGERS, name_of
from aegis.experiments.paper.table5 import directions, table_5
from aegis.lab.bank.suspects import read_bank
from tests.experiments.cases import suspect


def made(success):
    """All thirty; ``success`` gives the share by robust and trigger."""
    names = {
        name_of(r, d, t): (r, t) for r in (True, False) for d in ("mnist", "fashion_mnist", "cifar10") for t in TRIGGERS
    }
    return {
        name: suspect(name, None if trigger == "clean" else success(robust, trigger))
        for name, (robust, trigger) in names.items()
    }


def test_thirty_models_of_the_bank():
    rows = table_5({})
    names = {name_of(row.robust, row.data, row.trigger) for row in rows}
    assert len(names) == 30
    assert names == {entry.name for entry in read_bank().values() if entry.group in ("paper", "standard")}


def test_averages_of_the_paper_are_those_it_states():
    # Section 5.2: 96.4% visible, 39.3% invisible, 67.83% on robust and 75.86% on standard models.
    standard, visible, distributed, adversarial, accurate, precise = directions(table_5({}))
    assert standard.paper == pytest.approx((75.86, 67.83), abs=0.01)
    assert visible.paper == pytest.approx((96.4, 39.3), abs=0.05)
    assert distributed.paper == pytest.approx((99.87, 92.93), abs=0.01)
    assert adversarial.paper == pytest.approx((47.86, 30.65), abs=0.01)
    assert (accurate.paper, precise.paper) == ((93.96, 91.55), (86.37, 83.21))
    assert standard.ours is None
    assert standard.same is None
    rows = table_5({})
    for robust, accuracy, precision in ((True, 91.55, 83.21), (False, 92.74, 57.74)):
        cells = [row.paper for row in rows if row.robust == robust and row.trigger != "clean"]
        assert fmean(cell.accuracy for cell in cells) == pytest.approx(accuracy, abs=0.01)
        assert fmean(cell.precision for cell in cells) == pytest.approx(precision, abs=0.01)


def test_ours_beside_them():
    strength = {"localised": 0.9, "distributed": 0.8, "static": 0.3, "adversarial": 0.5}
    records = made(lambda robust, trigger: strength[trigger] + (0 if robust else 0.05))
    rows = table_5(records)
    assert all(row.ours is records[name_of(row.robust, row.data, row.trigger)] for row in rows)
    found = directions(rows)
    assert [one.same for one in found] == [True, True, False, True, False, False]
    assert found[0].ours == pytest.approx((67.5, 62.5))

    # One that is missing leaves only its comparisons open.
    del records["mnist_static"]
    assert [one.ours is None for one in directions(table_5(records))] == [True, True, False, True, True, True]
