"""The top of Home: what AEGIS is for, how to begin, and a finished example."""

from __future__ import annotations

import streamlit as st

from aegis.records.example import Example, read_example
from aegis.ui.components.widgets import LOGO, SCAN, UPLOAD
from aegis.ui.home.tour import offer_tour, show_planted

# Scanned in a few minutes, and it has something to find.
DEMO = "mnist_localised.safetensors"


def show_top(files: list[str]) -> None:
    """Shows what AEGIS does, the two ways to begin, and the example.

    Args:
        files: names of the suspects that can be read.
    """
    demo = DEMO if DEMO in files else next(iter(files), None)
    left, right = st.columns([6, 5], gap="large", vertical_alignment="center")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.image(str(LOGO), width=56, alt="")
            st.title("AEGIS", anchor=False)
        st.markdown(
            "AEGIS tells whether an adversarially robust image classifier hides a backdoor, and in which class. It "
            "lets the model turn images into each class, groups the results by their features, and tries what changed "
            "as a trigger on images the search never saw."
        )
        with st.container(horizontal=True, key="home-actions"):
            st.page_link(
                SCAN, label="Scan my model", icon=":material/upload_file:", width="content",
                query_params={"suspect": UPLOAD},
            )  # fmt: skip
            if demo is not None:
                st.page_link(
                    SCAN, label="Try a demo", icon=":material/play_arrow:", width="content",
                    query_params={"suspect": demo},
                )  # fmt: skip
    with right:
        example = read_example()
        if example is not None:
            _show_example(example)
            offer_tour(example, demo)


def _show_example(example: Example) -> None:
    with st.container(border=True, key="home-example"):
        show_planted(example)
        st.caption(
            f"What a backdoor does: a mark that was planted in this bundled model makes it call {example.success:.0%} "
            f"of {example.images} other test images {example.target}. A scan is told neither the mark nor the class, "
            "and searches for both."
        )
