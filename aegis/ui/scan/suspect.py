"""The choice of a suspect on the Scan page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from aegis.core.errors import AegisError
from aegis.models.card import Identity
from aegis.ui.components.widgets import OWN, UPLOAD, complain, examined
from aegis.ui.order import ChosenSuspect
from aegis.ui.scan.identity import describe
from aegis.ui.scan.received import MIB, receive
from aegis.ui.suspects import all_suspects, neutral_names
from aegis.ui.uploads import Upload, identify


def choose_suspect() -> ChosenSuspect | None:
    """Shows the widgets that choose a model.

    Returns:
        The model with its identity and hash; None until one that can be scanned is chosen.
    """
    paths = {path.name: path for path in all_suspects()}
    names = neutral_names([examined(path) for path in paths.values()])
    # One's own comes first in the list, and the first at hand is chosen.
    at_hand = sorted(paths, key=lambda name: names[paths[name]])
    options = [OWN, *at_hand]
    wanted = st.query_params.get("suspect", "")
    # A link chooses once; what the user chooses afterwards stands.
    if (wanted in paths or wanted == UPLOAD) and wanted != st.session_state.get("scan_linked"):
        st.session_state["scan_suspect"] = OWN if wanted == UPLOAD else wanted
    st.session_state["scan_linked"] = wanted
    if st.session_state.get("scan_suspect") not in options:
        st.session_state["scan_suspect"] = at_hand[0] if at_hand else OWN
    name = st.selectbox(
        "Suspect",
        options,
        key="scan_suspect",
        format_func=lambda option: OWN if option == OWN else names[paths[option]],
        help="The model under test. Bundled ones lie beside this program; your own is removed when its job is over.",
        persist_state="session",
    )
    if name == OWN:
        return _uploaded_suspect()
    return _suspect_at_hand(paths[name], names[paths[name]]) if name in paths else None


def _suspect_at_hand(path: Path, title: str) -> ChosenSuspect | None:
    found = examined(path)
    if found.problem:
        complain(found.problem, "Cannot be read")
        return None
    suspect = ChosenSuspect(file=path.name, sha256=found.sha256, title=title, path=path, identity=found.identity)
    return describe(suspect, found.size)


def _uploaded_suspect() -> ChosenSuspect | None:
    checkpoint = receive(
        "Checkpoint",
        "scan_model",
        None,
        f"safetensors, or a state dictionary written by torch.save; at most {MIB} MiB. "
        "Nothing in it is run, and it is removed when its job is over.",
    )
    if checkpoint is None:
        return None
    try:
        identity = _identify(checkpoint)
    except AegisError as error:
        complain(str(error), "Refused")
        return None
    name = checkpoint.name
    suspect = ChosenSuspect(file=name, sha256=checkpoint.digest, title=name, upload=checkpoint, identity=identity)
    return describe(suspect, len(checkpoint.content))


def _identify(checkpoint: Upload) -> Identity | None:
    key = ("scan_identity", checkpoint.digest)
    if st.session_state.get("scan_identity_of", (None,))[0] != key:
        st.session_state["scan_identity_of"] = key, identify(checkpoint)
    identity: Identity | None = st.session_state["scan_identity_of"][1]
    return identity
