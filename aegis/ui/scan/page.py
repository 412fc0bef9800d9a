"""The Scan page, as its address asks for."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.errors import AegisError
from aegis.records.config import ScanConfig
from aegis.store.store import Store
from aegis.ui.components.live import show_job, show_measured, show_measuring
from aegis.ui.components.recent import show_running
from aegis.ui.components.widgets import complain
from aegis.ui.estimate import PlannedScan, seconds, spoken
from aegis.ui.order import ChosenImages, ChosenSuspect, Settings, fingerprint, place
from aegis.ui.scan.result import show_result
from aegis.ui.scan.settings import choose_settings
from aegis.ui.scan.setup import choose_images, choose_suspect
from aegis.ui.session import find_job, open_scan, server_state, start

# What is assumed of images before they are read; only the range of settings depends on it.
SHAPE = (1, 28, 28)


def scan_page() -> None:
    """Show what the address asks for: a running job, a finished scan, or the settings of a new one."""
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
    show_job(job)


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
    show_running()
    left, right = st.columns([1, 1], gap="large")
    with left:
        suspect = choose_suspect()
        images = choose_images(suspect) if suspect else None
    identity = suspect.identity if suspect else None
    with right:
        settings = choose_settings(
            identity.data if identity else None,
            identity.shape if identity else SHAPE,
            identity.class_names if identity else None,
        )
        # Settings out of range are reported here rather than by the job.
        config = settings.config(identity.data if identity else None, identity.shape if identity else SHAPE)
        if suspect is None or images is None:
            st.caption("Choose a suspect and images to go on.")
            return
        _show_start(suspect, images, settings, config)
    _show_measuring(suspect, images, settings)


def _show_start(suspect: ChosenSuspect, images: ChosenImages, settings: Settings, config: ScanConfig) -> None:
    measured = server_state().upload_cache.measured.get(fingerprint(suspect, images))
    identity = suspect.identity
    expected = "Its time shows once the images are read."
    if identity is not None:
        classes = len(identity.class_names)
        task = PlannedScan(
            architecture=suspect.architecture or identity.architecture,
            shape=identity.shape,
            classes=classes,
            chosen=len(settings.labels) if settings.labels else classes,
            config=config,
            is_measured=measured is not None,
        )
        span = seconds(task, [record for _, record in Store().scans()])
        # Without an earlier scan of the kind, only the pace of the running one can tell.
        known = "minutes, with large models hours" if span is None else spoken(span)
        expected = f"Takes {known}."
    waiting = server_state().jobs.waiting
    if waiting:
        expected += f" Queued behind {'one scan' if waiting == 1 else f'{waiting} scans'}."
    if st.button("Start", type="primary", icon=":material/play_arrow:", width="stretch"):
        job = start(place(suspect, images, settings, measure_only=False))
        st.query_params.from_dict({"job": job.id})
        st.rerun()
    st.caption(expected + " What was computed before is found again and not repeated.")


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
