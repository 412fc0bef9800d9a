"""Compare: two finished scans side by side, such as of two versions of one model."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.frame import frame
    from aegis.ui.history.compare import compare_page

    frame("Compare · AEGIS")
    compare_page()
