"""Tables of a comparison: what is marked, and text from outside that stays text."""

from xml.etree import ElementTree

import pytest

from aegis.records.compare import compare
from aegis.ui.history.tables import class_table, line_table, metric_table, value_table
from tests.report.made import made

NAMES = ("shirt", "<b>shoe</b>", "bag", "coat & tie")


@pytest.fixture(scope="module")
def found():
    """Two models of which the newer one flags class 2; class 3 was not tested in it."""
    older, newer = (made(names=NAMES, rates=rates).record for rates in ((0.1, 0.2, 0.1, 0.3), (0.1, 0.3, 0.9, 0.3)))
    return compare(older, newer.model_copy(update={"classes": newer.classes[:3]}))


def rows(markup):
    """Cells of each row as text and kind; broken markup does not parse."""
    table = ElementTree.fromstring(markup)
    return [[("".join(cell.itertext()), cell.get("class", "")) for cell in row] for row in table.iter("tr")]


def test_classes_with_their_changes(found):
    head, *lines = rows(class_table(found.classes))
    names = ["Class", "Flagged", "Clusters", "Patch", "Perturbation", "Source-specific", "All-to-all"]
    assert [text for text, _ in head] == names
    first = lines[0]
    assert first[0][0] == "2 bag"
    assert first[1] == ("only in the newer", "flagged")
    assert first[2] == ("2 → 3", "changed")
    assert first[3] == ("10% → 90%", "changed")
    by_name = {line[0][0]: line for line in lines}
    assert by_name["0 shirt"][3] == ("10%", "same")
    assert by_name["1 <b>shoe</b>"][3] == ("20% → 30%", "changed")
    assert by_name["3 coat & tie"][1] == ("not tested in the newer", "same")


def test_metrics_with_their_changes(found):
    head, first, *_ = rows(metric_table(found.metrics))
    assert [text for text, _ in head] == ["", "Older", "Newer", "Change"]
    assert first == [("Accuracy", ""), ("80.0%", "plain"), ("80.0%", "plain"), ("none", "same")]


def test_settings_and_values_stay_text():
    older = made().record
    newer = older.model_copy(update={"versions": {"<i>x</i>": "<script>1</script>"}})
    texts = [cell for row in rows(line_table(compare(older, newer).settings)) for cell, _ in row]
    assert "Version of <i>x</i>" in texts
    assert "<script>1</script>" in texts
    assert rows(value_table([("a\nb", "<b>")])) == [[("a\\nb", ""), ("<b>", "")]]
