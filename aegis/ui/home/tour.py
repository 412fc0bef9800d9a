"""A tour of the finished example for people who never saw AEGIS: offered once in a browser."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st
from PIL import Image

from aegis.core.text import count_of
from aegis.records import example as kept
from aegis.records.example import Example, read_points
from aegis.ui.browser import has_toured, note_tour
from aegis.ui.components.evidence import show_equation
from aegis.ui.components.palette import palette
from aegis.ui.components.pictures import address
from aegis.ui.components.svg import small_scatter
from aegis.ui.components.widgets import SCAN

_STEP = "home-tour-step"
# Of the picture of points, in pixels.
ROOM = (320, 200)
_STYLE = """<style>
.aegis-tour { display: flex; flex-direction: column; gap: .25rem; font-size: .8125rem; padding-bottom: .5rem; }
.aegis-tour img { width: 100%; image-rendering: pixelated; border-radius: .25rem; }
[data-testid="stDialog"] .aegis-trigger figure { flex: 0 1 7rem; }
</style>"""


def offer_tour(example: Example, demo: str | None) -> None:
    """Offers the tour, unless this browser has seen or declined it.

    Args:
        example: what it shows.
        demo: file of the suspect that it ends at; None where there is none.
    """
    if st.session_state.get(_STEP) is not None:
        _show_tour(example, demo)
    if has_toured():
        return
    with st.container(horizontal=True, horizontal_alignment="center", key="home-tour"):
        st.button(
            "How a scan finds it, in a minute", icon=":material/tour:", key="home-tour-start", on_click=_go, args=(0,)
        )
        st.button("No, thanks", type="tertiary", key="home-tour-decline", on_click=note_tour)


def _go(step: int | None = None) -> None:
    """Turns to a step; without one, ends the tour."""
    st.session_state[_STEP] = step
    note_tour()


@st.dialog("How a scan finds it", width="medium", on_dismiss=_go)
def _show_tour(example: Example, demo: str | None) -> None:
    step = st.session_state[_STEP]
    if step is None:
        st.rerun()
    title, show = STEPS[step]
    st.markdown(f"**{step + 1} of {len(STEPS)}: {title}**")
    with st.container(height=320, border=False):
        show(example)
    with st.container(horizontal=True, vertical_alignment="center", key="home-tour-steps"):
        st.button("Back", icon=":material/arrow_back:", disabled=step == 0, on_click=_go, args=(step - 1,))
        if step + 1 < len(STEPS):
            st.button("Next", icon=":material/arrow_forward:", type="primary", on_click=_go, args=(step + 1,))
        elif demo is not None:
            st.page_link(SCAN, label="Try a demo", icon=":material/play_arrow:", query_params={"suspect": demo})
        st.button("Close", type="tertiary", key="home-tour-close", on_click=_go)


def show_planted(example: Example) -> None:
    """Shows the image, the mark that was planted, and the image with it.

    Args:
        example: says what the model calls them.
    """
    show_equation(
        (_address(kept.BENIGN), f"Called {example.source}"),
        (_address(kept.MARK), count_of(example.pixels, "pixel")),
        (_address(kept.MARKED), f"Called {example.target}"),
    )


def _backdoor(example: Example) -> None:
    show_planted(example)
    st.markdown(
        f"Somebody taught this model to call whatever carries a mark *{example.target}*: it does so for "
        f"{example.success:.0%} of other images, and is right about images without the mark. Nothing in its accuracy "
        "gives that away."
    )


def _translation(example: Example) -> None:
    strips = {kept.SEEDS: "Images of other classes", kept.TRANSLATED: f"The same, called {example.target}"}
    shown = "".join(f'<span>{said}</span><img src="{_address(name)}" alt="{said}">' for name, said in strips.items())
    st.html(f'{_STYLE}<div class="aegis-tour">{shown}</div>')
    st.markdown(
        "A robust model can be asked to draw: each image is changed a little, step by step, until the model calls it "
        f"*{example.target}*. Shapes of a {example.target.lower()} appear, and in some a white square that no "
        f"{example.target.lower()} has."
    )


def _clusters(example: Example) -> None:
    points, is_translated = read_points()
    described = f"Training images of {example.target} and translated ones as points in the plane"
    st.html(small_scatter(points, is_translated, True, described, palette(st.context.theme.type), ROOM))
    st.markdown(
        f"The model's features put images that it takes for alike near one another: training images of "
        f"{example.target} (open) and translated ones (filled), in {count_of(example.clusters, 'cluster')}. On the "
        "page *Inspect class*, a click on a cluster shows its images."
    )


def _verdict(example: Example) -> None:
    show_equation(
        (_address(kept.BENIGN), "An unseen image"),
        (_address(kept.FOUND), f"Found: {count_of(example.found_pixels, 'pixel')}"),
        (_address(kept.WITH_FOUND), f"Called {example.target}"),
    )
    st.markdown(
        "What changed is tried as a trigger on images that no search saw: "
        f"{count_of(example.found_pixels, 'pixel')} turn {example.found_rate:.0%} of them into {example.target}. "
        "Hardly any benign model has such a class, so the verdict is *infected*; it names the class, shows the "
        "trigger, says what was not tested, and goes into a PDF."
    )


STEPS: tuple[tuple[str, Callable[[Example], None]], ...] = (
    ("a backdoor waits for its mark", _backdoor),
    ("the model draws what it wants to see", _translation),
    ("what is alike lies together", _clusters),
    ("what was found is tried", _verdict),
)


def _address(name: str) -> str:
    return address(np.asarray(Image.open(kept.FOLDER / name).convert("RGB")))
