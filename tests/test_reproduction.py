"""docs/reproduction.md: its tables are those that the command makes of the records that are there."""

from pathlib import Path

from tests.cli.conftest import run

PAGE = Path(__file__).parents[1] / "docs" / "reproduction.md"
FROM_HERE = "<!-- From here on: aegis table all --markdown -->\n\n"


def test_tables_of_the_page_are_those_of_the_records():
    outcome = run("table", "all", "--markdown")
    assert outcome.code == 0, outcome.err
    assert PAGE.read_text().partition(FROM_HERE)[2] == outcome.out, "write the page anew with: make docs"
