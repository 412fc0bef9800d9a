"""The available suspects, a line each. Text from files is shown by ``st.text`` alone, which parses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from aegis.core.text import printable
from aegis.ui.components.widgets import SCAN, examined, picture_of
from aegis.ui.suspects import ListedSuspect

COLUMNS = [15, 7, 7, 7, 5, 7, 3]


def show_suspects(paths: Sequence[Path]) -> None:
    """Show every checkpoint with its card and a link to its scan.

    Args:
        paths: of the checkpoints.
    """
    with st.container(border=True, gap="small", key="card-suspects"):
        for path in paths:
            _show(examined(path))


def _show(suspect: ListedSuspect) -> None:
    if suspect.problem:
        file, badge, problem = st.columns([15, 7, 29], vertical_alignment="center")
        file.text(printable(suspect.path.name, 120))
        badge.badge("Cannot be read", icon=":material/error:", color="red")
        problem.text(suspect.problem)
        return
    file, architecture, data, images, classes, digest, link = st.columns(COLUMNS, vertical_alignment="center")
    identity = suspect.identity
    with file.container(gap=None):
        st.text(printable(suspect.path.name, 120))
        if identity is not None and identity.name is not None:
            st.text(identity.name)
    if identity is None:
        architecture.badge("No card", icon=":material/help:", color="gray")
    else:
        architecture.text(printable(identity.architecture, 60))
        data.text(printable(identity.data or "not said", 60))
        images.text(picture_of(identity))
        classes.text(f"{len(identity.class_names):,} classes")
    digest.text(f"{suspect.sha256[:10]}…", help=f"SHA-256 {suspect.sha256}, {suspect.size / 1e6:.2f} MB")
    link.page_link(SCAN, label="Scan", query_params={"suspect": suspect.path.name})
