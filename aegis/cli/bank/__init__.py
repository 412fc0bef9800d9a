"""The commands of ``aegis bank``."""
