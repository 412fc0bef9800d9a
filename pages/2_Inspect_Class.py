"""Inspect Class: the points of one class, their clusters, and the images behind them."""

from aegis import ui
from aegis.ui.inspect.page import inspect_page

ui.frame("AEGIS: inspect class")
inspect_page()
