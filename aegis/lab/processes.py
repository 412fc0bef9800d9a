"""Processes for long work beside a machine's other work."""

from __future__ import annotations

import multiprocessing
import os
import threading


def prepare() -> None:
    """In a new process: one torch thread, behind what people wait for, and an end with the one who asked for it."""
    import torch

    torch.set_num_threads(1)
    os.nice(10)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A pool's processes would otherwise go on for hours after their parent was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
