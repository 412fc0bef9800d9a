"""The runs behind tables and figures: which they are at each scale, where they are kept, and that they run."""

import pytest

from aegis.core.errors import StoreError
from aegis.experiments.paper import catalogue, needs
from aegis.experiments.paper.catalogue import make_table
from aegis.experiments.paper.needs import Need
from aegis.experiments.paper.runs import Experiment
from aegis.experiments.paper.table import SMOKE
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import read_bank

SCAN = (Need(kind="scan", by="paper", names=("mnist_localised", "mnist_static")),)
TRAINING = (Need(kind="training", names=("mnist_localised", "mnist_static")),)


def test_every_need_is_of_a_table_or_figure_and_of_suspects_of_the_bank():
    assert needs.TABLES.keys() <= catalogue.TABLES.keys()
    assert needs.FIGURES.keys() <= catalogue.FIGURES.keys()
    named = {name for kind in (needs.TABLES, needs.FIGURES) for all in kind.values() for n in all for name in n.names}
    assert named < read_bank().keys()


@pytest.mark.parametrize(("number", "runs"), [("5", 30), ("6", 15 + 15 * 5 + 6 * 5 + 9), ("12", 9 + 6 * 5 + 6)])
def test_small_is_all_that_the_table_has(number, runs):
    # The clean models that adversarial triggers are computed on take part.
    assert Experiment(needs=needs.TABLES[number], scale="small").runs == runs


def test_smoke_takes_few_suspects_once_and_never_the_projects_results(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path))
    for base in (None, RESULTS, RESULTS / ".." / "results"):
        one = Experiment(needs=needs.TABLES["6"], scale="smoke", base=base)
        assert one.results == tmp_path / "smoke" / "bundled"
    assert {name for need in one.wanted for name in need.names} == {
        "mnist_localised", "mnist_clean", "mnist_static", "mnist_adversarial",
    }  # fmt: skip
    assert {need.seeds for need in one.wanted} == {1}
    trained = Experiment(needs=needs.TABLES["4"], scale="smoke", base=tmp_path / "own")
    assert trained.results == tmp_path / "own" / "trained"
    assert trained.bank["mnist_localised"].images == 1000
    findings = Experiment(needs=needs.TABLES["findings"], scale="smoke")
    assert "training" not in {need.kind for need in findings.wanted}
    assert not findings.trains


def test_a_scan_is_run_and_found_again(tmp_path):
    one = Experiment(needs=SCAN[:1], scale="smoke", base=tmp_path)
    assert one.missing() == 1
    found = list(one.run())
    assert ("scan of mnist_localised, preset paper, seed 0", True) in found
    assert len(found) == one.runs == 2
    assert one.missing() == 0
    assert not any(now for _, now in one.run())
    table = make_table("8", one.records())
    assert table.remarks[0] == SMOKE
    (row,) = [row for row in table.records if row["scans"]]
    assert (row["data"], row["trigger"], row["scans"]) == ("mnist", "localised", 1)
    # Full settings are another experiment, of which there is nothing.
    assert Experiment(needs=SCAN[:1], scale="small", base=one.results).missing() == 2


def test_a_model_is_trained_in_smoke_and_never_in_place_of_the_banks(tmp_path):
    one = Experiment(needs=TRAINING, scale="smoke", base=tmp_path)
    assert list(one.run()) == [("training of mnist_localised", True)]
    model = one.records().models(["mnist_localised"])["mnist_localised"]
    assert model.making is not None
    assert model.success > 0.5
    assert model.recipe["images"] == 1000
    assert [path.name for path in one.results.rglob("*.safetensors")] == ["mnist_localised.safetensors"]
    assert one.missing() == 0


def test_what_ends_it_is_passed_on(tmp_path):
    def tick():
        raise StoreError("work that is wanted", "none", "Go on.")

    one = Experiment(needs=SCAN, scale="smoke", base=tmp_path)
    with pytest.raises(StoreError, match="work that is wanted"):
        list(one.run(apart=True, tick=tick))
    assert one.missing() > 0
