"""The pictures of a selection: its images a page at a time, and what they have in common."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from aegis.core.types import as_8_bit
from aegis.detect.selection import nearest_training
from aegis.records.pictures import as_rgb, where_changed
from aegis.ui.components.pictures import COLUMNS, PAGE, Picture, Pictures, differences, enlarge, heat, montage, scale_of
from aegis.ui.inspect import state
from aegis.ui.inspect.subject import Subject, bundle
from aegis.ui.inspect.trial import show_trial
from aegis.ui.inspect.view import SHOWS, pack

NEEDS_IMAGES = ("seed", "difference", "training")
NEAREST = 8
SIDE = 168


def show_gallery(subject: Subject) -> str:
    """Shows the pictures of the selection.

    Returns:
        The kind of pictures shown, one of ``SHOWS``.
    """
    _say_what(subject)
    offered = [name for name in SHOWS if subject.data is not None or name not in NEEDS_IMAGES]
    offered = [name for name in offered if subject.training_count or name != "training"]
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
    """Makes all pictures of one kind of a selection.

    Args:
        subject: the selection.
        show: one of ``SHOWS``; only ``translated`` can do without the scan's images.
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


def show_details(subject: Subject) -> None:
    """Shows the row below scatter and gallery, with trigger test and export."""
    if len(subject.members):
        means, near = st.columns([3, 2], gap="medium")
        with means:
            _show_means(subject)
        # In the space of changes no training image is near.
        if subject.training_count:
            with near:
                _show_nearest(subject)
        show_trial(subject)
    _offer_export(subject)


def _show_means(subject: Subject) -> None:
    columns = st.columns(3)
    count = len(subject.members)
    mean = subject.moved.mean(axis=0)[None]
    _picture(columns[0], "Mean image", as_rgb(as_8_bit(mean))[0], f"Mean of the {count} translated images")
    if subject.changes is None or subject.seeds is None:
        columns[1].caption("The scan's images are not at hand, so what translation changed is not known.")
        return
    change = subject.changes.mean(axis=0)[None]
    scale = max(float(np.abs(change.mean(axis=1)).max()), 1e-3)
    where = where_changed(subject.seeds, subject.moved)
    _picture(
        columns[1],
        "Mean change",
        differences(change, scale, subject.palette)[0],
        f"Mean change of the {count} images: orange became brighter, blue darker, at most {scale:.2f}",
        f"Orange became brighter, blue darker; full colour is a change of {scale:.2f}, where 1 is from black to white.",
    )
    _picture(
        columns[2],
        "Where it changed",
        heat(where, subject.palette),
        f"Heat map of the mean absolute change of each pixel, at most {float(where.max()):.2f}",
        f"Mean absolute change of each pixel, from none to {float(where.max()):.2f}.",
    )


def _picture(
    column: st.delta_generator.DeltaGenerator, title: str, picture: Picture, alt: str, tip: str | None = None
) -> None:
    with column:
        st.markdown(f"**{title}**", help=tip)
        st.image(enlarge(picture, SIDE), output_format="PNG", alt=alt)


def _show_nearest(subject: Subject) -> None:
    features = subject.finding.evidence.features[subject.budget]
    near = nearest_training(features, subject.rows, subject.training_count, NEAREST)
    pixels = subject.training(near)
    st.markdown(
        "**Nearest training images**", help="Those whose features lie nearest to the middle of the selection's."
    )
    if pixels is None:
        st.caption("The scan's images are not at hand.")
        return
    sheet = montage(as_rgb(as_8_bit(pixels)), subject.palette, columns=4)
    st.image(sheet, output_format="PNG", alt=f"The {len(near)} training images of the class nearest to the selection")


def _offer_export(subject: Subject) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="inspect-export"):
        st.download_button(
            "Export selection",
            data=lambda: bundle(subject),
            file_name=_file_name(subject),
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            help="A zip file: the selected points as CSV, and their pictures as PNG.",
            key="inspect-download",
        )
        with st.popover("Link to this view", icon=":material/link:"):
            st.code(_link(), language=None, wrap_lines=True)


def _file_name(subject: Subject) -> str:
    what = hashlib.sha256(f"{pack(subject.rows)} {subject.embedding.budget}".encode()).hexdigest()[:8]
    return f"aegis-class-{subject.finding.label}-{what}.zip"


def _link() -> str:
    parameters = "&".join(f"{name}={value}" for name, value in st.query_params.to_dict().items())
    return f"{st.context.url or ''}?{parameters}"
