"""Whose browser this is: the user who signed in, or else an id in a cookie, which outlives a reload of the page."""

from __future__ import annotations

import hashlib
import re
import secrets

import streamlit as st

from aegis.core.text import printable
from aegis.records.review import AUTHOR

# Names stand in the scripts as well.
COOKIE, STATE = "aegis_browser", "browser"
TOURED, YES = "aegis_toured", "1"
_ID = re.compile(r"[\w-]{32}")
# Of two pages that are opened at once, the one that comes second takes the id of the first.
_SCRIPT = """
export default function ({ data, setStateValue }) {
  const name = "aegis_browser=";
  const kept = document.cookie.split("; ").find((one) => one.startsWith(name));
  if (kept) {
    if (kept !== name + data) setStateValue("kept", kept.slice(name.length));
    return;
  }
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}${data}; path=/; max-age=31536000; SameSite=Strict${secure}`;
}
"""
_NOTE = """
export default function () {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `aegis_toured=1; path=/; max-age=31536000; SameSite=Strict${secure}`;
}
"""


def mark_browser() -> None:
    """Gives the browser an id where it has none, and has it remember the tour; nothing is visible."""
    if st.session_state.get(TOURED) and st.context.cookies.get(TOURED) != YES:
        st.components.v2.component(TOURED, js=_NOTE)(key="aegis-toured", height=0)
    if is_signed_in() or _valid(st.context.cookies.get(COOKIE)):
        return
    mark = st.components.v2.component("aegis_browser", js=_SCRIPT)
    said = mark(key="aegis-browser", data=_id(), default={"kept": ""}, on_kept_change=lambda: None, height=0)
    if kept := _valid(said.get("kept")):
        st.session_state[STATE] = kept


def note_tour() -> None:
    """Remembers that this session's browser has seen or declined the tour."""
    st.session_state[TOURED] = True


def has_toured() -> bool:
    """Tells whether this browser has seen or declined the tour."""
    return st.context.cookies.get(TOURED) == YES or bool(st.session_state.get(TOURED))


def owner() -> str:
    """Tells this user or browser from others.

    Returns:
        A digest, from which the id cannot be found.
    """
    told = f"{st.user.get('iss')} {st.user.get('sub') or st.user.get('email')}" if is_signed_in() else _id()
    return hashlib.sha256(told.encode()).hexdigest()


def is_signed_in() -> bool:
    """Tells whether a user has signed in."""
    return st.user.get("is_logged_in") is True


def signed_in_name() -> str:
    """Names the user who signed in; empty where nobody has."""
    if not is_signed_in():
        return ""
    name = next((st.user[key] for key in ("name", "email") if st.user.get(key)), "Signed in")
    return printable(str(name), AUTHOR)


def _id() -> str:
    found: str = st.session_state.setdefault(STATE, _valid(st.context.cookies.get(COOKIE)) or secrets.token_urlsafe(24))
    return found


def _valid(said: object) -> str:
    return said if isinstance(said, str) and _ID.fullmatch(said) else ""
