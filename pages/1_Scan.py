"""Scan: choose a suspect, watch it being examined, read the verdict."""

from aegis import ui
from aegis.ui.scan.page import scan_page

ui.frame("Scan · AEGIS")
scan_page()
