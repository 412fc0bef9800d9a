"""The detector's toy model and its images."""

from tests.detect.conftest import clean, data

__all__ = ["clean", "data"]
