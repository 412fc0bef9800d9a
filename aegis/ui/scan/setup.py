"""The Scan page before a scan: choice of suspect, images and settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import streamlit as st

from aegis.core.errors import AegisError, DataError
from aegis.core.text import count_of
from aegis.data import SOURCES, default_source
from aegis.data.catalogue import SAMPLES
from aegis.models.card import Identity
from aegis.ui.caches import named_images
from aegis.ui.components.widgets import OWN, UPLOAD, complain, examined, fact, facts, show_identity, title_of
from aegis.ui.order import ChosenImages, ChosenSuspect
from aegis.ui.suspects import list_suspects, neutral_names, suspects_folder
from aegis.ui.uploads import (
    MAX_BYTES,
    ImagesSummary,
    Upload,
    check_architecture,
    check_numbers,
    examine_images,
    identify,
    summarise,
    upload,
)

MIB = MAX_BYTES >> 20
EXAMPLES = ("aegis:cnn16", "aegis:cnn32", "aegis:resnet18", "aegis:resnet50", "torchvision:resnet18", "timm:resnet18")


def choose_suspect() -> ChosenSuspect | None:
    """Shows the widgets that choose a model.

    Returns:
        The model with its identity and hash; None until one that can be scanned is chosen.
    """
    paths = {path.name: path for path in list_suspects(suspects_folder())}
    options = [*paths, OWN]
    wanted = st.query_params.get("suspect", "")
    # A link chooses once; what the user chooses afterwards stands.
    if (wanted in paths or wanted == UPLOAD) and wanted != st.session_state.get("scan_linked"):
        st.session_state["scan_suspect"] = OWN if wanted == UPLOAD else wanted
    st.session_state["scan_linked"] = wanted
    if st.session_state.get("scan_suspect") not in options:
        st.session_state["scan_suspect"] = options[0]
    names = neutral_names([examined(path) for path in paths.values()])
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
    return _bundled_suspect(paths[name]) if name in paths else None


def _bundled_suspect(path: Path) -> ChosenSuspect | None:
    found = examined(path)
    if found.problem:
        complain(found.problem, "Cannot be read")
        return None
    suspect = ChosenSuspect(file=path.name, sha256=found.sha256, path=path, identity=found.identity)
    return _described(suspect, found.size)


def _uploaded_suspect() -> ChosenSuspect | None:
    checkpoint = _receive(
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
    suspect = ChosenSuspect(file=checkpoint.name, sha256=checkpoint.digest, upload=checkpoint, identity=identity)
    return _described(suspect, len(checkpoint.content))


def _described(suspect: ChosenSuspect, size: int) -> ChosenSuspect | None:
    """Shows what is known of a model, and adds what the user says of it."""
    if suspect.identity is not None:
        show_identity(suspect.identity)
    with facts():
        fact("Size", f"{size / 1e6:.2f} MB")
    fact("SHA-256", suspect.sha256)
    if suspect.upload is None and suspect.identity is not None:
        return suspect
    said = _ask_what_it_is(required=suspect.identity is None)
    if said is None:
        return None
    architecture, mean, std, entry = said
    return replace(suspect, architecture=architecture, mean=mean, std=std, entry=entry)


def _ask_what_it_is(required: bool) -> tuple[str | None, str | None, str | None, str | None] | None:
    """Architecture, normalisation and entry as the user says; None while what is needed is missing or wrong."""
    with st.container() if required else st.expander("Say otherwise than its card"):
        architecture = st.selectbox(
            "Architecture",
            EXAMPLES,
            index=None,
            key="scan_architecture",
            accept_new_options=True,
            placeholder="Choose, or type aegis:, torchvision: or timm: and a name",
            help="The network that the weights belong to, by name. An architecture of your own would run code; "
            "the command line takes one.",
            persist_state="session",
        )
        left, right = st.columns(2)
        mean = left.text_input(
            "Mean",
            key="scan_mean",
            placeholder="0, or one per channel: 0.49, 0.48, 0.45",
            help="What is subtracted from pixels in [0, 1] before the network sees them. Empty: the card's, or 0.",
            persist_state="session",
        )
        std = right.text_input(
            "Standard deviation",
            key="scan_std",
            placeholder="1, or one per channel",
            help="What pixels are then divided by. Empty: the card's, or 1.",
            persist_state="session",
        )
        entry = st.text_input(
            "Entry",
            key="scan_entry",
            placeholder="Which network, of a file with several",
            help="Such as state_dict_ema, where a file holds a network and an average of its weights that differ. "
            "Empty: the only one.",
            persist_state="session",
        )
    try:
        said = (
            check_architecture(architecture) if architecture else None,
            check_numbers(mean, "mean"),
            check_numbers(std, "standard deviation"),
            entry.strip() or None,
        )
    except AegisError as error:
        complain(str(error), "Refused")
        return None
    if required and said[0] is None:
        st.caption("It does not say what it is: name its architecture to go on.")
        return None
    return said


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
        is_sample = source.startswith(SAMPLES)
        return ChosenImages(source=source, summary=summarise(named_images(source)) if is_sample else None)
    images = _receive(
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
    count = f"{sum(summary.train):,} training and {sum(summary.test):,} test images"
    st.caption(f"{count} of {count_of(len(summary.class_names), 'class')}.")
    return ChosenImages(upload=images, summary=summary)


@st.cache_data(max_entries=64, show_spinner="Reading the images")
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


def _receive(label: str, key: str, kinds: list[str] | None, tip: str) -> Upload | None:
    """A file from the browser, kept while this session shows other things."""
    widget, kept = f"{key}_file", f"{key}_kept"

    def take() -> None:
        came = st.session_state.get(widget)
        st.session_state[kept] = None if came is None else (came.name, came.getvalue())

    st.file_uploader(label, type=kinds, key=widget, on_change=take, help=tip, max_upload_size=MIB)
    if st.session_state.get(kept) is None:
        return None
    try:
        received = upload(*st.session_state[kept])
    except AegisError as error:
        complain(str(error), "Refused")
        return None
    if st.session_state.get(widget) is None:
        with facts():
            fact("Uploaded before", received.name)
            if st.button("Remove", key=f"{key}_remove", icon=":material/delete:"):
                st.session_state[kept] = None
                st.rerun()
    return received


def _identify(checkpoint: Upload) -> Identity | None:
    key = ("scan_identity", checkpoint.digest)
    if st.session_state.get("scan_identity_of", (None,))[0] != key:
        st.session_state["scan_identity_of"] = key, identify(checkpoint)
    identity: Identity | None = st.session_state["scan_identity_of"][1]
    return identity
