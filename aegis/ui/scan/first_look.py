"""How right the chosen model is about a few of the chosen images, and the normalisation that it may lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from aegis.ui.scan.identity import MEAN, STD

if TYPE_CHECKING:
    from aegis.services.normalisation import FirstLook, Tried


def show_first_look(look: FirstLook) -> None:
    """Says how right the model is, and offers another normalisation where that makes it right about far more.

    Args:
        look: what came of trying it.
    """
    right = f"Accuracy on {look.images} test images: {look.own.accuracy:.0%}"
    if look.better is not None:
        _offer(right, look.own, look.better)
        return
    if look.is_guessing:
        st.badge("Hardly better than guessing", icon=":material/warning:", color="orange")
        st.text(f"{right}, where guessing comes to {look.chance:.0%}. Check the images and their order of classes.")
        return
    st.caption(f"{right}.")


def _offer(right: str, own: Tried, better: Tried) -> None:
    mean, std = (typed.replace(",", ", ") for typed in better.typed)
    with st.container(border=True, key="card-normalisation"):
        st.badge("Its normalisation is missing", icon=":material/warning:", color="orange")
        st.text(f"{right} as it is, {better.accuracy:.0%} with {better.name}: mean {mean}; standard deviation {std}.")
        with st.container(horizontal=True):
            st.button("Use it", key="scan-use-better", type="primary", on_click=_say, args=better.typed)
            st.button("Go on as it is", key="scan-use-own", on_click=_say, args=own.typed)


def _say(mean: str, std: str) -> None:
    st.session_state[MEAN], st.session_state[STD] = mean, std
