"""Fleet: many suspects at once, how far each is, and what came of it."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.fleet.page import fleet_page
    from aegis.ui.frame import frame

    frame("Fleet · AEGIS")
    fleet_page()
