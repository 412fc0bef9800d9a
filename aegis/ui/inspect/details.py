"""What the images of a selection have in common, and the selection as files."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from aegis.core.types import as_8_bit
from aegis.detect.selection import nearest_training
from aegis.records.pictures import as_rgb, where_changed
from aegis.ui.components.pictures import Picture, differences, enlarge, heat, montage
from aegis.ui.inspect.subject import Subject, bundle
from aegis.ui.inspect.trial import show_trial
from aegis.ui.inspect.view import pack

NEAREST = 8
SIDE = 168


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
