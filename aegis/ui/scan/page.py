"""The Scan page, as its address asks for: the settings of a new scan, a running one, or a result."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.errors import AegisError, StoreError
from aegis.core.runtime import choose_runtime
from aegis.core.text import spoken
from aegis.records.config import ScanConfig
from aegis.store.store import Store
from aegis.ui.components.live import say_queued, show_job, show_measured, show_measuring
from aegis.ui.components.running import show_running
from aegis.ui.components.widgets import complain, title_of_chosen
from aegis.ui.order import ChosenImages, ChosenSuspect, Settings, fingerprint, place
from aegis.ui.preflight import check_settings, try_model
from aegis.ui.scan.first_look import show_first_look
from aegis.ui.scan.images import choose_images
from aegis.ui.scan.references import choose_references, making_of, show_addressed
from aegis.ui.scan.result import show_result
from aegis.ui.scan.settings import choose_settings
from aegis.ui.scan.suspect import choose_suspect
from aegis.ui.session import ScanJob, find_job, open_scan, server_state, start
from aegis.ui.watch import PlannedScan, Watch, computed_on, seconds

if TYPE_CHECKING:
    from aegis.services.normalisation import FirstLook

# What is assumed of images before they are read; only the range of settings depends on it.
SHAPE = (1, 28, 28)
# Ends of keys in the session that are no settings.
NOT_ASKED = ("_file", "_kept", "_remove", "_of")


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
    problem, look = _try_model(fingerprint(suspect, images), suspect, images)
    try:
        if not problem:
            check_settings(images, settings)
    except AegisError as error:
        problem, look = str(error), None
    return problem, look


# The settings are no part of it, since the model is the same with others.
@st.cache_data(max_entries=64, show_spinner="Trying the model on a few of the images")
def _try_model(chosen: tuple[str, ...], _suspect: ChosenSuspect, _images: ChosenImages) -> tuple[str, FirstLook | None]:
    try:
        return "", try_model(_suspect, _images)
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
        what |= [computed_on(choose_runtime())]
        job = start(place(suspect, images, settings, measure_only=False), _asked(), what)
        st.query_params.from_dict({"job": job.id})
        st.rerun()
    if is_ready:
        where = choose_runtime()
        st.caption(
            f"{_say_expected(suspect, images, settings, config)} What was computed before is found again and not "
            f"repeated. Computed on this machine's {'GPU' if where.device == 'cuda' else 'processor'}, in "
            f"{where.precision}."
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
