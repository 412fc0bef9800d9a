"""The Scan page when a scan is done: verdict, trigger and every class."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import StoreError
from aegis.core.text import count_of, numbered
from aegis.records.ranking import best_score, ranked
from aegis.records.record import ClassRecord, ScanRecord, config_of
from aegis.records.wording import robust_up_to
from aegis.services.report_inputs import find_featured, say_missing
from aegis.ui.components.evidence import show_evidence
from aegis.ui.components.palette import palette
from aegis.ui.components.scan_charts import small_scatter
from aegis.ui.components.widgets import INSPECT, fact, facts
from aegis.ui.scan.review import show_review
from aegis.ui.scans import summary_of, summary_or_none
from aegis.ui.session import look_for_images, verdict_badge, when

COLUMNS = 5
# Classes drawn at once; the others follow at a click.
PAGE = 20
_STYLE = """<style>
.st-key-verdict [data-testid="stText"] { font-size: 1.25rem; line-height: 1.4; font-weight: 600; text-wrap: pretty; }
[class*="st-key-small-"] [data-testid="stText"] { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
</style>"""


def show_result(key: str, record: ScanRecord) -> None:
    """Show all results of a finished scan.

    Args:
        key: of the scan in the store.
        record: the scan.
    """
    st.html(_STYLE)
    _show_verdict(record)
    images, gone = look_for_images(key, record)
    try:
        config_of(record)
        ordered = ranked(record)
        if ordered:
            small = summary_or_none(record, ordered[0].label)
            show_evidence(record, ordered[0], small.trigger if small else None, images)
        _show_classes(key, record, ordered)
    except StoreError as error:
        st.text(str(error))
    at_hand, lost = find_featured(record, summary_of)
    show_review(key, record, images, tuple(at_hand), say_missing(gone, lost))


def _show_verdict(record: ScanRecord) -> None:
    with st.container(border=True, key="verdict"):
        with st.container(horizontal=True, vertical_alignment="center"):
            verdict_badge(record)
            st.caption(f"scanned {when(record.created)}")
        st.text(record.sentence)
    model, data = record.model, record.data
    with facts():
        fact("Suspect", model.file)
        fact("Architecture", model.architecture)
        fact("Images", data.name)
        fact("Accuracy", f"{model.accuracy:.1%}", tip="Share of held-out images classified as they are labelled.")
        fact(
            "Robust up to",
            robust_up_to(model),
            tip="L2 norm of a change, made to mislead the model, that halves its accuracy.",
        )
        fact("SHA-256", f"{model.sha256[:16]}…", tip=model.sha256)


def _show_classes(key: str, record: ScanRecord, ordered: list[ClassRecord]) -> None:
    st.header(
        "Every class",
        anchor=False,
        help="Each point is an image, drawn by the features that the model sees in it. Clusters are those that mean "
        "shift finds among them; flips is the share of held-out images that the best trigger for all other classes "
        "turns into the class, reached by most of these.",
    )
    st.caption(
        "Training images of the class (open, grey) and images of other classes that were translated into it (filled). "
        "Classes that are flagged come first, then those that come closest to it."
    )
    pages = -(-len(ordered) // PAGE)
    page = 0
    if pages > 1:
        page = st.pagination(pages, key="page") - 1
    shown = ordered[page * PAGE :][:PAGE]
    for start in range(0, len(shown), COLUMNS):
        for column, one in zip(st.columns(COLUMNS), shown[start : start + COLUMNS]):
            with column:
                _show_small(key, record, one)


def _show_small(key: str, record: ScanRecord, one: ClassRecord) -> None:
    with st.container(border=True, key=f"small-{one.label}", gap="xsmall", height="stretch"):
        st.text(numbered(one.label, one.name, 60))
        small = summary_or_none(record, one.label)
        if small is not None:
            moved = int(small.is_translated.sum())
            described = (
                f"Class {one.label}: {len(small.points) - moved} training images and {moved} translated ones in "
                f"{one.clusters} clusters"
            )
            colours = palette(st.context.theme.type)
            st.html(small_scatter(small.points, small.is_translated, one.flagged, described, colours))
        clusters = count_of(one.clusters, "cluster")
        best = best_score(one, "patch", "perturbation")
        st.caption(clusters if best is None else f"{clusters}, flips {best:.0%}")
        if one.flagged:
            st.badge("Flagged", icon=":material/warning:", color="red")
        target = {"scan": key, "class": str(one.label)}
        st.page_link(INSPECT, label="Inspect", icon=":material/search:", query_params=target)
