"""The first page, for readers who read no further."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from aegis.core.types import Dataset, Finding, VerdictName
from aegis.records.caveats import say_control, untested
from aegis.records.ranking import candidate_of, featured, strongest_candidate
from aegis.records.record import ClassRecord, ScanRecord
from aegis.records.review import Review, Reviews, are_dismissed, by, decided, say_status, when
from aegis.records.settings import say_settings
from aegis.records.wording import capitalised, rarity, robust_up_to
from aegis.report.evidence import evidence_picture, explain_candidate
from aegis.report.figures import SCATTER, scatters
from aegis.report.layout import ACCENT, INK, SHADE, WIDTH, class_name, facts, heading, item, logo, picture, table, text
from aegis.report.words import lines, words

NAMED = 8
MEANS: dict[VerdictName, str] = {
    "infected": "Whoever knows the trigger decides what this model answers. Do not use it: train it again from data "
    "that you trust, or have it replaced.",
    "clean": "No trigger of the kinds that were tested works on this model. That is good evidence and no proof: read "
    "below what was not tested.",
    "inconclusive": "The method cannot decide about this model. Treat it as untested, not as clean.",
}
UNTRIED = (
    "Clusters alone can flag a benign class and miss a backdoor. Scan again with the default settings, which look "
    "for the trigger and try it out, before anything is decided."
)
DISMISSED = (
    "The scan flagged this model, and an analyst holds that to be a false alarm. Whether it may be used rests on the "
    "reason given, which stands below with its author and date; the evidence is unchanged."
)
# Characters of a reason beside the verdict; the whole of it stands below.
REASON = 140


def first_page(
    record: ScanRecord, findings: Mapping[int, Finding], data: Dataset | None, reviews: Reviews
) -> list[Flowable]:
    """Lays out the first page: verdict, suspect, evidence, limits and the analysts' reviews.

    Args:
        record: the scan.
        findings: by label; classes may be missing.
        data: the scan's images, or None.
        reviews: what analysts add, the latest last.
    """
    return [
        _title(record),
        Spacer(0, 3 * mm),
        _banner(record, reviews),
        Spacer(0, 2 * mm),
        _facts(record),
        *_evidence(record, findings, data),
        heading("What was not tested"),
        *(item(words(limit, 400)) for limit in untested(record)),
        *([item(words(say_control(record.control, record.data.class_names), 400))] if record.control else []),
        *_reviews(record, reviews),
    ]


def _title(record: ScanRecord) -> Flowable:
    title = [text("<b>AEGIS backdoor verdict</b>", "lead")]
    return table(
        [[logo(22), title, text(_date(record), "right")]],
        [30, WIDTH - 210, 180],
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("RIGHTPADDING", (-1, 0), (-1, 0), 0),
    )


def _banner(record: ScanRecord, reviews: Reviews) -> Flowable:
    colour = ACCENT[record.verdict]
    status = say_status(record, reviews, REASON)
    reviewed = f'<font color="{INK.hexval().replace("0x", "#")}">; {words(status, 900)}</font>' if status else ""
    # The sentence begins with the word above it.
    sentence = record.sentence.removeprefix(f"{record.verdict.capitalize()}: ")
    said = [
        text(f'<font color="{colour}">{record.verdict.capitalize()}</font>{reviewed}', "title"),
        text(words(sentence[:1].upper() + sentence[1:], 900), "lead"),
        Spacer(0, 2 * mm),
        text(f"<b>What this means.</b> {_means(record, reviews)}"),
    ]
    return table(
        [["", said]], [4, WIDTH - 4],
        ("BACKGROUND", (0, 0), (0, 0), HexColor(colour)), ("BACKGROUND", (1, 0), (1, 0), SHADE),
        ("LEFTPADDING", (1, 0), (1, 0), 12), ("RIGHTPADDING", (1, 0), (1, 0), 12),
        ("TOPPADDING", (1, 0), (1, 0), 8), ("BOTTOMPADDING", (1, 0), (1, 0), 6),
    )  # fmt: skip


def _means(record: ScanRecord, reviews: Reviews) -> str:
    if are_dismissed(record, reviews):
        return DISMISSED
    tried = all(found.triggers for found in record.classes if found.flagged or record.verdict == "clean")
    return MEANS[record.verdict] if tried else UNTRIED


def _facts(record: ScanRecord) -> Flowable:
    model, images = record.model, record.data
    channels, height, width = images.shape
    colours = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
    return facts(
        [
            ("Suspect", f"<b>{words(model.called, 200)}</b>, {words(model.architecture, 120)}"),
            ("SHA-256", text(words(model.sha256, 64), "code")),
            ("Images", f"{words(images.name, 120)}: {width} × {height}, {colours}"),
            (
                "Accuracy",
                f"{model.accuracy:.1%} on test images; an attack of L2 norm {robust_up_to(model)} halves it",
            ),
            ("Classes flagged", _flagged(record)),
            ("Settings", say_settings(record)),
            ("Classes tested", f"{len(record.classes)} of {len(images.class_names)}"),
        ]
    )


def _flagged(record: ScanRecord) -> str:
    flagged = [found for found in record.classes if found.flagged]
    shown = ", ".join(class_name(found.label, found.name, 40) for found in flagged[:NAMED])
    more = f" and {len(flagged) - NAMED} more" if len(flagged) > NAMED else ""
    return f"<b>{shown}{more}</b>" if flagged else "none"


def _evidence(record: ScanRecord, findings: Mapping[int, Finding], data: Dataset | None) -> list[Flowable]:
    shown = featured(record)
    by_label = {found.label: found for found in record.classes}
    if not shown:
        return []
    found = by_label[shown[0]]
    more = len(shown) - 1
    others = f" {more} more flagged {'class has a page' if more == 1 else 'classes have pages'} below." if more else ""
    title = "The evidence" if found.flagged else "The strongest class, and why it is not enough"
    return [heading(title), text(_says(found, record) + others), *_picture(found, record, findings, data)]


def _picture(
    found: ClassRecord, record: ScanRecord, findings: Mapping[int, Finding], data: Dataset | None
) -> list[Flowable]:
    finding = findings.get(found.label)
    if finding is None:
        return [text("The picture is missing: the store no longer has what this scan computed.", "caption")]
    candidate = candidate_of(found, finding)
    if candidate is None:
        return [picture(scatters(finding)), text(SCATTER, "caption")]
    return [evidence_picture(found, candidate, data)]


def _says(found: ClassRecord, record: ScanRecord) -> str:
    position, name = strongest_candidate(found), class_name(found.label, found.name, 40)
    if not found.flagged:
        return f"Class {name} comes closest: {words(found.reason, 500)}."
    if position is None:
        return f"Class {name}: {words(found.reason, 500)}. No trigger was tried."
    rare = f" {capitalised(rarity(found.p_value))}." if found.p_value is not None else ""
    return explain_candidate(found, found.triggers[position], record.data.class_names) + rare


def _reviews(record: ScanRecord, reviews: Reviews) -> list[Flowable]:
    rows: list[tuple[str, Any]] = [
        (f"Class {class_name(found.label, found.name)}", said)
        for found in record.classes
        if (said := decision(found, reviews))
    ]
    notes = [part for review in reviews for part in _one_review(review)] or [text("No review.", "caption")]
    return [heading("The analysts' reviews"), *([facts(rows, 120), Spacer(0, 2 * mm)] if rows else []), *notes]


def _one_review(review: Review) -> list[Flowable]:
    made = ", ".join(f"class {label} {one}" for label, one in sorted(review.decisions.items()))
    head = "; ".join(words(part, 400) for part in (by(review), when(review), made) if part)
    said = text(lines(review.note)) if review.note.strip() else Spacer(0, 1 * mm)
    return [heading(f"<b>{head}</b>", "cell"), said]


def decision(found: ClassRecord, reviews: Reviews) -> str:
    """Says what analysts decided about a class.

    Args:
        found: the class.
        reviews: of the scan, the latest last.

    Returns:
        Markup; empty where there is nothing to decide.
    """
    if found.label not in (stands := decided(reviews)):
        return "not decided yet" if found.flagged else ""
    made, review = stands[found.label]
    return f"<b>{made}</b> by {words(by(review))}{f', {words(when(review))}' if review.created else ''}"


def _date(record: ScanRecord) -> str:
    try:
        when = datetime.fromisoformat(record.created).astimezone(UTC)
    except ValueError:
        return words(record.created, 40)
    return f"scanned on {when.day} {when:%B %Y, %H:%M} UTC"
