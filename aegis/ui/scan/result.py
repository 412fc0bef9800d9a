"""All results of a finished scan: the verdict card, its reasons, facts of the model, and every class."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import StoreError
from aegis.core.text import count_of, numbered
from aegis.records.fitting import verdict_settings
from aegis.records.ranking import best_score, ranked
from aegis.records.record import ClassRecord, ScanRecord, config_of
from aegis.records.wording import robust_up_to
from aegis.services.report_inputs import find_featured, say_missing
from aegis.store.store import Store
from aegis.ui.components.evidence import show_reasons
from aegis.ui.components.palette import palette
from aegis.ui.components.svg import small_scatter
from aegis.ui.components.widgets import INSPECT, fact, facts, say_images
from aegis.ui.scan.verdict import show_card
from aegis.ui.scans import summary_of, summary_or_none
from aegis.ui.session import look_for_images

COLUMNS = 5
# Classes drawn at once; the others follow at a click.
PAGE = 20
_STYLE = """<style>
[class*="st-key-small-"] [data-testid="stText"] { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
</style>"""


def show_result(key: str, record: ScanRecord) -> None:
    """Shows all results of a finished scan."""
    st.html(_STYLE)
    images, gone = look_for_images(key, record)
    reviews = Store().reviews_of(key)
    try:
        config_of(record)
        ordered = ranked(record)
        small = summary_or_none(record, ordered[0].label) if ordered else None
        trigger = small.trigger if small else None
        show_card(key, record, reviews, trigger, images)
        if ordered:
            show_reasons(record, ordered[0], trigger, images)
        _show_facts(record)
        _show_classes(key, record, ordered)
    except StoreError as error:
        show_card(key, record, reviews, None, images)
        _show_facts(record)
        st.text(str(error))
    _, lost = find_featured(record, summary_of)
    if missing := say_missing(gone, lost):
        st.caption(f"In the report: {missing[:1].lower()}{missing[1:]}")


def _show_facts(record: ScanRecord) -> None:
    model = record.model
    with facts():
        fact("Suspect", model.called)
        fact("Architecture", model.architecture)
        fact("Images", say_images(record))
        fact("Accuracy", f"{model.accuracy:.1%}", tip="Share of held-out images classified as they are labelled.")
        fact(
            "Robust up to",
            robust_up_to(model),
            tip="L2 norm of a change, made to mislead the model, that halves its accuracy.",
        )
        verdict = verdict_settings(record)
        known = verdict.reference_models if verdict else ()
        fact(
            "References",
            count_of(len(known), "model") if known else "none",
            tip="Benign models of the same data, which show what weak spots are natural for it. Scan makes them for "
            "your own images.",
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
    for i in range(0, len(shown), COLUMNS):
        for column, one in zip(st.columns(COLUMNS), shown[i : i + COLUMNS]):
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
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            target = {"scan": key, "class": str(one.label)}
            st.page_link(INSPECT, label="Inspect", icon=":material/search:", width="content", query_params=target)
            if one.flagged:
                st.badge("Flagged", icon=":material/warning:", color="red")
