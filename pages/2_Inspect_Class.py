"""Inspect Class: the points of one class, their clusters, and the images behind them."""

from aegis import ui
from aegis.ui.inspect import one_class as inspect_class

ui.frame("AEGIS: inspect class")
inspect_class.show()
