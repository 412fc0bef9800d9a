"""``aegis figure``: what a user reads."""

import pytest

from .conftest import run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("8",), "Expected a figure among 3, 4, "),
        (("12", "--out", "x.pdf"), "Expected --out to end in .png or .svg; got x.pdf."),
        (("4",), "Expected a scan to draw Figure 4 from; got none."),
        (("12", "--results", "."), "Record them with: aegis bank rivals --only cifar10_localised_standard,"),
    ],
)
def test_what_cannot_be_drawn_is_one_message(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = run("figure", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not list(tmp_path.glob("*.png"))


def test_a_figure_is_drawn_beside_what_is_missing(tmp_path):
    outcome = run("figure", "17", "--out", tmp_path / "sizes.svg")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(f"{tmp_path / 'sizes.svg'}\n")
    assert (tmp_path / "sizes.svg").read_bytes().startswith(b"<?xml")
