"""The suspects at hand as a table, each with its last verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from aegis.core.text import printable
from aegis.data.catalogue import DATASETS
from aegis.records.record import ScanRecord
from aegis.ui.components.widgets import SCAN, picture_of
from aegis.ui.session import verdict_badge
from aegis.ui.suspects import ListedSuspect

HEADS = ("Suspect", "Architecture", "Images", "Classes", "Last verdict")
COLUMNS = [12, 8, 13, 5, 9, 5]
_STYLE = """<style>
/* A link is neither cut nor moved below its row, until on a phone all of them are. */
@media (min-width: 641px) {
  [class*="st-key-suspect-"] [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"]) { flex-wrap: nowrap; }
  [class*="st-key-suspect-"] [data-testid="stColumn"] { min-width: 0; }
  [class*="st-key-suspect-"] [data-testid="stColumn"]:last-child { flex: none; width: 4.5rem; }
}
@media (max-width: 640px) { .st-key-suspect-heads { display: none; } }
</style>"""


def show_suspects(
    suspects: Sequence[ListedSuspect], names: Mapping[Path, str], scans: Mapping[str, ScanRecord], folder: Path
) -> None:
    """Shows the suspects, or how to get some.

    Args:
        suspects: the checkpoints.
        names: what each is called.
        scans: records by key, the newest first.
        folder: where checkpoints are looked for.
    """
    if not suspects:
        _show_none(folder)
        return
    st.markdown("Checkpoints at hand. Each is clean or hides a backdoor; a scan finds out which.")
    last: dict[str, tuple[str, ScanRecord]] = {}
    for key, record in scans.items():
        last.setdefault(record.model.sha256, (key, record))
    with st.container(border=True, gap="xsmall", key="card-suspects"):
        st.html(_STYLE)
        with st.container(key="suspect-heads"):
            for place, head in zip(st.columns(COLUMNS), HEADS, strict=False):
                place.caption(head)
        for position, suspect in enumerate(sorted(suspects, key=lambda one: names[one.path])):
            with st.container(key=f"suspect-{position}"):
                _show_suspect(suspect, names[suspect.path], last.get(suspect.sha256))


def _show_suspect(suspect: ListedSuspect, name: str, last: tuple[str, ScanRecord] | None) -> None:
    if suspect.problem:
        file, badge, problem = st.columns([12, 8, 32], vertical_alignment="center")
        file.text(name)
        badge.badge("Cannot be read", icon=":material/error:", color="red")
        problem.text(suspect.problem)
        return
    file, architecture, images, classes, verdict, scan = st.columns(COLUMNS, vertical_alignment="center")
    identity = suspect.identity
    with file.container(gap=None):
        st.text(name, help=f"SHA-256 {suspect.sha256}, {suspect.size / 1e6:.2f} MB")
        if identity is not None and identity.name is not None:
            st.text(identity.name)
    if identity is None:
        architecture.badge("No card", icon=":material/help:", color="gray")
    else:
        architecture.text(printable(identity.architecture, 60))
        known = DATASETS.get(identity.data or "")
        data = known.title if known else printable(identity.data or "", 60)
        images.text(", ".join(filter(None, (data, picture_of(identity)))))
        classes.text(f"{len(identity.class_names):,}")
    with verdict:
        _show_last(last)
    scan.page_link(SCAN, label="Scan", width="content", query_params={"suspect": suspect.path.name})


def _show_last(last: tuple[str, ScanRecord] | None) -> None:
    if last is None:
        st.caption("Not scanned")
        return
    key, record = last
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        verdict_badge(record)
        st.page_link(SCAN, label="Open", width="content", query_params={"scan": key})


def _show_none(folder: Path) -> None:
    with st.container(border=True, key="empty"):
        st.markdown("**No suspects here.** AEGIS looks for `*.safetensors` files in this folder:")
        st.code(str(folder), language=None)
        st.markdown(
            "Train one with `aegis train`, put a checkpoint there, or set `AEGIS_SUSPECTS` to a folder that has "
            "some. Then reload the page."
        )
