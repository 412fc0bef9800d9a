"""State dictionaries as files hold them, without a file."""

from aegis.models.architectures import build
from aegis.models.intake.sandbox import Contents
from aegis.models.intake.sandbox_output import Layout


def holding(tensors):
    """Contents of a file with these tensors and nothing else."""
    return Contents(tensors, None, "0" * 64, Layout())


def state(architecture, channels=3, classes=10, prefix=""):
    """A network's state dictionary with fresh weights, under a prefix."""
    return {f"{prefix}{n}": t for n, t in build(architecture, channels, classes).state_dict().items()}
