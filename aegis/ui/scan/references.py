"""The Scan page's part about references: whether the images have any, and how to make them."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError, DataError
from aegis.core.runtime import cores
from aegis.core.text import count_of, spoken
from aegis.records.reference_files import known_digests, shipped_references
from aegis.records.references import References
from aegis.services.reference_cost import expected_seconds
from aegis.services.references import MODELS, check_counts, find_references
from aegis.ui.components.live import show_making
from aegis.ui.components.widgets import LINKS, complain, title_of_chosen
from aegis.ui.jobs import Job
from aegis.ui.order import ChosenImages
from aegis.ui.references import order_references
from aegis.ui.session import find_making, find_making_job, start_references
from aegis.ui.uploads import ImagesSummary

WHAT = (
    "Small benign models of the same images, searched for triggers like the suspect. What works on them as well is a "
    "weak spot of the images and no backdoor."
)
# What the page's address calls the making of references.
REFERENCES = LINKS["references"][1]
CANCELLED = "Making references was cancelled. What was finished is kept and not made again."


def choose_references(images: ChosenImages) -> str:
    """Shows whether there are references of the chosen images, and a button that makes them where there are none.

    Args:
        images: the chosen images.

    Returns:
        How the scan uses references, as in ``with_references``.
    """
    job = making_of(images)
    if job is not None and not job.over:
        with st.container(border=True, gap="small", key="references"):
            show_making(job, is_named=False)
        return "auto"
    try:
        found = _find(images)
    except AegisError as error:
        complain(str(error), "References cannot be used")
        found = None
    if found is not None:
        models = count_of(len(found.models), "reference model")
        use = st.checkbox(
            f"Compare with {models} of the same data",
            value=True,
            key="scan_references",
            help=WHAT,
            persist_state="session",
        )
        return "auto" if use else "off"
    if images.summary is not None:
        if job is not None and job.state == "failed":
            complain(job.message, "No references")
            _offer(images, images.summary)
        else:
            with st.container(border=True, gap="small", key="references"):
                _explain(is_cancelled=job is not None and job.state == "cancelled")
                _offer(images, images.summary)
    return "auto"


def show_addressed(shown: Job[References] | None) -> str:
    """Shows the job that the address names, where the images that it is about are not chosen.

    Args:
        shown: the job that the page shows anyway.

    Returns:
        The id of the job, or an empty text.
    """
    job = find_making_job(st.query_params.get(REFERENCES, ""))
    if job is None or job is shown or job.state == "done":
        return ""
    if job.state == "failed":
        complain(job.message, "No references")
    elif job.state == "cancelled":
        st.caption(CANCELLED)
    elif not job.over:
        with st.container(border=True, gap="xsmall", key="card-making"):
            show_making(job, is_named=True)
    return job.id


def making_of(images: ChosenImages | None) -> Job[References] | None:
    """Finds the job that makes references of the chosen images."""
    return find_making(images.summary.digest) if images and images.summary else None


def _find(images: ChosenImages) -> References | None:
    """Finds references; a whole data set has those that come with its sample, and is not read for that."""
    if images.summary is not None:
        return find_references(images.summary.digest, images.summary.class_names)
    known = known_digests().get(str(images.source), ())
    return next(filter(None, map(shipped_references, known)), None)


def _explain(is_cancelled: bool) -> None:
    st.markdown(
        "**No references for these images.** A verdict then rests on models of other data, and may take a natural weak "
        "spot for a backdoor.",
        help=f"{WHAT} They are made once for these images.",
    )
    if is_cancelled:
        st.caption(CANCELLED)


def _offer(images: ChosenImages, summary: ImagesSummary) -> None:
    try:
        check_counts(summary.train, summary.test)
    except DataError as error:
        st.text(f"They cannot be made. {error}")
        return
    seconds = expected_seconds(summary.shape, summary.train, MODELS, cores())
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Make references", icon=":material/model_training:", width="content"):
            title = title_of_chosen(images)
            started = start_references(order_references(images, summary, title, seconds))
            st.query_params[REFERENCES] = started.id
            st.rerun()
        st.caption(f"{MODELS} models, {spoken(seconds)} on {count_of(cores(), 'core')}")
