"""Scan: choose a suspect, watch it being examined, read the verdict."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.frame import frame
    from aegis.ui.scan.page import scan_page

    frame("Scan · AEGIS")
    scan_page()
