"""The choice of images on the Scan page, and a look at those that are chosen."""

from __future__ import annotations

import html

import streamlit as st

from aegis.core.errors import AegisError, DataError
from aegis.core.text import count_of, numbered
from aegis.data import SOURCES, default_source
from aegis.data.catalogue import SAMPLES
from aegis.models.card import Identity
from aegis.ui.caches import named_images
from aegis.ui.components.pictures import photograph, strip
from aegis.ui.components.widgets import OWN, complain, title_of
from aegis.ui.order import ChosenImages, ChosenSuspect
from aegis.ui.scan.received import MIB, receive
from aegis.ui.uploads import ImagesSummary, Upload, examine_images, summarise

# Classes that are shown, and images of each.
CLASSES, ACROSS = 12, 10
# Height of an image in pixels.
SIDE = 28
_STYLE = """<style>
.aegis-classes { display: grid; grid-template-columns: minmax(5rem, 9rem) 1fr auto; gap: .2rem .75rem;
  align-items: center; font-size: .875rem; }
.aegis-classes span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.aegis-classes span:nth-child(3n) { text-align: right; opacity: .75; font-variant-numeric: tabular-nums; }
.aegis-classes img { height: 1.5rem; max-width: 100%; object-fit: cover; object-position: left; display: block; }
</style>"""


def choose_images(suspect: ChosenSuspect) -> ChosenImages | None:
    """Shows the widgets that choose images.

    Returns:
        The images; None until some are chosen.
    """
    default = _default_source(suspect.identity)
    options = [*sorted(SOURCES, key=lambda name: (name != default, not name.startswith(SAMPLES))), OWN]
    if st.session_state.get("scan_images_for") != suspect.sha256:
        st.session_state["scan_images_for"] = suspect.sha256
        st.session_state["scan_images"] = default if default else OWN
    source = st.selectbox(
        "Images",
        options,
        key="scan_images",
        format_func=title_of,
        help="Images of the kind the model was made for, with their classes. They are what is translated from class to "
        "class, and triggers are tried on them.",
        persist_state="session",
    )
    if source != OWN:
        # A whole data set may have to be downloaded first.
        sample = _summarised(source) if source.startswith(SAMPLES) else None
        if sample is not None:
            _show(sample)
        return ChosenImages(source=source, summary=sample)
    images = receive(
        "Your images",
        "scan_archive",
        ["npz", "zip"],
        "An NPZ file with x_train, y_train, x_test, y_test, or a zipped folder with one sub-folder of pictures per "
        f"class; at most {MIB} MiB.",
    )
    if images is None:
        return None
    summary, problem = _examine(images.digest, images)
    if summary is None:
        complain(problem, "Cannot be used")
        return None
    _show(summary)
    return ChosenImages(upload=images, summary=summary)


# Few, since each holds some of the images.
@st.cache_data(max_entries=8, show_spinner="Reading the images")
def _summarised(source: str) -> ImagesSummary:
    return summarise(named_images(source))


@st.cache_data(max_entries=8, show_spinner="Reading the images")
def _examine(digest: str, _images: Upload) -> tuple[ImagesSummary | None, str]:
    """What an upload of this digest holds, or what is wrong with it."""
    try:
        return examine_images(_images), ""
    except AegisError as error:
        return None, str(error)


def _default_source(identity: Identity | None) -> str | None:
    try:
        return default_source(identity.data) if identity and identity.data else None
    except DataError:
        return None


def _show(summary: ImagesSummary) -> None:
    channels, height, width = summary.shape
    st.caption(
        f"{sum(summary.train):,} training and {sum(summary.test):,} test images of {height} × {width} pixels in "
        f"{count_of(channels, 'channel')} and {count_of(len(summary.class_names), 'class')}"
    )
    st.html(_STYLE + _strips(summary.digest, summary))


@st.cache_data(max_entries=8, show_spinner=False)
def _strips(digest: str, _summary: ImagesSummary) -> str:
    """A row for each class: its name, some of its images, and how many there are to train and to test with."""
    images, rows = _summary.few.train, []
    for label, name in enumerate(_summary.class_names[:CLASSES]):
        title = html.escape(numbered(label, name))
        own = images.pixels[images.labels == label][:ACROSS]
        seen = f'<img src="{photograph(strip(own, SIDE))}" alt="{len(own)} images of {title}">' if len(own) else ""
        counts = f"{_summary.train[label]:,} + {_summary.test[label]:,}"
        rows.append(f'<span title="{title}">{title}</span><div>{seen}</div><span>{counts}</span>')
    more = len(_summary.class_names) - len(rows)
    if more > 0:
        rows.append(f"<span>and {more:,} more</span>")
    return f'<div class="aegis-classes">{"".join(rows)}</div>'
