"""Compare: two finished scans side by side, such as of two versions of one model."""

from aegis import ui
from aegis.ui.history.compare import compare_page

ui.frame("Compare · AEGIS")
compare_page()
