"""Finished work for pages to show."""

import pytest

from tests.finished import finish


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A scan that is done."""
    return finish(tmp_path_factory.mktemp("finished"))
