"""Who may look at the console: the own machine or an administrator's key, and no form of another page."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app.wiring import running
from gateway.console.sessions import COOKIE
from gateway.settings import Settings

SECRETS = {"app": "apps-secret-1", "owner": "owner-secret-1"}
VIEWS = ("/", "/console/savings", "/console/requests", "/console/requests/req_1")
OWN = {"Sec-Fetch-Site": "same-origin"}


class Asked:
    """An answer that was read."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str, cookie: str) -> None:
        self.status, self.headers, self.text, self.cookie = status, headers, text, cookie


@asynccontextmanager
async def gateway(folder: Path, host: str = "127.0.0.1", *, keys: bool = True, **server: Any) -> AsyncIterator[str]:
    """Run a gateway on this address, and yield its URL on loopback."""
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
    made = {name: {"secret": f"file:{folder / name}", "admin": name == "owner"} for name in SECRETS} if keys else {}
    target = {"kind": "openai", "zone": "local", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    settings = Settings(
        server={"port": 0, "host": host, **server}, state_dir=folder, targets={"den": target}, keys=made
    )
    async with running(settings) as one:
        yield f"http://127.0.0.1:{one.url.rsplit(':', 1)[1]}"


async def ask(url: str, method: str = "GET", *, form: Mapping[str, str] | str | None = None, **headers: str) -> Asked:
    """Ask as a browser would, without keeping cookies."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        http.request(method, url, data=form, headers=named, allow_redirects=False) as answer,
    ):
        cookie = answer.cookies.get(COOKIE)
        return Asked(answer.status, answer.headers, await answer.text(), cookie.OutputString() if cookie else "")


async def signed_in(url: str, secret: str) -> str:
    """Sign in, and return the cookie header."""
    done = await ask(f"{url}/console/login", "POST", form={"key": secret}, **OWN)
    assert done.status == 303
    return done.cookie.partition(";")[0]


async def test_the_own_machine_may_look(tmp_path) -> None:
    """On loopback, under its names, pages need no key; the headers let nothing in or out."""
    async with gateway(tmp_path) as url:
        for view in VIEWS:
            page = await ask(url + view)
            assert page.status in (200, 404)
            assert "<h1>" in page.text
            policy = page.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "aduana.lan"},
        {"X_Forwarded_For": "10.1.2.3"},
        {"x_forwarded_proto": "https"},
        {"Forwarded": "for=10.1.2.3"},
        {"Via": "1.1 proxy"},
    ],
)
@pytest.mark.parametrize("keys", [True, False])
async def test_behind_a_proxy_a_key_is_needed(tmp_path, headers, keys) -> None:
    """Who comes by another name than loopback's, or by a proxy that says so, is not at this machine."""
    async with gateway(tmp_path, keys=keys, allowed_hosts=["aduana.lan"]) as url:
        for view in VIEWS:
            page = await ask(url + view, **headers)
            assert page.status == 401
            assert 'name="key"' in page.text
            assert "<nav" not in page.text
        for form in ("/console/try", "/console/policy", "/console/models/den/load"):
            page = await ask(url + form, "POST", form={"text": "Tides."}, **OWN, **headers)
            assert page.status == 401


async def test_an_old_proxy_needs_a_key(tmp_path) -> None:
    """HTTP/1.0 comes from a proxy that says nothing of itself, never from a browser."""
    async with (
        gateway(tmp_path) as url,
        aiohttp.ClientSession(version=aiohttp.HttpVersion10) as http,
        http.get(url + "/") as answer,
    ):
        assert answer.status == 401


@pytest.mark.parametrize("keys", [True, False])
async def test_beyond_loopback_an_administrators_key_is_needed(tmp_path, keys) -> None:
    """An app's key does not open the console, nor does a gateway that answers everybody; an administrator's does."""
    async with gateway(tmp_path, "0.0.0.0", keys=keys, anonymous=True) as url:
        assert (await ask(url + "/")).status == 401
        assert (await ask(url + "/", Authorization="Bearer apps-secret-1")).status == 401
        owner = await ask(url + "/", Authorization="Bearer owner-secret-1")
        assert owner.status == (200 if keys else 401)


async def test_signing_in_and_out(tmp_path) -> None:
    """A key begins a session, which a random cookie carries and the button ends; the key stands nowhere."""
    async with gateway(tmp_path, "0.0.0.0") as url:
        wrong = await ask(f"{url}/console/login", "POST", form={"key": "guessed"}, **OWN)
        assert (wrong.status, wrong.cookie) == (401, "")
        done = await ask(f"{url}/console/login", "POST", form={"key": "owner-secret-1"}, **OWN)
        assert done.status == 303
        assert re.search(r"HttpOnly", done.cookie)
        assert re.search(r"SameSite=Strict", done.cookie)
        assert "owner-secret-1" not in done.cookie
        cookie = done.cookie.partition(";")[0]
        page = await ask(url + "/", Cookie=cookie)
        assert page.status == 200
        assert "Sign out" in page.text
        assert "owner-secret-1" not in page.text
        out = await ask(f"{url}/console/logout", "POST", form={}, Cookie=cookie, **OWN)
        assert out.status == 303
        assert (await ask(url + "/", Cookie=cookie)).status == 401


@pytest.mark.parametrize(("secret", "status"), [("", 413), ("owner-secret-1", 400)])
async def test_a_form_that_is_too_much_work_is_refused(tmp_path, secret, status) -> None:
    """Without a key only as much is read as a key needs; nobody makes the gateway take millions of fields apart."""
    async with gateway(tmp_path, "0.0.0.0") as url:
        key = {"Authorization": f"Bearer {secret}"} if secret else {}
        many = await ask(f"{url}/console/login", "POST", form="a=1&" * 100_000, **OWN, **key)
        assert many.status == status


async def test_a_session_of_an_app_sees_nothing(tmp_path) -> None:
    """An ordinary key may sign in, to try a model on the own machine; it does not open the console elsewhere."""
    async with gateway(tmp_path, "0.0.0.0") as url:
        page = await ask(url + "/", Cookie=await signed_in(url, "apps-secret-1"))
        assert page.status == 401
        assert "not an administrator’s" in page.text


async def test_a_session_ends_with_its_key(tmp_path) -> None:
    """When the key gets a new secret, whoever signed in with the old one is out."""
    async with gateway(tmp_path, "0.0.0.0") as url:
        cookie = await signed_in(url, "owner-secret-1")
        assert (await ask(url + "/", Cookie=cookie)).status == 200
        (tmp_path / "owner").write_text("owner-secret-2")
        async with asyncio.timeout(20):  # the file is looked at every few seconds
            while (await ask(url + "/", Cookie=cookie)).status == 200:  # noqa: ASYNC110 - another task reads it
                await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "none"}, False),
        ({"Origin": "OWN"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
        ({"Authorization": "Bearer owner-secret-1"}, True),
        ({"Sec_Fetch_Site": "cross-site", "Authorization": "Bearer owner-secret-1"}, False),
    ],
)
async def test_a_form_of_another_page_does_nothing(tmp_path, headers, let_in) -> None:
    """A browser that is elsewhere can't be made to act here, whatever cookie or place it has."""
    async with gateway(tmp_path) as url:
        given = {name: url if value == "OWN" else value for name, value in headers.items()}
        done = await ask(f"{url}/console/login", "POST", form={"key": "owner-secret-1"}, **given)
        assert (done.status == 303) is let_in
        assert bool(done.cookie) is let_in


async def test_a_page_that_may_ask_models_may_not_read_the_console(tmp_path) -> None:
    """`server.allowed_origins` opens the API to a web page, not the console."""
    chat = {"Origin": "http://chat.example"}
    async with gateway(tmp_path, keys=False, allowed_origins=["http://chat.example"]) as url:
        models = await ask(f"{url}/v1/models", **chat)
        assert models.status == 200
        for view in VIEWS:
            page = await ask(url + view, **chat)
            assert page.status == 403
            assert "<h1>" not in page.text
