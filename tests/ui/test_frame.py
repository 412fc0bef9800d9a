"""Sign-in: off by default; where it is on, no page shows or runs anything for who is not signed in."""

import pytest
from streamlit.testing.v1 import AppTest

from aegis.ui import frame
from tests.layers import ROOT
from tests.pages.conftest import button, labels
from tests.suspects import HOSTILE

PAGES = ["app.py", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "pages").glob("*.py"))]
AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a secret that is long enough",
    "client_id": "aegis",
    "client_secret": "x",
    "server_metadata_url": "http://localhost:1/.well-known/openid-configuration",
}
USER = {"is_logged_in": True, "name": "Ada", "email": "ada@example.org"}


pytestmark = pytest.mark.usefixtures("suspects")


def open_page(page="app.py", auth=None, user=None, **query):
    """A page by its own address."""
    at = AppTest.from_file(str(ROOT / page), default_timeout=60)
    if auth is not None:
        at.secrets["auth"] = auth
    if user is not None:
        at.user = user
    for name, value in query.items():
        at.query_params[name] = value
    return at


def is_closed(at):
    """Nothing is there but the card."""
    return [one.value for one in at.title] == ["AEGIS"] and not at.header and not at.sidebar.get("page_link")


def test_it_is_off_by_default():
    at = open_page().run()
    assert not at.exception
    assert "Suspects" in [one.value for one in at.header]
    assert "Sign out" not in labels(at)
    assert len(at.sidebar.get("page_link")) == len(frame.PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_closed_before_anything_of_it_runs(page, tmp_path):
    at = open_page(page, AUTH, {}, scan="a" * 64, one="a" * 64, other="b" * 64, job="x").run()
    assert not at.exception
    assert is_closed(at)
    assert labels(at) == ["Sign in"]
    # Pages make the store when they look into it.
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("user", [{"is_logged_in": False}, {"is_logged_in": "yes"}, {"name": "Ada"}])
def test_nothing_but_being_signed_in_opens_it(user):
    assert is_closed(open_page(auth=AUTH, user=user).run())


def test_whoever_is_signed_in_sees_the_page_and_their_name_until_they_sign_out():
    at = open_page(auth=AUTH, user=USER).run()
    assert "Suspects" in [one.value for one in at.header]
    assert [one.value for one in at.sidebar.text] == ["Ada"]
    at.user = {"is_logged_in": True, "email": "ada@example.org"}
    assert [one.value for one in at.run().sidebar.text] == ["ada@example.org"]
    button(at, "Sign out").click()
    at.run()
    assert is_closed(at.run())


@pytest.mark.parametrize("name", [HOSTILE[1], "a\nb\x1b[2J" + "x" * 500])
def test_a_name_is_never_parsed(name):
    at = open_page(auth=AUTH, user={**USER, "name": name}).run()
    (shown,) = (one.value for one in at.sidebar.text)
    assert shown.isprintable()
    assert len(shown) <= 60
    assert name not in "\n".join(one.value for one in [*at.sidebar.markdown, *at.sidebar.caption])


def test_each_provider_has_its_button():
    shared = {name: AUTH[name] for name in ("redirect_uri", "cookie_secret")}
    client = {name: AUTH[name] for name in ("client_id", "client_secret", "server_metadata_url")}
    at = open_page(auth={**shared, "okta": client, "google": client, "client_kwargs": {"prompt": "login"}}, user={})
    assert labels(at.run()) == ["Sign in with okta", "Sign in with google"]


def test_a_section_that_is_not_complete_is_a_message_and_opens_nothing():
    at = open_page(auth={"redirect_uri": AUTH["redirect_uri"]}, user={}).run()
    at.button[0].click()
    at.run()
    assert not at.exception
    assert is_closed(at)
    assert any(one.value.startswith("Expected sign-in that is set up; got ") for one in at.text)


def test_a_section_that_is_none_or_empty_opens_nothing():
    at = open_page(auth="off", user={}).run()
    assert not at.header
    assert any("a section [auth] in secrets.toml" in one.value for one in at.text)
    assert is_closed(open_page(auth={}, user={}).run())


@pytest.mark.parametrize("content", [b"[auth\n", b"\xff\xfe", b"auth = { client_id = 'x' }\nauth = 3\n"])
def test_a_file_that_cannot_be_read_opens_nothing(tmp_path, monkeypatch, content):
    from streamlit import config
    from streamlit.runtime.secrets import secrets_singleton

    path, real = tmp_path / "secrets.toml", config.get_option
    path.write_bytes(content)
    for module in ("streamlit.config", "streamlit"):
        option = f"{module}.get_option"
        monkeypatch.setattr(option, lambda name: [str(path)] if name == "secrets.files" else real(name))
    secrets_singleton._reset()
    at = open_page(user={}).run()
    assert not at.exception
    assert not at.header
    assert any(one.value.startswith("Expected a secrets.toml that can be read") for one in at.text)
