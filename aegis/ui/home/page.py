"""The Home page: how to begin, what runs and ran, and the suspects at hand."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.text import printable
from aegis.records.record import ScanRecord
from aegis.records.review import say_decisions
from aegis.store.store import Store
from aegis.ui.components.running import show_running
from aegis.ui.components.widgets import HISTORY, SCAN, complain, examined, say_flagged, say_images
from aegis.ui.home.example import show_top
from aegis.ui.home.suspects import show_suspects
from aegis.ui.session import RECENT, recent_scans, verdict_badge, when
from aegis.ui.suspects import all_suspects, command_for, neutral_names, suspects_folder

SHOWN = 5
_STYLE = """<style>
.st-key-home-actions a { border: 1px solid light-dark(#0b62a8, #5ab4f0); border-radius: .5rem;
  padding: .375rem .875rem; }
.st-key-home-actions a p, .st-key-home-actions a span { color: light-dark(#0b62a8, #5ab4f0); font-weight: 600; }
.st-key-home-actions > :first-child a { background: light-dark(#0b62a8, #5ab4f0); }
.st-key-home-actions > :first-child a:hover { background: light-dark(#084a80, #7cc4f4); }
.st-key-home-actions > :first-child :is(p, span) { color: light-dark(#fff, #0f1722); }
.st-key-home-example .aegis-trigger { justify-content: center; }
.st-key-home-example .aegis-trigger figure { flex: 1 1 0; min-width: 0; max-width: 7rem; }
.st-key-home-example .aegis-trigger figcaption { white-space: normal; }
</style>"""
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
    st.html(_STYLE)
    folder = suspects_folder()
    paths = all_suspects()
    suspects = [examined(path) for path in paths]
    show_top([one.path.name for one in suspects if not one.problem])
    st.header("Scans", anchor=False)
    show_running()
    names = neutral_names(suspects)
    scans = _show_recent({one.sha256: names[one.path] for one in suspects})
    st.header("Suspects", anchor=False)
    show_suspects(suspects, names, scans, folder)
    st.header("How to start", anchor=False)
    shell, python = st.columns([2, 3])
    with shell:
        st.markdown("**Scan from the command line:** in the project's folder")
        command = command_for(paths[0]) if paths else "aegis scan --help"
        st.code(f"source .venv/bin/activate\n{command}", language="bash", wrap_lines=True)
    with python:
        st.markdown("**Scan from Python:**")
        st.code(PYTHON, language="python", wrap_lines=True)


def _show_recent(names: Mapping[str, str]) -> Mapping[str, ScanRecord]:
    """Shows the latest scans, of suspects with these names by digest; all of them by key, the newest first."""
    try:
        scans, reviews = recent_scans(RECENT), Store().reviews()
    except AegisError as error:
        complain(str(error), "Not possible")
        return {}
    if not scans:
        st.caption("None yet. Choose Scan on a suspect below; its verdict is kept here.")
        return scans
    with st.container(border=True, gap="small", key="card-recent"):
        for key, record in islice(scans.items(), SHOWN):
            row = st.container(horizontal=True, vertical_alignment="center")
            with row.container():
                verdict, file, flagged, data, date = st.columns([6, 12, 7, 9, 8], vertical_alignment="center")
            with verdict:
                verdict_badge(record)
            file.text(names.get(record.model.sha256) or printable(record.model.file, 60))
            with flagged.container(gap=None):
                st.text(say_flagged(record))
                if stands := say_decisions(record, reviews.get(key, ())):
                    st.text(stands)
            data.text(say_images(record))
            date.text(when(record.created))
            row.page_link(SCAN, label="Open", width="content", query_params={"scan": key})
    st.page_link(HISTORY, label="All scans", icon=":material/history:")
    return scans
