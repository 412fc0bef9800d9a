"""The images of a selection, a page at a time; those of two clusters side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import streamlit as st
from jaxtyping import Int64

from aegis.core.types import as_8_bit
from aegis.records.pictures import as_rgb
from aegis.ui.components.pictures import COLUMNS, PAGE, Pictures, differences, montage, scale_of
from aegis.ui.inspect import state
from aegis.ui.inspect.clusters import ClusterSummary, narrowed, whole_clusters
from aegis.ui.inspect.subject import Subject
from aegis.ui.inspect.view import SHOWS, pack

NEEDS_IMAGES = ("seed", "difference", "training")


def show_gallery(subject: Subject, summaries: Sequence[ClusterSummary], colours: Sequence[int]) -> str:
    """Shows the pictures of the selection; of two clusters, side by side as in Fig. 7 of the paper.

    Args:
        subject: the selection.
        summaries: of the clusters.
        colours: colour number of each cluster.

    Returns:
        The kind of pictures shown, one of ``SHOWS``.
    """
    _say_what(subject)
    show = _choose_show(subject)
    chosen = whole_clusters(subject.selected, subject.clusters.assignment)
    if len(chosen) == 2:
        _show_both(subject, [(summaries[number], subject.palette.colour(colours[number])) for number in chosen], show)
        return show
    kind = available(subject, show)
    count = len(positions(subject, kind))
    if kind != show:
        st.caption(f"The selection has no {SHOWS[show]} images; these are its {SHOWS[kind]} ones.")
    below = st.container()
    page = _choose_page(-(-count // PAGE), subject, kind)
    with below:
        _show_page(subject, kind, page, PAGE, COLUMNS, "the selection")
        _explain(kind)
    return show


def _choose_show(subject: Subject) -> str:
    offered = [name for name in SHOWS if subject.data is not None or name not in NEEDS_IMAGES]
    offered = [name for name in offered if subject.training_count or name != "training"]
    if st.session_state.get(state.SHOW) not in offered:
        st.session_state[state.SHOW] = offered[0]
    show = st.segmented_control(
        "Show", offered, format_func=lambda name: SHOWS[name].capitalize(), key=state.SHOW, required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    assert show is not None
    return show


def _show_both(subject: Subject, both: Sequence[tuple[ClusterSummary, str]], show: str) -> None:
    """Shows two clusters in a column each, a page of both at a time.

    Args:
        subject: the selection.
        both: the clusters with the colours of their points.
        show: one of ``SHOWS``.
    """
    each, across = PAGE // 2, COLUMNS // 2
    shown = [narrowed(subject, summary) for summary, _ in both]
    kinds = [available(one, show) for one in shown]
    columns = st.columns(2, gap="small")
    most = max(len(positions(one, kind)) for one, kind in zip(shown, kinds, strict=True))
    page = _choose_page(-(-most // each), subject, show)
    for column, (summary, colour), one, kind in zip(columns, both, shown, kinds, strict=True):
        name = f"Cluster {summary.number + 1}"
        with column:
            st.html(
                f'<h3 class="aegis-cluster"><i style="background: {colour}"></i>{name}</h3>'
                f'<p class="aegis-counts">{summary.counts}</p>'
            )
            if kind != show:
                st.caption(f"No {SHOWS[show]} images; these are its {SHOWS[kind]} ones.")
            _show_page(one, kind, page, each, across, name.lower(), like=subject)
    _explain(show)


def available(subject: Subject, show: str) -> str:
    """Chooses the kind of pictures that a selection has, since some clusters are of one origin alone.

    Args:
        subject: the selection.
        show: the wanted kind.

    Returns:
        The wanted kind, or else one of the other origin.
    """
    other = "translated" if show == "training" else "training"
    has_other = len(positions(subject, other)) and (other != "training" or subject.data is not None)
    return other if has_other and not len(positions(subject, show)) else show


def positions(subject: Subject, show: str) -> Int64[np.ndarray, " k"]:
    """Finds which images a kind of pictures is of.

    Args:
        subject: the selection.
        show: one of ``SHOWS``.
    """
    return subject.own if show == "training" else subject.members


def _show_page(
    subject: Subject, show: str, page: int, size: int, columns: int, where: str, like: Subject | None = None
) -> None:
    whole = pictures(subject, show, like)
    first = (page - 1) * size
    shown = whole[first : first + size]
    if not len(shown):
        st.caption("No more images." if len(whole) else "The scan's images are not at hand.")
        return
    st.image(
        montage(shown, subject.palette, columns),
        width="stretch",
        output_format="PNG",
        alt=f"{SHOWS[show].capitalize()} images {first + 1} to {first + len(shown)} of {len(whole)} in {where}, "
        f"{columns} to a row",
    )


def _explain(show: str) -> None:
    if show == "difference":
        st.caption("Orange became brighter, blue darker; the same scale for all.")


def pictures(subject: Subject, show: str, like: Subject | None = None) -> Pictures:
    """Makes all pictures of one kind of a selection.

    Args:
        subject: the selection.
        show: one of ``SHOWS``; only ``translated`` can do without the scan's images.
        like: the selection whose differences have the same scale; by default this one.
    """
    if show == "translated":
        return as_rgb(subject.translated)
    if show == "difference":
        scaled = (like or subject).changes
        assert subject.changes is not None
        assert scaled is not None
        return differences(subject.changes, scale_of(scaled), subject.palette)
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
            origins = f"{int(chosen.sum()) - training} translated"
            origins += f", {training} training" if subject.training_count else ""
            st.markdown(f"**{origins}:** cluster{'s' if len(clusters) > 1 else ''} {named}", width="stretch")
        else:
            st.markdown(f"**Nothing selected:** all {len(subject.members)} translated", width="stretch")
        st.button(
            "Clear", key="inspect-clear", icon=":material/close:", shortcut="Esc", disabled=not chosen.any(),
            on_click=state.select, args=("",),
        )  # fmt: skip


def _choose_page(pages: int, subject: Subject, show: str) -> int:
    if pages <= 1:
        return 1
    # Another selection has other pages and begins at its first.
    content = hashlib.sha256(
        f"{pack(subject.rows)} {subject.embedding.budget} {show == 'training'}".encode()
    ).hexdigest()[:16]
    return st.pagination(pages, key=f"inspect-page-{content}", max_visible_pages=5)
