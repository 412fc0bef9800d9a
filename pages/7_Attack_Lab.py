"""Attack Lab: train a model with a backdoor or without one, and scan it."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.frame import frame
    from aegis.ui.lab.page import lab_page

    frame("Attack lab · AEGIS")
    lab_page()
