"""Inspect Class: the points of one class, their clusters, and the images behind them."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.frame import frame
    from aegis.ui.inspect.page import inspect_page

    frame("Inspect class · AEGIS")
    inspect_page()
