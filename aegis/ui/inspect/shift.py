"""Whether Shift was held at the last press on a chart, which the chart itself does not tell."""

from __future__ import annotations

import streamlit as st

KEY = "inspect-shift"
# Says so only when it changes, before the click that the chart reports: usual clicks cost nothing.
_SCRIPT = """
export default function ({ setStateValue }) {
  const tell = (event) => {
    const held = event.shiftKey;
    if (held === window.aegisShift || !(event.target instanceof Element)) return;
    if (!event.target.closest('[class*="st-key-inspect-chart"]')) return;
    window.aegisShift = held;
    setStateValue("held", held);
  };
  window.aegisShift ??= false;
  document.addEventListener("pointerdown", tell, true);
  return () => document.removeEventListener("pointerdown", tell, true);
}
"""


def watch_shift() -> None:
    """Have the browser say so; nothing is to be seen of it."""
    watch = st.components.v2.component("aegis_shift", js=_SCRIPT)
    watch(key=KEY, default={"held": False}, on_held_change=lambda: None, height=0)


def shift_held() -> bool:
    """Whether the last click, box or lasso is to add to the selection."""
    said = st.session_state.get(KEY)
    return bool(said and said["held"])
