"""The findings by research question, with the differences marked; no Streamlit here."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aegis.ui.components.tables import cell, table

if TYPE_CHECKING:
    from aegis.experiments.paper.finding import Finding

QUESTIONS = {
    "RQ1": "Do backdoors work in robust models?",
    "RQ2": "Are backdoors detected?",
    "RQ3": "Does Neural Cleanse detect them?",
    "RQ4": "How much do the settings matter?",
    "RQ5": "Which triggers work best, and what do they cost?",
    "RQ6": "How long does a scan take?",
}
HEADS = ("The paper says", "Tested with", "In the paper", "Here", "95% interval", "Outcome")
TESTED = HEADS.index("Tested with")
# What presets are to somebody who has not used them.
BY = {"preset paper": "The paper's procedure", "preset default": "AEGIS, preset default"}
NOTE = (
    "Here: models whose attack works (a lift of at least 20%), pairs of models that compare as the paper says, or "
    "models, benign classes or settings of which it is true. Of several seeds of a model the first counts. Interval: "
    "Clopper-Pearson; too narrow for settings (RQ4) and benign classes, which share models. Outcome: as in the paper "
    "where means differ in the same sense, or rates lie on the same side of one half. The default preset asks for a "
    "trigger that works, which the paper's procedure does not. ResNet-18: four models of full width (docs/gpu.md); "
    "all others are small."
)
SAME, OTHER, OPEN = "as in the paper", "differs", "not recorded"
STYLE = """<style>
.aegis-share { display: flex; height: .625rem; gap: 2px; max-width: 44rem; }
.aegis-share span { border-radius: .2rem; }
.aegis-share .right { background: light-dark(#0b62a8, #5ab4f0); }
.aegis-share .wrong { background: light-dark(#c2470a, #f58a4b); }
.aegis-share .open { background: light-dark(#b9c4d0, #47586c); }
.aegis-findings td:first-child { min-width: 12rem; } .aegis-findings td:last-child { white-space: nowrap; }
.aegis-findings .aegis-table :is(th, td) { overflow-wrap: break-word; } .aegis-findings sup { line-height: 0; }
.aegis-findings .muted { display: block; font-size: .8125rem; color: light-dark(#5a6878, #9fadbd); }
.aegis-why { margin: .5rem 0 0; padding-left: 1.25rem; font-size: .875rem; color: light-dark(#5a6878, #9fadbd); }
</style>"""


@dataclass(frozen=True)
class Counts:
    """How many comparisons came out which way.

    Args:
        same: point the paper's way.
        other: do not.
        open: nothing is recorded of.
    """

    same: int
    other: int
    open: int

    @classmethod
    def of(cls, found: Sequence[Finding]) -> Counts:
        """Counts findings."""
        said = [one.same for one in found]
        return cls(said.count(True), said.count(False), said.count(None))

    @property
    def all(self) -> int:
        """Number of all comparisons."""
        return self.same + self.other + self.open

    @property
    def bar(self) -> str:
        """A bar that is divided as they are, as markup."""
        parts = {"right": self.same, "wrong": self.other, "open": self.open}
        spans = "".join(f'<span class="{kind}" style="flex:{count}"></span>' for kind, count in parts.items() if count)
        said = f"{self.same} {SAME}, {self.other} different, {self.open} {OPEN}"
        return f'<div class="aegis-share" role="img" aria-label="{said}">{spans}</div>'


@dataclass(frozen=True)
class Answers:
    """The findings of one research question.

    Args:
        question: its number.
        title: the question in a few words.
        counts: of the findings.
        markup: HTML.
    """

    question: str
    title: str
    counts: Counts
    markup: str


def answers(found: Sequence[Finding]) -> tuple[Answers, ...]:
    """Groups findings by research question; one of several questions stands with the first.

    Args:
        found: all findings.
    """
    groups = {key: [one for one in found if one.question.startswith(key)] for key in QUESTIONS}
    return tuple(Answers(key, QUESTIONS[key], Counts.of(group), _draw(group)) for key, group in groups.items() if group)


def _draw(found: Sequence[Finding]) -> str:
    reasons = list(dict.fromkeys(one.reason for one in found if one.reason))
    # Of attacks alone no procedure takes part.
    left_out = () if any(one.by for one in found) else (TESTED,)
    before = ["", *(one.claim for one in found)]
    rows = [_row(_cells(one, last, reasons), left_out) for last, one in zip(before, found)]
    heads = [head for place, head in enumerate(HEADS) if place not in left_out]
    why = "".join(f"<li>{html.escape(f'{reason[:1].upper()}{reason[1:]}')}.</li>" for reason in reasons)
    return f'<div class="aegis-findings">{table(heads, rows)}{f"<ol class=aegis-why>{why}</ol>" if why else ""}</div>'


def _row(cells: Sequence[str], left_out: Sequence[int]) -> str:
    return f"<tr>{''.join(one for place, one in enumerate(cells) if place not in left_out)}</tr>"


def _cells(one: Finding, claim_before: str, reasons: Sequence[str]) -> tuple[str, ...]:
    by, _, more = one.by.partition(", ")
    tested = ", ".join(filter(None, (BY.get(by, by), more)))
    counted = "" if one.rate is None else f"{one.rate.hits} of {one.rate.models}"
    return (
        cell("" if one.claim == claim_before else f"{one.claim[:1].upper()}{one.claim[1:]}"),
        cell(tested),
        _two(*_in_brackets(one.paper)),
        _two(*_in_brackets(one.ours), counted),
        _interval(one),
        _outcome(one, reasons),
    )


def _in_brackets(text: str) -> tuple[str, str]:
    """Divides numbers from what stands behind them in brackets."""
    before, _, after = text.partition(" (")
    return before, after.removesuffix(")")


def _interval(one: Finding) -> str:
    if one.rate is None:
        return cell("")
    low, high = one.rate.interval
    said = {True: "includes the paper's", False: "excludes the paper's", None: ""}[one.agrees]
    return _two(f"{low:.0%} to {high:.0%}", said)


def _outcome(one: Finding, reasons: Sequence[str]) -> str:
    if one.same is None:
        return f'<td class="same">{OPEN.capitalize()}</td>'
    said = (SAME if one.same else OTHER).capitalize()
    mark = f"<sup>{reasons.index(one.reason) + 1}</sup>" if one.reason else ""
    return f'<td class="{"right" if one.same else "wrong"}">{said}{mark}</td>'


def _two(first: str, *more: str) -> str:
    """A cell with further, quieter lines."""
    lines = "".join(f'<span class="muted">{html.escape(line)}</span>' for line in more if line)
    return f"<td>{html.escape(first)}{lines}</td>"
