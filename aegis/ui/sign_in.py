"""Sign-in through an OpenID Connect provider, for servers that others can reach: off until secrets.toml says how."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from aegis.core.errors import ConfigError
from aegis.core.text import printable
from aegis.ui.components.widgets import LOGO, complain

SECTION = "auth"
WHO = "Ask whoever runs this server; the README says what it needs."


def admit() -> None:
    """Let the page go on for users who may see it; for all others, show how to sign in and end it."""
    try:
        settings = _settings()
        if settings is None or _signed_in():
            return
        _show_card(settings)
    except ConfigError as error:
        complain(str(error), "Not possible")
    st.stop()


def show_user() -> None:
    """Show who is signed in with a way to sign out; nothing where signing in is off."""
    if not _signed_in():
        return
    name = next((st.user[key] for key in ("name", "email") if st.user.get(key)), "Signed in")
    with st.sidebar.container(key="user"):
        st.text(printable(str(name), 60))
        if st.button("Sign out", icon=":material/logout:", key="sign-out"):
            st.logout()


def _settings() -> Mapping[str, Any] | None:
    """What secrets.toml says of sign-in, or None where it is off.

    Raises:
        ConfigError: if that cannot be told, since a door whose key is lost is no open door.
    """
    try:
        if SECTION not in st.secrets:
            return None
        section = st.secrets[SECTION]
    except (OSError, ValueError) as error:
        # Streamlit raises the same error when there is no file.
        if not any(Path(path).exists() for path in st.get_option("secrets.files")):
            return None
        raise ConfigError("a secrets.toml that can be read", type(error).__name__, WHO) from error
    if not isinstance(section, Mapping):
        raise ConfigError(f"a section [{SECTION}] in secrets.toml", "another value of that name", WHO)
    return section


def _signed_in() -> bool:
    return st.user.get("is_logged_in") is True


def _providers(settings: Mapping[str, Any]) -> list[str | None]:
    """Names of the providers, None for the one without a name."""
    named = [name for name, value in settings.items() if isinstance(value, Mapping) and "client_id" in value]
    return [None, *named] if "client_id" in settings or not named else [*named]


def _show_card(settings: Mapping[str, Any]) -> None:
    middle = st.container(horizontal_alignment="center")
    with middle.container(border=True, key="sign-in", width=420):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.image(str(LOGO), width=48, alt="")
            st.title("AEGIS", anchor=False)
        st.markdown("Sign in to see suspects and scans.")
        for provider in _providers(settings):
            label = "Sign in" if provider is None else f"Sign in with {provider}"
            if st.button(label, icon=":material/login:", type="primary", width="stretch"):
                _go(provider)


def _go(provider: str | None) -> None:
    try:
        st.login(provider)
    except StreamlitAPIException as error:
        raise ConfigError("sign-in that is set up", printable(str(error).rstrip("."), 300), WHO) from error
