"""The pictures of a selection, a page at a time."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from aegis.core.types import as_8_bit
from aegis.records.pictures import as_rgb
from aegis.ui.components.gallery import COLUMNS, PAGE, Pictures, differences, montage, scale_of
from aegis.ui.inspect import state
from aegis.ui.inspect.subject import Subject
from aegis.ui.inspect.view import SHOWS, pack

NEEDS_IMAGES = ("seed", "difference", "training")


def show_gallery(subject: Subject) -> str:
    """Show the pictures of the selection.

    Args:
        subject: the class with its selection.

    Returns:
        The kind of pictures shown, one of ``SHOWS``.
    """
    _say_what(subject)
    offered = [name for name in SHOWS if subject.data is not None or name not in NEEDS_IMAGES]
    if st.session_state.get(state.SHOW) not in offered:
        st.session_state[state.SHOW] = offered[0]
    show = st.segmented_control(
        "Show", offered, format_func=lambda name: SHOWS[name].capitalize(), key=state.SHOW, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    assert show is not None
    positions = subject.own if show == "training" else subject.members
    if not len(positions):
        other = "Translated" if show == "training" else "Training"
        st.info(f"The selection has no such images; see *{other}*.", icon=":material/info:")
        return show
    montage_first = st.container()
    page = _choose_page(len(positions), subject, show)
    chosen = slice((page - 1) * PAGE, page * PAGE)
    shown = positions[chosen]
    sheet = montage(pictures(subject, show)[chosen], subject.palette)
    first = (page - 1) * PAGE + 1
    montage_first.image(
        sheet,
        width="stretch",
        output_format="PNG",
        alt=f"{SHOWS[show].capitalize()} images {first} to {first + len(shown) - 1} of {len(positions)} in the "
        f"selection, {COLUMNS} to a row",
    )
    if show == "difference":
        montage_first.caption("Orange became brighter, blue darker; the same scale for all.")
    return show


def pictures(subject: Subject, show: str) -> Pictures:
    """Make all pictures of one kind of a selection.

    Args:
        subject: the selection.
        show: one of ``SHOWS``; only ``translated`` can do without the scan's images.

    Returns:
        The pictures.
    """
    if show == "translated":
        return as_rgb(subject.translated)
    if show == "difference":
        assert subject.changes is not None
        return differences(subject.changes, scale_of(subject.changes), subject.palette)
    pixels = subject.training(subject.own) if show == "training" else subject.seeds
    assert pixels is not None
    return as_rgb(as_8_bit(pixels))


def _say_what(subject: Subject) -> None:
    chosen = subject.selected
    with st.container(horizontal=True, vertical_alignment="center"):
        if chosen.any():
            training = int(chosen[: subject.training_count].sum())
            clusters = np.unique(subject.clusters.assignment[chosen])
            named = ", ".join(str(c + 1) for c in clusters[:5] if c >= 0) + (" …" if len(clusters) > 5 else "")
            st.markdown(
                f"**{int(chosen.sum()) - training} translated, {training} training:** "
                f"cluster{'s' if len(clusters) > 1 else ''} {named}",
                width="stretch",
            )
        else:
            st.markdown(f"**Nothing selected:** all {len(subject.members)} translated", width="stretch")
        st.button(
            "Clear", key="inspect-clear", icon=":material/close:", shortcut="Esc", disabled=not chosen.any(),
            on_click=state.select, args=("",),
        )  # fmt: skip


def _choose_page(count: int, subject: Subject, show: str) -> int:
    pages = -(-count // PAGE)
    if pages == 1:
        return 1
    # Another selection has other pages and begins at its first.
    content = hashlib.sha256(
        f"{pack(subject.rows)} {subject.embedding.budget} {show == 'training'}".encode()
    ).hexdigest()[:16]
    return st.pagination(pages, key=f"inspect-page-{content}", max_visible_pages=5)
