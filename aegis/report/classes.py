"""The pages of one class, and the table of all classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, PageBreak, Spacer

from aegis.core.text import percent
from aegis.core.types import FAMILIES, CandidateTrigger, Dataset, Family, Finding, as_8_bit, as_pixels
from aegis.records.fitting import verdict_settings
from aegis.records.pictures import as_rgb, coloured, png, strip, where_changed
from aegis.records.ranking import best_score, candidate_of, listed, ranked, score_line, strongest_candidate
from aegis.records.record import ClassRecord, ScanRecord, TriggerRecord
from aegis.records.review import Reviews, decided
from aegis.records.wording import explain_score
from aegis.report.evidence import LISTED, explain_candidate, flip_rows, trigger_alone
from aegis.report.figures import COLUMNS, HEAT, SCATTER, against_benign, colour_of, heat_maps, scatters
from aegis.report.first import decision
from aegis.report.layout import ACCENT, WIDTH, Outline, class_name, heading, picture, table, text
from aegis.report.words import words

IMAGES = 8
CLUSTERS = 8
# In points, for the heads of the table of all classes.
FAMILY_WIDTHS: dict[Family, float] = {"patch": 36, "perturbation": 54, "source-specific": 64, "all-to-all": 46}


def class_pages(
    found: ClassRecord, record: ScanRecord, findings: Mapping[int, Finding], data: Dataset | None, reviews: Reviews
) -> list[Flowable]:
    """Lays out the pages of one class.

    Args:
        found: the class, from which the numbers come.
        record: the scan.
        findings: by label, from which the pictures come; classes may be missing.
        data: the scan's images, or None.
        reviews: of the scan, the latest last.
    """
    said, finding = decision(found, reviews), findings.get(found.label)
    story: list[Flowable] = [
        PageBreak(),
        Outline(f"Class {found.label}", f"class-{found.label}"),
        heading(f"Class {class_name(found.label, found.name, 200)}", "title"),
        text(f"<b>{'Flagged' if found.flagged else 'Not flagged'}</b>: {words(found.reason, 800)}."),
        *([text(f"Review: {said}.")] if said else []),
        *_trigger(found, record, finding, data),
    ]
    if finding is None:
        gone = "The store no longer has what the scan computed for this class, so its scatter and images are missing."
        return [*story, heading("Pictures"), text(gone)]
    return [
        *story,
        *_scatter(finding),
        *_heat(finding, data, candidate_of(found, finding)),
        *_clusters(finding, data),
    ]


def _trigger(found: ClassRecord, record: ScanRecord, finding: Finding | None, data: Dataset | None) -> list[Flowable]:
    position = strongest_candidate(found)
    if position is None:
        return [text("No trigger was tried: these settings count clusters alone.", "caption")]
    best, stamped = found.triggers[position], candidate_of(found, finding)
    top, left, bottom, right = best.box
    lies = f" It lies between rows {top} and {bottom - 1} and columns {left} and {right - 1}."
    where = "" if best.family == "perturbation" else lies
    did = explain_candidate(found, best, record.data.class_names)
    said = [
        text(f"{did}{where} Its search began at {words(best.start)}."),
        *_against_benign(found, best, record),
        _candidates(found, WIDTH - (0 if stamped is None else 120)),
    ]
    beside = said if stamped is None else [table([[trigger_alone(stamped, found.flagged), said]], [120, WIDTH - 120])]
    listed = len([rate for rate in best.flip_rates if rate is not None])
    most = f", the {LISTED} highest of {listed}" if listed > LISTED else ""
    title, called = ("The trigger", "trigger") if found.flagged else ("Its strongest candidate", "candidate")
    return [
        heading(title),
        *beside,
        heading(f"Attack success rates by source class{most}"),
        text(f"Share of each class's held-out images that the {called} turns into this class.", "caption"),
        flip_rows(found, best, stamped, data, record.data.class_names),
    ]


def _against_benign(found: ClassRecord, best: TriggerRecord, record: ScanRecord) -> list[Flowable]:
    """The score beside those of benign classes, and how likely it is among them."""
    verdict = verdict_settings(record)
    line = score_line(found.label, best, verdict) if verdict else None
    if verdict is None or line is None or best.score is None or found.p_value is None:
        return []
    benign, needed = line
    said = explain_score(best.score, len(benign), needed, found.p_value, verdict)
    return [picture(against_benign(benign, best.score, needed, found.flagged), height=42), text(said, "caption")]


def _candidates(found: ClassRecord, width: float) -> Flowable:
    names = ("candidate", "search began at", "pixels", "L2 norm", "success", "score")
    rows = [[text(name, "head") for name in names]]
    for candidate in listed(found):
        family = candidate.family if candidate.source is None else f"source-specific: {candidate.source}"
        cells = (family, words(candidate.start), str(candidate.pixels), f"{candidate.l2_norm:.2f}")
        rates = (f"{candidate.flip_rate:.0%}", "" if candidate.score is None else f"{candidate.score:.0%}")
        rows.append([text(cell, "cell") for cell in (*cells, *rates)])
    return table(rows, [75.0, width - 255, 40.0, 50.0, 50.0, 40.0], header=1)


def _scatter(finding: Finding) -> list[Flowable]:
    alone = " and ".join(str(clusters.count) for clusters in finding.translated_clusters)
    widths = " and ".join(f"{clusters.bandwidth:.1f}" for clusters in finding.clusters)
    caption = f"{SCATTER} Clusters among translated images alone: {alone}. Bandwidth: {widths}."
    return [KeepTogether([heading("Embedding"), picture(scatters(finding)), text(caption, "caption")])]


def _heat(finding: Finding, data: Dataset | None, candidate: CandidateTrigger | None) -> list[Flowable]:
    title = heading("Where translation changed most")
    if data is None:
        return [title, text("The scan's images are not at hand, so what changed cannot be shown.", "caption")]
    evidence = finding.evidence
    seeds = data.train.pixels[evidence.seed_index]
    maps = [where_changed(seeds, as_pixels(translated)) for translated in evidence.translated]
    patch = candidate.shown.touched if candidate is not None and candidate.family != "perturbation" else None
    outlined = "" if patch is None else " Outlined: the pixels of the patch."
    caption = f"Mean absolute change of each pixel, over all translated images; 1 is from black to white.{outlined}"
    drawn = picture(heat_maps(maps, evidence.budgets, patch), 72 * HEAT * min(len(maps), COLUMNS))
    drawn.hAlign = "LEFT"
    return [KeepTogether([title, drawn, text(caption, "caption")])]


def _clusters(finding: Finding, data: Dataset | None) -> list[Flowable]:
    # The budget with most clusters tells most.
    b = int(np.argmax([clusters.count for clusters in finding.clusters]))
    clusters, evidence = finding.clusters[b], finding.evidence
    head = heading(f"Images of each cluster, at L2 budget {evidence.budgets[b]:g}")
    rows = []
    for cluster in range(min(clusters.count, CLUSTERS)):
        members = np.flatnonzero(clusters.assignment == cluster)
        own = len(evidence.train_index)
        rows.append(_cluster(cluster, finding, b, members[members < own], members[members >= own] - own, data))
    left = clusters.count - len(rows)
    more = (
        [text(f"{left} smaller {'cluster is' if left == 1 else 'clusters are'} not shown.", "caption")] if left else []
    )
    legend = "Seeds above what they were turned into; at the right where they changed. In random order, not chosen."
    return [KeepTogether([head, text(legend, "caption"), rows[0]]), *rows[1:], *more]


def _cluster(
    cluster: int, finding: Finding, b: int, own: np.ndarray, moved: np.ndarray, data: Dataset | None
) -> Flowable:
    evidence, side = finding.evidence, 38.0
    translated = as_pixels(evidence.translated[b, moved])
    shown = moved[:IMAGES]
    pictures: list[Any] = []
    heat: Any = ""
    if len(moved):
        if data is not None:
            seeds = data.train.pixels[evidence.seed_index[moved]]
            pictures += [_strip(seeds[: len(shown)], side), Spacer(0, 2)]
            map_ = where_changed(seeds, translated)
            heat = picture(png(coloured(map_ / max(float(map_.max()), 1e-6), "magma")), height=2 * side)
        pictures.append(_strip(translated[: len(shown)], side))
    elif data is not None:
        pictures.append(_strip(data.train.pixels[evidence.train_index[own[:IMAGES]]], side))
    else:
        pictures.append(text("training images only, which are not at hand", "caption"))
    counts = f"{len(moved)} translated<br/>{len(own)} training"
    name = text(f'<font color="{colour_of(cluster)}"><b>Cluster {cluster + 1}</b></font><br/>{counts}', "cell")
    row = [[name, pictures, heat]]
    return table(
        row, [74, WIDTH - 74 - 84, 84], ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("BOTTOMPADDING", (0, 0), (-1, -1), 5)
    )


def _strip(images: np.ndarray, side: float) -> Flowable:
    return picture(png(strip(list(as_rgb(as_8_bit(images)))), None), height=side)


def class_table(record: ScanRecord, reviews: Reviews) -> list[Flowable]:
    """Lays out the table of all classes, the strongest first.

    Args:
        record: the scan.
        reviews: of the scan, the latest last.
    """
    families = [family for family in FAMILIES if any(best_score(found, family) is not None for found in record.classes)]
    names = ("class", "clusters", "translated", *families, "benign", "verdict", "analyst")
    rows = [[text(name, "head") for name in names]]
    stands = {label: made for label, (made, _) in decided(reviews).items()}
    rows += [[text(cell, "cell") for cell in _line(found, families, stands)] for found in ranked(record)]
    budgets = ", ".join(f"{budget:g}" for budget in record.classes[0].budgets) if record.classes else ""
    legend = (
        f"Clusters of training and translated images, and share of the images that translation turned into the class, "
        f"at L2 budgets {budgets}; share of held-out images that the best trigger of each kind turns into the class, "
        "reached by most of the classes it is for; how many benign models have such a class at most."
    )
    rest = [40.0, 52.0, *(FAMILY_WIDTHS[family] for family in families), 36.0, 44.0, 50.0]
    widths = [WIDTH - sum(rest), *rest]
    return [
        Spacer(0, 5 * mm),
        CondPageBreak(70 * mm),
        Outline("All classes", "classes"),
        heading("All classes", "title"),
        text(legend, "caption"),
        table(rows, widths, header=1),
    ]


def _line(found: ClassRecord, families: Sequence[Family], stands: Mapping[int, str]) -> list[str]:
    best = [best_score(found, family) for family in families]
    return [
        class_name(found.label, found.name, 200),
        ", ".join(map(str, found.clusters_by_budget)),
        ", ".join(f"{share:.0%}" for share in found.translation_success),
        *("" if rate is None else f"{rate:.0%}" for rate in best),
        "" if found.p_value is None else percent(found.p_value),
        f'<font color="{ACCENT["infected"]}"><b>flagged</b></font>' if found.flagged else "-",
        stands.get(found.label, ""),
    ]
