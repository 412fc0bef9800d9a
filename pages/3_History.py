"""History: the list of finished scans, from which a scan is opened or two are compared."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.frame import frame
    from aegis.ui.history.listing import history_page

    frame("History · AEGIS")
    history_page()
