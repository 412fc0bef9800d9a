"""What is read of results, and which files that was."""

import json

import pytest

from aegis.core.errors import StoreError
from aegis.experiments.paper.records import Records
from aegis.lab.bank.record import keep_record
from tests.cli.test_table import made_as_asked


def test_only_records_of_the_present_recipe_count_and_are_remembered(tmp_path):
    keep_record(made_as_asked("mnist_static", 0.3), "quick", tmp_path)
    keep_record(made_as_asked("mnist_localised", 0.9).model_copy(update={"recipe": {}}), "quick", tmp_path)
    records = Records(results=tmp_path)
    assert list(records.models(["mnist_static", "mnist_localised", "mnist_clean"])) == ["mnist_static"]
    assert records.files == ["bank/quick/mnist_static.json"]
    # Its checkpoint is another one, so no scan and no other detector is of it.
    assert records.scans("paper", [("mnist", "static")]) == {}
    assert records.rivals("nc", ["mnist_static"]) == {}


def test_trainings_at_scale_are_found_by_the_name_of_the_model(tmp_path):
    folder = tmp_path / "gpu" / "scale"
    folder.mkdir(parents=True)
    told = {"seconds": 90.0, "recipe": {"epochs": 10}, "architecture": "aegis:resnet18", "metrics": {"accuracy": 0.9}}
    (folder / "mnist_clean-training.json").write_text(json.dumps(told))
    records = Records(results=tmp_path)
    assert records.trained_at_scale()["mnist_clean"].seconds == 90
    assert records.scanned_at_scale("paper") == {}
    assert records.files == ["gpu/scale/mnist_clean-training.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2", b"\xff"])
def test_a_damaged_record_is_an_error_and_never_taken_for_a_missing_one(tmp_path, content):
    path = tmp_path / "bank" / "quick" / "mnist_static.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    records = Records(results=tmp_path)
    with pytest.raises(StoreError, match="is damaged"):
        records.models(["mnist_static"])
    with pytest.raises(StoreError, match="is damaged"):
        records.scans("paper", [("mnist", "static")])
