"""A table of the paper as markup and files, and a figure as a picture."""

import json

from aegis.experiments.paper.figure import Bars, Figure
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import Cell, Column, Table, words
from aegis.ui.experiments.made import DrawnFigure, MadeTable

COLUMNS = (
    Column("model", "model", words=True),
    Column("asr", "ASR", group="<ours>"),
    Column("accuracy", "accuracy", group="<ours>"),
    Column("right", "right", words=True),
)
TABLE = Table(
    "5", "Models", COLUMNS, ((*words("a & b"), Cell("1.0", 1), Cell(), Cell("yes", "yes", "right")),), ("One.",)
)


def test_a_table_has_groups_aligned_numbers_and_marks_and_its_text_does_nothing():
    made = MadeTable.of(TABLE, Records())
    assert '<th scope="colgroup" colspan="2" class="group">&lt;ours&gt;</th>' in made.markup
    assert '<td class="number">1.0</td><td class="number"></td><td class="right">yes</td>' in made.markup
    assert "<td>a &amp; b</td>" in made.markup
    assert (made.title, made.remarks) == ("Table 5. Models", ("One.",))
    assert json.loads(made.json)["tables"][0]["rows"] == [
        {"model": "a & b", "asr": 1, "accuracy": None, "right": "yes"}
    ]
    assert made.markdown.startswith("### Table 5. Models")
    plain = Table("findings", "Said", COLUMNS[:1], (words("x"),))
    assert "colgroup" not in MadeTable.of(plain, Records()).markup


def test_a_figure_is_a_png():
    figure = Figure("12", "Bars", (Bars("one", (1.0, None, 2.0), "index"),), remarks=("Said.",))
    made = DrawnFigure.of(figure, Records())
    assert made.png.startswith(b"\x89PNG")
    assert (made.title, made.remarks, made.files) == ("Figure 12. Bars", ("Said.",), [])
