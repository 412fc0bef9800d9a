"""The frame of every page: title, width, navigation, and sign-in through an OpenID Connect provider.

Sign-in is for servers that others can reach, and off until secrets.toml says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from aegis.core.errors import ConfigError
from aegis.core.text import printable
from aegis.ui.browser import is_signed_in, mark_browser, signed_in_name
from aegis.ui.components.widgets import BASELINES, EXPERIMENTS, FLEET, HISTORY, HOME, INSPECT, LAB, LOGO, SCAN, complain
from aegis.ui.warm import warm_up

PAGES = (
    (HOME, "Home", ":material/home:"),
    (SCAN, "Scan", ":material/radar:"),
    (INSPECT, "Inspect class", ":material/search:"),
    (HISTORY, "History", ":material/history:"),
    (FLEET, "Fleet", ":material/lan:"),
    (BASELINES, "Baselines", ":material/balance:"),
    (EXPERIMENTS, "Experiments", ":material/science:"),
    (LAB, "Attack lab", ":material/bug_report:"),
)
# As narrow as Streamlit allows: charts need the room.
SIDEBAR = 200
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 76rem; padding: 4rem 2.5rem 3rem; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4rem 1rem 3rem; } }
[data-testid="stMainBlockContainer"] p { text-wrap-style: pretty; }
[class*="st-key-card-"] [data-testid="stText"] { overflow-wrap: anywhere; }
[class*="st-key-card-"] a p { color: light-dark(#0b62a8, #5ab4f0); font-weight: 600; }
[class*="st-key-card-"] [data-testid="stCaptionContainer"] { margin: 0; line-height: 1.25; }
[class*="st-key-card-"] [data-testid="stCaptionContainer"] p { margin: 0; }
/* The page itself is no control: a key pressed after a click beside everything would frame it. */
[data-testid="stMain"]:focus-visible { outline: none; box-shadow: none; }
/* Streamlit's own is too faint to be read by everybody. */
[data-testid="stCaptionContainer"] { opacity: 1; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { color: light-dark(#5a6878, #9fadbd); }
/* White on the dark theme's light blue would be hard to read. */
[data-testid="stBaseButton-primary"],
[data-testid="stMultiSelect"] [data-baseweb="tag"] { color: light-dark(#fff, #0f1722); }
</style>"""
SECTION = "auth"
WHO = "Ask whoever runs this server; the README says what it needs."


def frame(title: str) -> None:
    """Opens a page; where signing in is needed and nobody is signed in, the page ends here."""
    st.set_page_config(page_title=title, page_icon=str(LOGO), layout="wide", initial_sidebar_state=SIDEBAR)
    st.html(_STYLE)
    admit()
    warm_up()
    for page, name, icon in PAGES:
        st.sidebar.page_link(page, label=name, icon=icon)
    with st.sidebar:
        mark_browser()
    show_user()


def admit() -> None:
    """Lets the page go on for users who may see it; for all others, shows how to sign in and ends it."""
    try:
        settings = _settings()
        if settings is None or is_signed_in():
            return
        _show_card(settings)
    except ConfigError as error:
        complain(str(error), "Not possible")
    st.stop()


def show_user() -> None:
    """Shows who is signed in with a way to sign out; nothing where signing in is off."""
    if not is_signed_in():
        return
    with st.sidebar.container(key="user"):
        st.text(signed_in_name())
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
