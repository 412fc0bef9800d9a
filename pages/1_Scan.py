"""Scan: choose a suspect, watch it being examined, read the verdict."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis import ui
    from aegis.ui.scan.page import scan_page

    ui.frame("Scan · AEGIS")
    scan_page()
