"""The dashboard; the only room of the package that imports Streamlit."""

from aegis.ui.components.recent import show_recent, show_running
from aegis.ui.components.widgets import LOGO
from aegis.ui.frame import frame
from aegis.ui.suspects import command_for, list_suspects, suspects_folder

__all__ = ["LOGO", "command_for", "frame", "list_suspects", "show_recent", "show_running", "suspects_folder"]
