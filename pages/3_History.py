"""History: the list of finished scans, from which a scan is opened or two are compared."""

from aegis import ui
from aegis.ui.history.listing import history_page

ui.frame("History · AEGIS")
history_page()
