"""Pages over a folder of suspects and a store of their own."""

import json
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aegis.store.store import Store
from tests.finished import TESTED
from tests.layers import ROOT
from tests.stored_scan import KEY, as_clean, keep_finished

SCAN, INSPECT, HISTORY = "pages/1_Scan.py", "pages/2_Inspect_Class.py", "pages/3_History.py"
COMPARE = "pages/4_Compare.py"
# Of the finished scan, the class with the most difficult name.
LABEL = TESTED[1]


@pytest.fixture
def kept(suspects):
    """The store that pages see."""
    return Store()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A scan whose images were uploaded: the folder of its store, its record and its images."""
    store = Store(tmp_path_factory.mktemp("made") / "store")
    return store.folder, *keep_finished(store)


@pytest.fixture
def keep(kept, made):
    """Keeps that scan for the pages, as one of another file or images, or with other fields of its record."""
    folder, record, _ = made
    shutil.copytree(folder / "arrays", kept.folder / "arrays", dirs_exist_ok=True)

    def keep_it(key=KEY, file=None, name="upload: toy.npz", **changes):
        if file is not None:
            changes["model"] = record.model.model_copy(update={"file": file, "sha256": key})
        if changes.get("verdict") == "clean":
            changes |= as_clean(record)
        data = record.data.model_copy(update={"name": name})
        one = record.model_copy(update={"data": data, **changes})
        kept.keep_scan(key, one)
        return one

    return keep_it


@pytest.fixture
def open_page(suspects):
    """Opens a page with what follows the question mark in its address, and with values that widgets begin with."""

    def open_it(page, state=None, **query):
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        at.switch_page(page)
        for name, value in (state or {}).items():
            at.session_state[name] = value
        for name, value in query.items():
            at.query_params[name] = value
        return run(at)

    return open_it


@pytest.fixture
def visit(open_page, monkeypatch):
    """Opens Inspect Class on a server that was just started, with variables and query parameters."""

    def visit_it(environment, **parameters):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        return open_page(INSPECT, **parameters)

    return visit_it


@pytest.fixture
def page(visit, finished):
    """The page with a class of the finished scan, in the paper's space."""
    return visit(finished.environment, **{"scan": finished.key, "class": str(LABEL), "space": "features"})


def run(at):
    """One more run without a traceback."""
    at.run()
    assert not at.exception
    return at


def everything(at):
    """All that is said on the page."""
    parts = [*at.title, *at.header, *at.markdown, *at.text, *at.code, *at.caption, *at.info, *at.warning]
    return "\n".join(part.value for part in parts)


def parsed(at):
    """All on the page that Streamlit takes for markup."""
    return "\n".join(part.value for part in [*at.markdown, *at.caption, *at.title, *at.header, *at.info, *at.html])


def drawn(at):
    """All markup of ours on the page."""
    return "\n".join(part.value for part in at.html)


def scatters(at):
    """What the browser is told to draw, of every scatter on the page."""
    drawn = [json.loads(one.proto.json) for one in at.get("bidi_component") if one.proto.json]
    return [one for one in drawn if isinstance(one, dict) and "points" in one]


def button(at, label):
    return next(one for one in at.button if one.label == label)


def labels(at):
    """Of all buttons."""
    return [one.label for one in at.button]
