"""Fixtures that records share with the detector."""

from tests.detect.conftest import clean, data, infected, scans

__all__ = ["clean", "data", "infected", "scans"]
