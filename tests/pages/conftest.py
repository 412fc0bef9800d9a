"""Pages over a folder of suspects and a store of their own."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aegis.store.store import Store
from tests.finished import TESTED
from tests.layers import ROOT

INSPECT = "pages/2_Inspect_Class.py"
# Of the finished scan, the class with the most difficult name.
LABEL = TESTED[1]


@pytest.fixture
def kept(suspects):
    """The store that pages see."""
    return Store()


@pytest.fixture
def open_page(suspects):
    """Opens a page with what follows the question mark in its address, and with values that widgets begin with."""

    def open_it(page, state=None, **query):
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        at.switch_page(page)
        for name, value in (state or {}).items():
            at.session_state[name] = value
        for name, value in query.items():
            at.query_params[name] = value
        return run(at)

    return open_it


@pytest.fixture
def visit(monkeypatch):
    """Opens the page with variables and query parameters."""

    def open_page(environment, **parameters):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        at.switch_page(INSPECT)
        for name, value in parameters.items():
            at.query_params[name] = value
        return run(at)

    return open_page


@pytest.fixture
def page(visit, finished):
    """The page with a class of the finished scan."""
    return visit(finished.environment, **{"scan": finished.key, "class": str(LABEL)})


def run(at):
    """One more run without a traceback."""
    at.run()
    assert not at.exception
    return at


def everything(at):
    """All that is said on the page."""
    parts = [*at.title, *at.header, *at.markdown, *at.text, *at.code, *at.caption, *at.info, *at.warning]
    return "\n".join(part.value for part in parts)


def button(at, label):
    return next(one for one in at.button if one.label == label)
