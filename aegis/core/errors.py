"""What can go wrong in words a user can act on: expected, got, what to do."""

from aegis.core.text import printable

# Characters of a part: what is quoted may be as long as a file.
LIMIT = 2000


class AegisError(Exception):
    """A problem with what the user gave; its text is the whole message shown, on one line and without escapes.

    Args:
        expected: what would have been right.
        got: what came instead.
        advice: what to do about it.
    """

    def __init__(self, expected: str, got: str, advice: str) -> None:
        # Messages quote files, and whatever shows them must not be steered by what is quoted.
        self.expected, self.got, self.advice = (printable(part, LIMIT) for part in (expected, got, advice))
        super().__init__(self.expected, self.got, self.advice)

    def __str__(self) -> str:
        return f"Expected {self.expected}; got {self.got}. {self.advice}"


class DataError(AegisError):
    """Images or labels that cannot be used."""


class CheckpointError(AegisError):
    """A checkpoint, card or architecture that cannot be used."""


class ConfigError(AegisError):
    """A setting outside its range."""


class StoreError(AegisError):
    """Results that cannot be kept or found."""
