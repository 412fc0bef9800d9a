"""Detectors on the same suspects: what is counted of each set, and how many ran."""

from aegis.experiments.paper import detectors
from aegis.experiments.paper.records import Records
from aegis.models.card import Planted
from tests.experiments.cases import suspect
from tests.records.test_detectors import one


def test_each_set_says_how_many_ran_and_what_they_found(tmp_path, monkeypatch):
    target = (Planted(kind="localised", target=1),)
    models = {
        "mnist_localised": suspect("mnist_localised", lift=0.9, triggers=target),
        "mnist_static": suspect("mnist_static", lift=0.9, triggers=target),
        "mnist_clean": suspect("mnist_clean"),
    }
    said = {"mnist_localised": one("nc", 1), "mnist_static": one("nc"), "mnist_clean": one("nc", 0)}

    def ran(_, detector, names):
        return {name: record for name, record in said.items() if detector == "nc" and name in names}

    monkeypatch.setattr(Records, "models", lambda _, names: {n: models[n] for n in names if n in models})
    monkeypatch.setattr(Records, "rivals", ran)
    monkeypatch.setattr(Records, "first_scans", lambda *_: {})
    table = detectors.table("detectors", Records(results=tmp_path))
    rows = {(row["set"], row["detector"]): row for row in table.records}
    nc = rows["the paper's, robust", "Neural Cleanse"]
    assert (nc["ran"], nc["found"], nc["named"], nc["accused"]) == ((3, 15), (1, 2), (1, 2), (1, 1))
    # Of nine classes, two are targets.
    assert (nc["flagged"], nc["seconds"]) == ((1, 7), 1)
    assert rows["the paper's, robust", "MM-BD"]["ran"] == (0, 15)
    assert rows["standard twins", "Neural Cleanse"]["found"] is None
    assert len(rows) == 3 * 4
    assert any(cell.text == "1 of 2 (1% to 99%)" for row in table.rows for cell in row)
