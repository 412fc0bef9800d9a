"""The Baselines page: AEGIS and other detectors on the same suspect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from aegis.baselines.catalogue import BASELINES
from aegis.core.errors import AegisError
from aegis.core.text import numbered
from aegis.records.detectors import DetectorRecord, aegis_record, say_agreement
from aegis.records.ranking import ranked
from aegis.records.record import ScanRecord
from aegis.store.cached_detectors import Detection
from aegis.ui.baselines.pictures import draw_bars, figures, reversed_trigger
from aegis.ui.baselines.work import Told, find_all, records_of, run_missing
from aegis.ui.components.palette import palette
from aegis.ui.components.pictures import trigger_picture
from aegis.ui.components.running import offer_cancel
from aegis.ui.components.widgets import SCAN, complain, scan_title
from aegis.ui.jobs import Job
from aegis.ui.scans import summary_or_none
from aegis.ui.session import open_scan, recent_scans, server_state, verdict_badge

SCAN_KEY, CLASS_KEY, JOB = "baselines-scan", "baselines-class", "baselines-job"
RECENT = 50
EVERY = 1.0
_STYLE = """<style>
.st-key-agreement [data-testid="stText"] { font-size: 1.125rem; line-height: 1.4; font-weight: 600; }
.aegis-bars { width: 100%; display: block; }
.aegis-rivals { display: flex; gap: 1.25rem; flex-wrap: wrap; }
.aegis-rivals figure { margin: 0; width: 10rem; } .aegis-rivals img { image-rendering: pixelated; width: 100%;
  border-radius: .375rem; display: block; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
.aegis-rivals figcaption { font-size: .875rem; opacity: .8; padding-top: .25rem; }
</style>"""


def baselines_page() -> None:
    """Shows the page below its frame."""
    st.title("Baselines", anchor=False)
    try:
        _show()
    except AegisError as error:
        complain(str(error), "Not possible")


def _show() -> None:
    chosen = _choose()
    if chosen is None:
        return
    key, record = chosen
    found, job = find_all(record), _running(key)
    st.html(_STYLE)
    if job is not None and not job.over:
        _show_progress(job)
    elif missing := tuple(name for name in BASELINES if name not in found):
        _show_start(key, record, missing, job)
    detectors = [*records_of(record, found), aegis_record(record)]
    if found:
        with st.container(border=True, key="agreement"):
            st.text(say_agreement(detectors, record.data.class_names))
    _show_detectors(record, detectors)
    _show_triggers(record, found)


def _choose() -> tuple[str, ScanRecord] | None:
    scans = recent_scans(RECENT)
    wanted = st.query_params.get("scan")
    if wanted and wanted not in scans and (opened := open_scan(wanted)) is not None:
        scans = {wanted: opened, **scans}
    if not scans:
        with st.container(border=True):
            st.markdown("**No scans yet.** Other detectors are compared with AEGIS on a model that it has scanned.")
            st.page_link(SCAN, label="Scan", icon=":material/radar:")
        return None
    keys = list(scans)
    key = st.selectbox(
        "Scan",
        keys,
        index=keys.index(wanted) if wanted in scans else 0,
        format_func=lambda key: scan_title(scans[key]),
        key=SCAN_KEY,
    )
    return key, scans[key]


def _running(key: str) -> Job[object] | None:
    job = server_state().looks.find(st.session_state.get(JOB, ""))
    return job if job is not None and isinstance(job.watch, Told) and job.watch.scan == key else None


def _show_start(key: str, record: ScanRecord, missing: tuple[str, ...], job: Job[object] | None) -> None:
    if job is not None and job.state == "failed":
        complain(job.message, "Not possible")
    titles = ", ".join(BASELINES[name].title for name in missing)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Run the other detectors",
            icon=":material/play_arrow:",
            type="primary",
            key="baselines-run",
            on_click=partial(_start, key, record, missing),
        )
        st.caption(f"{titles}: some minutes on a processor, once for this model and these images.")


def _start(key: str, record: ScanRecord, missing: tuple[str, ...]) -> None:
    told = Told(key, missing)
    st.session_state[JOB] = server_state().looks.start(partial(run_missing, key, record, told), told).id


@st.fragment(run_every=EVERY)
def _show_progress(job: Job[object]) -> None:
    if job.over:
        st.rerun()
    told = job.watch
    assert isinstance(told, Told)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="card-progress"):
        st.progress(told.whole, text=told.running or "Waiting for what was started before")
        offer_cancel(st.container(width="content"), job, server_state().looks, "baselines-cancel", width="content")


def _show_detectors(record: ScanRecord, detectors: list[DetectorRecord]) -> None:
    colours = palette(st.context.theme.type)
    for first in range(0, len(detectors), 2):
        for column, one in zip(st.columns(2), detectors[first : first + 2]):
            with column.container(border=True, key=f"card-detector-{one.name}", height="stretch"):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(f"**{one.title}**")
                    verdict_badge(one)
                st.caption(_said(one, record.data.class_names))
                st.html(draw_bars(one, record.data.class_names, colours))


def _said(one: DetectorRecord, names: tuple[str, ...]) -> str:
    """The strongest value, the threshold, and the time, in one line; names of classes stand in bars and above."""
    limit = "above" if one.measure == "anomaly index" else "at most"
    value = "" if one.value is None else f"{one.measure} {one.value:.2g} (flags {limit} {one.cut:g}), "
    bars = "anomaly index" if one.measure == "anomaly index" else one.statistic
    said = f"{value}{one.seconds:.0f} s. Bars: {bars}."
    return said[0].upper() + said[1:]


def _show_triggers(record: ScanRecord, found: Mapping[str, Detection]) -> None:
    if not record.classes or not found:
        return
    st.header("The same class, as each sees it", anchor=False)
    names = record.data.class_names
    first = ranked(record)[0].label
    label = st.selectbox(
        "Class",
        range(len(names)),
        index=first,
        format_func=lambda label: numbered(label, names[label]),
        key=f"{CLASS_KEY}-{record.model.digest[:12]}",
    )
    summary = summary_or_none(record, label) if any(one.label == label for one in record.classes) else None
    pictures = []
    if summary is not None and summary.trigger is not None:
        pictures.append(("AEGIS: best candidate trigger", trigger_picture(summary.trigger)))
    for name, one in found.items():
        pictures.append((_caption(name, one, label), reversed_trigger(one.result, label)))
    st.html(figures(pictures))


def _caption(name: str, one: Detection, label: int) -> str:
    what = {
        "nc": f"mask of {one.result.scores[label]:.1f} pixels",
        "nc-pgd": "mean changed image, where it changed most",
        "mmbd": "image of the largest margin",
    }
    return f"{BASELINES[name].title}: {what[name]}"
