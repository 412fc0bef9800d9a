"""Home: what AEGIS is, the available suspects, and how to start."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.frame import frame
    from aegis.ui.home.page import home_page

    frame("AEGIS")
    home_page()
