"""Errors with a message that a user can act on: what was expected, what came, what to do."""

from aegis.core.text import printable

# Characters of each part of a message, since quoted text may be as long as a file.
LIMIT = 2000


class AegisError(Exception):
    """Reports a problem with the user's input; its text is the whole message, on one line and without control
    characters.

    Args:
        expected: what would have been right.
        got: what came instead.
        advice: what the user can do about it.
    """

    def __init__(self, expected: str, got: str, advice: str) -> None:
        # Messages quote files, and quoted control characters must not steer a terminal.
        self.expected, self.got, self.advice = (printable(part, LIMIT) for part in (expected, got, advice))
        super().__init__(self.expected, self.got, self.advice)

    def __str__(self) -> str:
        return f"Expected {self.expected}; got {self.got}. {self.advice}"


class DataError(AegisError):
    """Images or labels cannot be used."""


class CheckpointError(AegisError):
    """A checkpoint, card or architecture cannot be used."""


class ConfigError(AegisError):
    """A setting lies outside its range."""


class StoreError(AegisError):
    """Results cannot be saved or found."""
