"""The Scan page when a scan is done: the verdict, the trigger, every class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float32

from aegis.detect.config import ScanConfig
from aegis.detect.record import ClassRecord, ScanRecord, config_of
from aegis.detect.verdict import describe, strongest
from aegis.dossier import find_featured, say_missing
from aegis.errors import AegisError, StoreError
from aegis.models.card import printable
from aegis.store import Store, find_class
from aegis.types import Dataset, Transplant
from aegis.ui.palette import palette
from aegis.ui.scan_charts import small_scatter
from aegis.ui.scan_pictures import as_picture, honest_image, png, stamped, trigger_picture
from aegis.ui.scan_review import show_review
from aegis.ui.scan_session import look_for_images, verdict_badge, when
from aegis.ui.scans import identity
from aegis.ui.uploads import UPLOADED
from aegis.ui.widgets import INSPECT, fact, facts

COLUMNS = 5
# Classes drawn at once; the others follow at a click.
PAGE = 20
_STYLE = """<style>
.st-key-verdict [data-testid="stText"] { font-size: 1.25rem; line-height: 1.4; font-weight: 600; text-wrap: pretty; }
[class*="st-key-small-"] [data-testid="stText"] { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.aegis-trigger { display: flex; gap: .75rem; align-items: center; }
.aegis-trigger figure { margin: 0; flex: 0 1 10rem; } .aegis-trigger img { image-rendering: pixelated;
  border-radius: .375rem; width: 100%; display: block;
  border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.aegis-trigger figcaption { font-size: .875rem; opacity: .75; padding-top: .25rem; }
.aegis-trigger b { font-size: 1.75rem; font-weight: 400; opacity: .6; padding-bottom: 1.5rem; }
</style>"""


@dataclass(frozen=True, eq=False)
class Small:
    """What a class looks like at a glance: its last plane, and the trigger that speaks loudest against it."""

    points: Float32[np.ndarray, "p 2"]
    is_translated: Bool[np.ndarray, " p"]
    trigger: Transplant | None


def show_result(key: str, record: ScanRecord) -> None:
    """All that a finished scan found.

    Args:
        key: of the scan in the store.
        record: what was concluded.
    """
    st.html(_STYLE)
    _show_verdict(record)
    images, gone = look_for_images(key, record)
    try:
        config = config_of(record)
        ranked = sorted(record.classes, key=lambda one: (not one.suspicious, -loudness(one, config)))
        if ranked:
            _show_evidence(key, record, config, ranked[0], images)
        _show_classes(key, record, ranked)
    except StoreError as error:
        st.text(str(error))
    at_hand, lost = find_featured(record, _glance)
    show_review(key, record, images, tuple(at_hand), say_missing(gone, lost))


def loudness(one: ClassRecord, config: ScanConfig) -> float:
    """How close a class comes to being accused: 1 where the rule begins to accuse."""
    rule = config.verdict
    if rule.rule == "paper":
        return one.clusters / 3
    needed = {"patch": rule.patch, "perturbation": rule.perturbation}
    loudest = 0.0
    for candidate in one.transplants:
        rates = [rate for rate in candidate.flip_rates if rate is not None]
        if rates:
            loudest = max(loudest, float(np.quantile(rates, 1 - rule.share)) / needed[candidate.family])
    return loudest


def _show_verdict(record: ScanRecord) -> None:
    with st.container(border=True, key="verdict"):
        with st.container(horizontal=True, vertical_alignment="center"):
            verdict_badge(record)
            st.caption(f"scanned {when(record)}")
        st.text(record.sentence)
    model, data = record.model, record.data
    with facts():
        fact("Suspect", model.file)
        fact("Architecture", model.architecture)
        fact("Images", data.name)
        fact("Accuracy", f"{model.accuracy:.1%}", tip="Share of held-out images classified as they are labelled.")
        fact(
            "Robust up to",
            f"{model.half_radius:.2f}",
            tip="L2 norm of a change, made to mislead the model, that halves its accuracy.",
        )
        fact("SHA-256", f"{model.sha256[:16]}…", tip=model.sha256)


def _show_evidence(key: str, record: ScanRecord, config: ScanConfig, one: ClassRecord, images: Dataset | None) -> None:
    accused = one.suspicious
    st.header("The trigger" if accused else "The strongest class", anchor=False)
    if not accused:
        with st.container(gap=None):
            st.text(f"{one.label} {one.name}: {one.reason}.")
        st.caption(
            "It comes closest to being accused. What is done to any image of a robust model moves some of them; a "
            "backdoor moves nearly all, from nearly every class, with the same small change."
        )
    small = _small(record, one.label)
    trigger = small.trigger if small else None
    shown = honest_image(images.test, trigger) if images and trigger else None
    if trigger is None or shown is None:
        if images is None:
            st.caption(
                "The images of this scan were uploaded and are gone: upload them again to see pictures."
                if record.data.name.startswith(UPLOADED)
                else "The images of this scan are no longer at hand, or have changed since."
            )
        elif not one.transplants:
            st.caption("With these settings no trigger was tried on other images.")
        return
    image, label = shown
    rate = float(trigger.flip_rates[label])
    source = record.data.class_names[label]
    pictures, words = st.columns([3, 2], vertical_alignment="center")
    with pictures:
        st.html(
            '<div class="aegis-trigger">'
            + _figure(image, "An honest image")
            + "<b>+</b>"
            + _figure(trigger_picture(trigger), "The trigger found" if accused else "The best candidate")
            + "<b>=</b>"
            + _figure(stamped(image, trigger.stamp), "With it")
            + "</div>"
        )
    with words:
        with st.container(horizontal=True, gap="large"):
            st.metric(
                "Flip rate",
                f"{trigger.flip_rate:.0%}",
                help="Share of held-out images of the other classes that the model calls the class under test "
                "once the trigger lies on them, averaged over classes.",
                width="content",
            )
            st.metric("From this class", f"{rate:.0%}", width="content")
        st.text(
            f"{describe(trigger)[0].upper()}{describe(trigger)[1:]}. With it, {rate:.0%} of "
            f"{int(trigger.counts[label])} held-out images of class {label} ({printable(source, 40)}) are taken for "
            f"class {one.label} ({printable(one.name, 40)})."
        )


def _figure(image: np.ndarray, caption: str) -> str:
    return (
        f'<figure><img src="{png(as_picture(image, 160))}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'
    )


def _show_classes(key: str, record: ScanRecord, ranked: list[ClassRecord]) -> None:
    st.header(
        "Every class",
        anchor=False,
        help="Each point is an image, drawn by the features that the model sees in it. Clusters are those that mean "
        "shift finds among them; flips is the share of other classes' held-out images that the best trigger turns "
        "into the class.",
    )
    st.caption(
        "Training images of the class (open, grey) and images of other classes that were translated into it (filled). "
        "Classes that are accused come first, then those that come closest to it."
    )
    pages = -(-len(ranked) // PAGE)
    page = 0
    if pages > 1:
        page = st.pagination(pages, key="page") - 1
    shown = ranked[page * PAGE :][:PAGE]
    for start in range(0, len(shown), COLUMNS):
        for column, one in zip(st.columns(COLUMNS), shown[start : start + COLUMNS]):
            with column:
                _show_small(key, record, one)


def _show_small(key: str, record: ScanRecord, one: ClassRecord) -> None:
    with st.container(border=True, key=f"small-{one.label}", gap="xsmall", height="stretch"):
        st.text(f"{one.label} {one.name}")
        small = _small(record, one.label)
        if small is not None:
            moved = int(small.is_translated.sum())
            described = (
                f"Class {one.label}: {len(small.points) - moved} training images and {moved} translated ones in "
                f"{one.clusters} clusters"
            )
            colours = palette(st.context.theme.type)
            st.html(small_scatter(small.points, small.is_translated, one.suspicious, described, colours))
        clusters = f"{one.clusters} cluster{'s' if one.clusters != 1 else ''}"
        best = max((t.flip_rate for t in one.transplants), default=None)
        st.caption(clusters if best is None else f"{clusters}, flips {best:.0%}")
        if one.suspicious:
            st.badge("Suspicious", icon=":material/warning:", color="red")
        target = {"scan": key, "class": str(one.label)}
        st.page_link(INSPECT, label="Inspect", icon=":material/search:", query_params=target)


def _small(record: ScanRecord, label: int) -> Small | None:
    try:
        return _glance(record, label)
    except AegisError:
        return None


def _glance(record: ScanRecord, label: int) -> Small | None:
    try:
        return _read_small(str(Store().folder), identity(record), label, record)
    except _Lost:
        return None


@st.cache_resource(max_entries=256, show_spinner=False)
def _read_small(folder: str, identity: str, label: int, _record: ScanRecord) -> Small:
    finding = find_class(Store(Path(folder)), _record, label)
    # An exception is not kept: another scan may bring back what is missing.
    if finding is None:
        raise _Lost
    last = finding.embeddings[-1]
    return Small(last.points, last.is_translated, strongest(finding, config_of(_record).verdict))


class _Lost(Exception):
    """The store no longer has a class."""
