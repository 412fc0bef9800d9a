"""Sign-in in a real Chromium, against a provider of our own."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serve
from tests.browser.oidc import provide

pytest.importorskip("authlib", reason="Sign-in needs Authlib: pip install -e .[signin]")
NAME = "<b>Ada</b> **Lovelace**"


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    """A dashboard with sign-in."""
    folder = tmp_path_factory.mktemp("signin")
    secrets = folder / "secrets.toml"
    with provide({"name": NAME, "email": "ada@example.org"}) as provider:
        secrets.write_text(
            f"""[auth]
            redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
            cookie_secret = "a secret that is long enough"
            client_id = "aegis"
            client_secret = "secret"
            server_metadata_url = "{provider}/.well-known/openid-configuration"
            """
        )
        with serve(folder, folder / "log", None, f"--secrets.files={secrets}") as address:
            yield address


def headings_outside(page):
    """What stands on a page that asks to sign in and leads nowhere else."""
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_test_id("stPageLink")).to_have_count(0)
    return page.get_by_role("heading").all_inner_texts()


def test_nobody_comes_in_with_a_cookie_of_his_own_but_by_signing_in_until_signing_out(address, visit):
    page = visit()
    assert headings_outside(page) == ["AEGIS"]
    page.context.add_cookies([{"name": "_streamlit_user", "value": '{"is_logged_in":true}', "url": address}])
    page.goto(address)
    assert headings_outside(page) == ["AEGIS"]
    page.get_by_role("button", name="Sign in").click()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text(NAME)).to_be_visible()
    expect(page.get_by_role("heading", name="Suspects")).to_be_visible()
    page.goto(f"{address}/History")
    expect(page.get_by_text(re.compile("No scans yet"))).to_be_visible()
    sidebar.get_by_role("button", name="Sign out").click()
    assert headings_outside(page) == ["AEGIS"]
    page.goto(f"{address}/History")
    assert headings_outside(page) == ["AEGIS"]
