"""Experiments: tables, figures and findings of the paper, ours beside its."""

# Processes of long work read this file too, under another name, and need nothing of it.
if __name__ == "__main__":
    from aegis.ui.experiments.page import experiments_page
    from aegis.ui.frame import frame

    frame("Experiments · AEGIS")
    experiments_page()
