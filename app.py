"""Home: what AEGIS is, the available suspects, and how to start."""

from aegis import ui
from aegis.ui.home import home_page

ui.frame("AEGIS")
home_page()
