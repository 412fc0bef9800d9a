"""Baselines: what other detectors say about a suspect that was scanned."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.baselines.page import baselines_page
    from aegis.ui.frame import frame

    frame("Baselines · AEGIS")
    baselines_page()
