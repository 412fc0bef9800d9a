"""The Scan page, as its address asks for: the settings of a new scan, a running one, or a result."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.errors import AegisError, StoreError
from aegis.core.text import count_of, numbered
from aegis.records.config import ScanConfig
from aegis.records.fitting import verdict_settings
from aegis.records.ranking import best_score, ranked
from aegis.records.record import ClassRecord, ScanRecord, config_of
from aegis.records.wording import robust_up_to
from aegis.services.report_inputs import find_featured, say_missing
from aegis.store.store import Store
from aegis.ui.components.evidence import show_reasons
from aegis.ui.components.live import say_queued, show_job, show_measured, show_measuring
from aegis.ui.components.palette import palette
from aegis.ui.components.running import show_running
from aegis.ui.components.svg import small_scatter
from aegis.ui.components.widgets import INSPECT, complain, fact, facts, say_images, title_of_chosen
from aegis.ui.order import ChosenImages, ChosenSuspect, Settings, check, fingerprint, place
from aegis.ui.scan.first_look import show_first_look
from aegis.ui.scan.images import choose_images
from aegis.ui.scan.references import choose_references, making_of, show_addressed
from aegis.ui.scan.settings import choose_settings
from aegis.ui.scan.suspect import choose_suspect
from aegis.ui.scan.verdict import show_card
from aegis.ui.scans import summary_of, summary_or_none
from aegis.ui.session import ScanJob, find_job, look_for_images, open_scan, server_state, start
from aegis.ui.watch import PlannedScan, Watch, seconds, spoken

if TYPE_CHECKING:
    from aegis.services.normalisation import FirstLook

# What is assumed of images before they are read; only the range of settings depends on it.
SHAPE = (1, 28, 28)
COLUMNS = 5
# Ends of keys in the session that are no settings.
NOT_ASKED = ("_file", "_kept", "_remove", "_of")
# Classes drawn at once; the others follow at a click.
PAGE = 20
_STYLE = """<style>
[class*="st-key-small-"] [data-testid="stText"] { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
</style>"""


def scan_page() -> None:
    """Shows what the address asks for: a running job, a finished scan, or the settings of a new one."""
    heading = st.container(horizontal=True, vertical_alignment="center")
    heading.title("Scan", anchor=False)
    try:
        if "job" in st.query_params:
            _show_job(st.query_params["job"], heading)
        elif "scan" in st.query_params:
            _show_scan(st.query_params["scan"], heading)
        else:
            _show_setup()
    except AegisError as error:
        complain(str(error), "Not possible")


def _show_job(id: str, heading: DeltaGenerator) -> None:
    job = find_job(id)
    if job is None:
        _lost(
            "This scan is not known here.",
            "The server was started anew, or the link is incomplete. Finished scans are in History.",
        )
        return
    if job.state == "done" and job.result and job.result.key and job.result.record:
        # From now on the address names the result, which outlives this server.
        st.query_params.from_dict({"scan": job.result.key})
        _show_scan(job.result.key, heading)
        return
    show_job(job, partial(_return_to, job))


def _return_to(job: ScanJob) -> None:
    """Leaves a job for the settings that it was started with, which a reload has made the page forget."""
    st.query_params.clear()
    if isinstance(job.watch, Watch):
        st.session_state.update(job.watch.asked)


def _asked() -> dict[str, object]:
    """What the widgets of the settings say; files cannot be set again, and buttons must not."""
    said = {str(name): value for name, value in st.session_state.items() if str(name).startswith("scan_")}
    return {name: value for name, value in said.items() if not name.endswith(NOT_ASKED)}


def _show_scan(key: str, heading: DeltaGenerator) -> None:
    record = open_scan(key)
    if record is None:
        _lost("There is no such scan.", "The store was emptied, or the link is incomplete.")
        return
    heading.button("New scan", icon=":material/add:", on_click=st.query_params.clear)
    show_result(key, record)


def _lost(what: str, why: str) -> None:
    with st.container(border=True):
        st.markdown(f"**{what}** {why}")
    st.button("Set up a scan", icon=":material/add:", type="primary", on_click=st.query_params.clear)


def _show_setup() -> None:
    top = st.container()
    left, right = st.columns([1, 1], gap="large")
    with left:
        suspect = choose_suspect()
        images = choose_images(suspect) if suspect else None
    identity, summary = suspect.identity if suspect else None, images.summary if images else None
    known = identity or summary
    data, shape = identity.data if identity else None, known.shape if known else SHAPE
    with right:
        settings = choose_settings(data, shape, known.class_names if known else None)
        # Settings out of range are reported here rather than by the job.
        config = settings.config(data, shape)
        compares = config.verdict.rule != "paper"
        if images is not None and compares:
            settings = replace(settings, references=choose_references(images))
        _show_others(top, images if compares else None)
        if suspect is None or images is None:
            st.caption(f"Choose {'a suspect' if suspect is None else 'images'} to go on.")
            return
        problem, look = _try(suspect, images, settings)
        if problem:
            complain(problem, "Cannot be scanned")
        if look is not None:
            show_first_look(look)
        is_ready = not problem and (look is None or look.better is None)
        _show_start(suspect, images, settings, config, is_ready)
    if is_ready:
        _show_measuring(suspect, images, settings)


def _show_others(top: DeltaGenerator, images: ChosenImages | None) -> None:
    """Shows, above the settings, jobs of this session and the one that the address names."""
    here = making_of(images)
    with top:
        named = show_addressed(here)
        show_running({named, here.id if here else ""})


def _try(suspect: ChosenSuspect, images: ChosenImages, settings: Settings) -> tuple[str, FirstLook | None]:
    """Says why a scan of these cannot run, and how right the model is about a few images, as far as either is known."""
    chosen = (settings.preset, sorted(settings.changes.items()), settings.labels)
    return _check((*fingerprint(suspect, images), repr(chosen)), suspect, images, settings)


@st.cache_data(max_entries=64, show_spinner="Trying the model on a few of the images")
def _check(
    chosen: tuple[str, ...], _suspect: ChosenSuspect, _images: ChosenImages, _settings: Settings
) -> tuple[str, FirstLook | None]:
    try:
        return "", check(_suspect, _images, _settings)
    except StoreError:
        # A full disk says nothing of what was chosen, and must not be remembered for it.
        raise
    except AegisError as error:
        return str(error), None


def _show_start(
    suspect: ChosenSuspect, images: ChosenImages, settings: Settings, config: ScanConfig, is_ready: bool
) -> None:
    pressed = st.button(
        "Start", type="primary", icon=":material/play_arrow:", width="stretch", disabled=not is_ready, key="scan-start"
    )
    # It may have been pressed while another choice was still being checked.
    if pressed and is_ready:
        what = {"Suspect": suspect.title, "Images": title_of_chosen(images), "Preset": settings.preset}
        job = start(place(suspect, images, settings, measure_only=False), _asked(), what)
        st.query_params.from_dict({"job": job.id})
        st.rerun()
    if is_ready:
        st.caption(
            _say_expected(suspect, images, settings, config)
            + " What was computed before is found again and not repeated."
        )


def _say_expected(suspect: ChosenSuspect, images: ChosenImages, settings: Settings, config: ScanConfig) -> str:
    """Says how long the scan is likely to take, and what it waits for."""
    known, architecture = suspect.identity or images.summary, suspect.named
    expected = "Its time shows once the images are read."
    if known is not None and architecture is not None:
        classes = len(known.class_names)
        task = PlannedScan(
            architecture=architecture,
            shape=known.shape,
            classes=classes,
            chosen=len(settings.labels) if settings.labels else classes,
            config=config,
            is_measured=fingerprint(suspect, images) in server_state().upload_cache.measured,
        )
        span = seconds(task, [record for _, record in Store().scans()])
        # Without an earlier scan of the kind, only the pace of the running one can tell.
        expected = f"Takes {'minutes, with large models hours' if span is None else spoken(span)}."
    waiting = server_state().jobs.waiting
    return f"{expected} {say_queued(waiting)}" if waiting else expected


def _show_measuring(suspect: ChosenSuspect, images: ChosenImages, settings: Settings) -> None:
    st.header(
        "Accuracy and robustness",
        anchor=False,
        help="Whether the method applies: it needs a model that is right on these images and adversarially robust.",
    )
    mark = fingerprint(suspect, images)
    measured = server_state().upload_cache.measured.get(mark)
    if measured is not None:
        show_measured(measured)
        return
    id = st.session_state.get("measuring", {}).get(mark)
    job = find_job(id) if id else None
    if job is not None and not job.over:
        show_measuring(job)
        return
    if job is not None and job.state == "failed":
        complain(job.message, "Failed")
    text, button = st.columns([4, 1], vertical_alignment="center")
    text.caption("Not measured yet. A scan does it first; measure now to know beforehand whether a scan makes sense.")
    if button.button("Measure now", icon=":material/speed:", width="stretch"):
        job = start(place(suspect, images, settings, measure_only=True))
        st.session_state.setdefault("measuring", {})[mark] = job.id
        st.rerun()


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
        if one.flagged:
            st.badge("Flagged", icon=":material/warning:", color="red")
        target = {"scan": key, "class": str(one.label)}
        st.page_link(INSPECT, label="Inspect", icon=":material/search:", query_params=target)
