"""Files that a browser sends, kept while its session shows other things."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError
from aegis.ui.components.widgets import complain, fact, facts
from aegis.ui.uploads import MAX_BYTES, Upload, upload

MIB = MAX_BYTES >> 20


def receive(label: str, key: str, kinds: list[str] | None, tip: str) -> Upload | None:
    """Shows a widget that takes a file.

    Args:
        label: of the widget.
        key: that its own keys begin with.
        kinds: endings of files, or None for any.
        tip: shown on hover.

    Returns:
        The file; None until there is one that is not refused.
    """
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
