"""The version of AEGIS."""

__version__ = "0.1.0"
