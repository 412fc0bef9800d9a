"""The Home page: what AEGIS is, the available suspects, recent scans, and how to start."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.text import printable
from aegis.records.review import say_decisions
from aegis.store.store import Store
from aegis.ui.components.running import show_running
from aegis.ui.components.widgets import (
    HISTORY,
    LOGO,
    SCAN,
    complain,
    examined,
    picture_of,
    say_flagged,
    say_images,
)
from aegis.ui.session import recent_scans, verdict_badge, when
from aegis.ui.suspects import ListedSuspect, command_for, list_suspects, suspects_folder

COLUMNS = [16, 7, 8, 8, 8]
SHOWN = 8
PYTHON = """\
import aegis

path = "assets/models/fashion_mnist_localised.safetensors"
suspect = aegis.load_checkpoint(path)
data = aegis.load_dataset("samples:fashion_mnist")
result = aegis.scan(suspect, data)
print(result.sentence)
"""


def home_page() -> None:
    """Shows the page below its frame."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.image(str(LOGO), width=72, alt="")
        with st.container(gap=None):
            st.title("AEGIS", anchor=False)
            st.markdown(
                "AEGIS tells whether an adversarially robust image classifier hides a backdoor, and in which class. "
                "It lets the model turn images into each class, groups the results by their features, and tries what "
                "changed as a trigger on images the search never saw."
            )
    show_running()
    st.header("Suspects", anchor=False)
    folder = suspects_folder()
    paths = list_suspects(folder)
    if paths:
        st.markdown("Checkpoints at hand. Each is clean or hides a backdoor; a scan finds out which.")
        with st.container(border=True, gap="small", key="card-suspects"):
            for path in paths:
                _show_suspect(examined(path))
    else:
        with st.container(border=True, key="empty"):
            st.markdown("**No suspects here.** AEGIS looks for `*.safetensors` files in this folder:")
            st.code(str(folder), language=None)
            st.markdown(
                "Train one with `aegis train`, put a checkpoint there, or set `AEGIS_SUSPECTS` to a folder that has "
                "some. Then reload the page."
            )
    st.header("Recent scans", anchor=False)
    _show_recent()
    st.header("How to start", anchor=False)
    shell, python = st.columns([2, 3])
    with shell:
        st.markdown("**Scan from the command line:** in the project's folder")
        command = command_for(paths[0]) if paths else "aegis scan --help"
        st.code(f"source .venv/bin/activate\n{command}", language="bash", wrap_lines=True)
    with python:
        st.markdown("**Scan from Python:**")
        st.code(PYTHON, language="python", wrap_lines=True)


def _show_suspect(suspect: ListedSuspect) -> None:
    if suspect.problem:
        file, badge, problem = st.columns([15, 7, 29], vertical_alignment="center")
        file.text(printable(suspect.path.name, 120))
        badge.badge("Cannot be read", icon=":material/error:", color="red")
        problem.text(suspect.problem)
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    with row.container():
        file, architecture, data, images, classes = st.columns(COLUMNS, vertical_alignment="center")
    identity, tip = suspect.identity, f"SHA-256 {suspect.sha256}, {suspect.size / 1e6:.2f} MB"
    with file.container(gap=None):
        st.text(printable(suspect.path.name, 120))
        if identity is not None and identity.name is not None:
            st.text(identity.name)
    if identity is None:
        architecture.badge("No card", icon=":material/help:", color="gray")
        data.text("SHA-256", help=tip)
    else:
        architecture.text(printable(identity.architecture, 60))
        data.text(printable(identity.data or "not said", 60))
        images.text(picture_of(identity))
        classes.text(f"{len(identity.class_names):,} classes", help=tip)
    row.page_link(SCAN, label="Scan", width="content", query_params={"suspect": suspect.path.name})


def _show_recent() -> None:
    try:
        scans, reviews = recent_scans(SHOWN), Store().reviews()
    except AegisError as error:
        complain(str(error), "Not possible")
        return
    if not scans:
        st.caption("None yet. Choose Scan on a suspect above; its verdict is kept here.")
        return
    with st.container(border=True, gap="small", key="card-recent"):
        for key, record in scans.items():
            row = st.container(horizontal=True, vertical_alignment="center")
            with row.container():
                verdict, file, flagged, data, date = st.columns([6, 12, 7, 9, 8], vertical_alignment="center")
            with verdict:
                verdict_badge(record)
            file.text(printable(record.model.file, 60))
            with flagged.container(gap=None):
                st.text(say_flagged(record))
                if stands := say_decisions(record, reviews.get(key, ())):
                    st.text(stands)
            data.text(say_images(record))
            date.text(when(record.created))
            row.page_link(SCAN, label="Open", width="content", query_params={"scan": key})
    st.page_link(HISTORY, label="All scans", icon=":material/history:")
