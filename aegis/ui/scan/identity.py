"""What a chosen model is: what its card or its tensors say, what the user says otherwise, and earlier scans of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import streamlit as st

from aegis.core.errors import AegisError, StoreError
from aegis.core.text import printable
from aegis.store.store import Store
from aegis.ui.caches import is_upload
from aegis.ui.components.widgets import SCAN, complain, fact, facts, say_flagged, show_identity
from aegis.ui.order import ChosenSuspect
from aegis.ui.recognition import Recognition, recognise
from aegis.ui.session import may_see, own_scans, verdict_badge, when
from aegis.ui.suspects import BUNDLED
from aegis.ui.uploads import Upload, check_architecture, check_numbers

EXAMPLES = ("aegis:cnn16", "aegis:cnn32", "aegis:resnet18", "aegis:resnet50", "torchvision:resnet18", "timm:resnet18")
ARCHITECTURE, MEAN, STD, ENTRY = SAID = ("scan_architecture", "scan_mean", "scan_std", "scan_entry")
# Earlier scans that are listed.
LISTED = 3


def describe(suspect: ChosenSuspect, size: int) -> ChosenSuspect | None:
    """Shows what is known of a model, and adds what the user says of it.

    Args:
        suspect: the model.
        size: of its file, in bytes.

    Returns:
        The model as it is to be read; None while something that is needed is missing or wrong.
    """
    if suspect.identity is not None:
        show_identity(suspect.identity)
    with facts():
        fact("Size", f"{size / 1e6:.2f} MB")
    fact("SHA-256", suspect.sha256)
    _show_earlier(suspect.sha256)
    if suspect.identity is not None and suspect.path is not None and suspect.path.parent == BUNDLED:
        return suspect
    _begin_anew(suspect.sha256)
    known = Recognition()
    if suspect.identity is None:
        entry = (st.session_state.get(ENTRY) or "").strip() or None
        known, refusal = _recognise(suspect.sha256, entry, suspect.upload or suspect.path)
        if refusal:
            complain(refusal, "Refused")
            return None
        _show_recognition(known)
    try:
        said = _ask(suspect, known)
    except AegisError as error:
        complain(str(error), "Refused")
        return None
    if known.networks and said.entry is None:
        st.caption("Choose the network to scan to go on.")
        return None
    if suspect.identity is None and not known.is_sure and said.architecture is None:
        st.caption("It does not say what it is: name its architecture to go on.")
        return None
    return replace(said, recognised=known.likely[0]) if known.is_sure else said


def _begin_anew(sha256: str) -> None:
    """Forgets what was said of another model."""
    before = st.session_state.get("scan_said_for", sha256)
    st.session_state["scan_said_for"] = sha256
    if before != sha256:
        for key in SAID:
            st.session_state[key] = None


def _show_earlier(sha256: str) -> None:
    """Leads to scans of the same file that this session may see."""
    own = own_scans()
    found = ((key, record) for key, record in Store().scans() if record.model.sha256 == sha256)
    seen = ((key, record) for key, record in found if may_see(key, is_upload(record), own))
    for number, (key, record) in enumerate(islice(seen, LISTED)):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"earlier-{number}"):
            st.caption("Scanned before", width="content")
            verdict_badge(record)
            st.text(f"{say_flagged(record)}, {when(record.created)}", width="content")
            st.page_link(SCAN, label="Open", width="content", query_params={"scan": key})


@st.cache_data(max_entries=64, show_spinner="Reading the checkpoint, of which nothing is run")
def _recognise(sha256: str, entry: str | None, _checkpoint: Path | Upload | None) -> tuple[Recognition, str]:
    """What the tensors say, or why the file is refused."""
    assert _checkpoint is not None
    try:
        return recognise(_checkpoint, entry), ""
    except StoreError:
        # A full disk says nothing of the file, and must not be remembered for it.
        raise
    except AegisError as error:
        return Recognition(), str(error)


def _show_recognition(known: Recognition) -> None:
    if known.answer is None:
        if known.problem:
            st.badge("Not recognised", icon=":material/help:", color="orange")
            st.text(known.problem)
        return
    if known.is_sure:
        with facts():
            fact("Recognised as", printable(known.likely[0], 80))
    else:
        st.badge("Not sure what it is", icon=":material/help:", color="orange")
    st.text(f"{printable(known.answer.why, 400)}.")


def _ask(suspect: ChosenSuspect, known: Recognition) -> ChosenSuspect:
    """Asks for architecture, normalisation and entry.

    Raises:
        AegisError: if something is wrong with an answer.
    """
    is_known = suspect.identity is not None or known.is_sure
    with st.expander("Architecture and normalisation") if is_known else st.container():
        architecture = st.selectbox(
            "Architecture",
            list(dict.fromkeys((*known.likely, *EXAMPLES))),
            index=None,
            key=ARCHITECTURE,
            accept_new_options=True,
            placeholder="Choose, or type aegis:, torchvision: or timm: and a name",
            help="The network that the weights belong to, by name. An architecture of your own would run code; "
            "the command line takes one.",
            persist_state="session",
        )
        left, right = st.columns(2)
        mean = left.text_input(
            "Mean",
            key=MEAN,
            placeholder="0, or one per channel: 0.49, 0.48, 0.45",
            help="What is subtracted from pixels in [0, 1] before the network sees them. Empty: the card's, or 0.",
            persist_state="session",
        )
        std = right.text_input(
            "Standard deviation",
            key=STD,
            placeholder="1, or one per channel",
            help="What pixels are then divided by. Empty: the card's, or 1.",
            persist_state="session",
        )
        entry = _ask_entry(known.networks)
    return replace(
        suspect,
        architecture=check_architecture(architecture) if architecture else None,
        mean=check_numbers(mean or "", "mean"),
        std=check_numbers(std or "", "standard deviation"),
        entry=entry,
    )


def _ask_entry(networks: tuple[str, ...]) -> str | None:
    """Asks which network of the file is meant."""
    tip = (
        "Such as state_dict_ema, where a file holds a network and an average of its weights that differ. A backdoor "
        "may be in one of them alone."
    )
    if networks:
        chosen = st.selectbox(
            "Network",
            networks,
            index=None,
            key=ENTRY,
            accept_new_options=True,
            format_func=printable,
            placeholder=f"Choose among {len(networks)} that differ",
            help=tip,
            persist_state="session",
        )
        return chosen or None
    typed = st.text_input(
        "Network",
        key=ENTRY,
        placeholder="Its name, in a file with several",
        help=f"{tip} Empty: the only one.",
        persist_state="session",
    )
    return (typed or "").strip() or None
