"""What pages will need is imported once, behind them."""

import importlib.util

from aegis.ui import warm


def test_the_libraries_are_imported_once_by_a_thread_that_holds_nothing_up(monkeypatch):
    imported = []
    monkeypatch.setattr(warm.importlib, "import_module", imported.append)
    monkeypatch.setattr(warm, "DELAY", 0.0)
    warm.warm_up.clear()
    timer = warm.warm_up()
    timer.join(60)
    assert timer.daemon
    assert warm.warm_up() is timer
    assert imported == list(warm.LIBRARIES)
    # Plotly would use a pandas that is half imported.
    assert imported[0] == "pandas"
    assert all(importlib.util.find_spec(name.partition(".")[0]) for name in warm.LIBRARIES)
