"""What pages are made of; the only place in the package that imports Streamlit."""

from aegis.ui.scan_recent import show_recent, show_running
from aegis.ui.suspects import list_suspects, suspects_folder
from aegis.ui.widgets import LOGO, frame, suspect_card

__all__ = ["LOGO", "frame", "list_suspects", "show_recent", "show_running", "suspect_card", "suspects_folder"]
