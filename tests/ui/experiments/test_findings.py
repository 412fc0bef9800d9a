"""Findings by research question, as markup."""

from aegis.experiments.detection_rates import Rate
from aegis.experiments.paper.finding import Claim, Finding, compare
from aegis.ui.experiments.findings import QUESTIONS, Counts, answers

CLAIM = Claim(question="RQ2, RQ5", claim="infected models are <detected>", hits=11, number=12)
FOUND = (
    Finding(question="RQ6", claim="a scan takes minutes", paper="5 to 9 minutes", by="preset paper"),
    compare("RQ1", "more than", (80.0, 60.0), ([0.9, 0.7], [0.5, 0.8])),
    CLAIM.beside("preset paper", Rate(0, 12), "it <counts>"),
    CLAIM.beside("preset default, ResNet-18", Rate(12, 12)),
)


def test_each_question_has_its_findings_and_counts_what_differs():
    groups = {one.question: one for one in answers(FOUND)}
    assert list(groups) == ["RQ1", "RQ2", "RQ6"]
    assert groups["RQ2"].counts == Counts(same=1, other=1, open=0)
    assert groups["RQ6"].counts == Counts(0, 0, 1)
    assert groups["RQ6"].title == QUESTIONS["RQ6"]


def test_differences_are_marked_with_their_reason_and_text_does_nothing():
    markup = {one.question: one.markup for one in answers(FOUND)}
    assert '<td class="wrong">Differs<sup>1</sup></td>' in markup["RQ2"]
    assert '<td class="right">As in the paper</td>' in markup["RQ2"]
    assert "<li>It &lt;counts&gt;.</li>" in markup["RQ2"]
    assert "AEGIS, preset default, ResNet-18" in markup["RQ2"]
    # A claim stands once, however often it was tested.
    assert markup["RQ2"].count("Infected models are &lt;detected&gt;") == 1
    assert '<td>91.7%<span class="muted">11 of 12</span></td>' in markup["RQ2"]
    assert '0% to 26%<span class="muted">excludes the paper' in markup["RQ2"]
    assert "Not recorded" in markup["RQ6"]
    # Where no procedure takes part, none is shown.
    assert "Tested with" in markup["RQ2"]
    assert "Tested with" not in markup["RQ1"]
    assert '80.0% against 65.0%<span class="muted">+23.1%</span><span class="muted">1 of 2</span>' in markup["RQ1"]


def test_the_bar_leaves_out_what_there_is_none_of():
    assert Counts(3, 0, 1).bar.count("<span") == 2
    assert 'aria-label="3 as in the paper, 0 different, 1 not recorded"' in Counts(3, 0, 1).bar
