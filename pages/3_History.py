"""History: what was scanned, with what and what came out; a scan opened again, two side by side."""

from aegis import ui
from aegis.ui.history.page import history_page

ui.frame("History · AEGIS")
history_page()
