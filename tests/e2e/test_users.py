"""People behind requests through the whole gateway: whom it knows, what they may do, what is written down of them."""

import itertools
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.accounts.names import pseudonym
from gateway.app.wiring import running
from gateway.cli import main
from gateway.ledger.ledger import FILE_NAME
from gateway.settings import Settings
from tests.standins.cloud import StandInCloud
from tests.standins.identity_provider import ISSUER, StandInProvider, claims_of, key_document, shared, token_of

POLICY = """
version: 1
labels: {default: public, tags: {health: sensitive}}
otherwise: {prefer: [cloud, home]}
"""
CHAT, MESSAGES, OLLAMA, RESPONSES = "/v1/chat/completions", "/v1/messages", "/api/chat", "/v1/responses"
SECRET = "a-secret-of-two-programs-that-is-long"
KEYS = {"webui": "key-of-webui", "desk": "key-of-desk"}
EMAIL = "carmen.ruiz@example.org"


class House:
    """A running gateway, its provider of tokens, a cloud and a home."""

    def __init__(self, session: aiohttp.ClientSession, url: str, state: Path, provider: StandInProvider) -> None:
        self.session = session
        self.url = url
        self.state = state
        self.provider = provider
        self._numbers = itertools.count(1)

    async def ask(self, path: str, token: str, method: str = "POST", **headers: str) -> aiohttp.ClientResponse:
        """Return the answer to a request with this bearer token."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        text = f"Say hello number {next(self._numbers)}, please."  # each a conversation of its own
        body: dict[str, Any] = {"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": text}]}
        if path.startswith(RESPONSES):
            body = {"model": "auto", "input": text}
        named["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.url + path, json=body, headers=named) as answer:
            await answer.read()
            return answer

    async def page(self, path: str) -> str:
        """Return a page of the console."""
        async with self.session.get(f"{self.url}/console/{path}") as answer:
            return await answer.text()

    def receipts(self) -> list[tuple[str, str | None]]:
        """Return key and user of each receipt, in order."""
        with sqlite3.connect(self.state / FILE_NAME) as ledger:
            return ledger.execute("SELECT key, user FROM receipts ORDER BY seq").fetchall()


@asynccontextmanager
async def opened(folder: Path, *, provider_up: bool = True, **users: Any) -> AsyncIterator[House]:
    """Open a house with a front end's key, an ordinary one, and a provider of tokens."""
    (folder / "policy.yaml").write_text(POLICY)
    for name, secret in {**KEYS, "shared": SECRET}.items():
        (folder / name).write_text(secret)
    async with StandInProvider() as provider, StandInCloud() as cloud, StandInCloud() as home:
        if not provider_up:
            provider.status = 500
        target = {"kind": "openai", "model": "m", "retries": 0}
        auth = {"issuer": ISSUER, "audience": "aduana", "jwks_url": provider.url, "algorithms": ("RS256", "ES256")}
        settings = Settings(
            server={"port": 0},
            state_dir=folder / "state",
            policy=(folder / "policy.yaml",),
            responses={"store": "on"},
            batches={"store": "on"},
            log={"level": "debug"},
            keys={
                "webui": {"secret": f"file:{folder / 'webui'}", "front_end": True},
                "desk": {"secret": f"file:{folder / 'desk'}", "user": "desk-owner"},
            },
            users={"providers": {"auth": auth}, **users},
            targets={
                "cloud": {**target, "zone": "cloud", "base_url": cloud.base_url, "api_key": f"file:{folder / 'desk'}"},
                "home": {**target, "zone": "local", "base_url": home.base_url},
            },
        )
        async with running(settings) as gateway, aiohttp.ClientSession() as session:
            yield House(session, gateway.url, folder / "state", provider)


GROUPS = {
    "doctors": {"tags": {"health"}},
    "small": {"models": {"home"}},
    "heads": {"admin": True},
}


async def test_a_token_says_who_asks_and_what_that_person_may_do(tmp_path: Path) -> None:
    """Groups give tags, models and administration; the user stands in the receipt; keys work as before."""
    async with opened(tmp_path, groups=GROUPS) as house:
        doctor = await house.ask(CHAT, token_of("ana", ("doctors",)))
        assert (doctor.status, doctor.headers["x-aduana-target"], doctor.headers["x-aduana-label"]) == (
            200, "home", "sensitive",
        )  # fmt: skip
        head = await house.ask(
            CHAT,
            token_of(
                "boss",
                ("heads",),
            ),
            x_aduana_explain="1",
        )
        assert head.status == 200
        assert (await house.ask(CHAT, token_of("ana", ("doctors",)), x_aduana_explain="1")).status == 403
        assert (await house.ask(CHAT, token_of("ben", ("small",)))).status == 404, "the model 'auto' is not theirs"
        assert (await house.ask(CHAT, token_of("eve", ("strangers",)))).status == 403
        assert (await house.ask(CHAT, KEYS["desk"])).headers["x-aduana-target"] == "cloud"
        assert house.receipts()[-2:] == [("auth", "ana"), ("desk", "desk-owner")]


@pytest.mark.parametrize(
    ("path", "kind"), [(CHAT, "authentication_error"), (MESSAGES, "authentication_error"), (OLLAMA, "error")]
)
async def test_a_token_that_does_not_count_is_401_in_the_clients_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], path: str, kind: str
) -> None:
    """Forged, expired, for others, confused and with an unknown key: 401 with what to do, and nothing in any log."""
    async with opened(tmp_path) as house:
        asked = house.provider.asked
        head, body, _ = token_of(EMAIL).split(".")
        bad = [
            token_of(EMAIL, exp=int(time.time()) - 3600),
            token_of(EMAIL, aud="somebody-else"),
            token_of(EMAIL, iss="https://evil.example"),
            token_of(EMAIL, signer="rsa-2"),
            shared(claims_of(EMAIL), house.provider.document.decode()),
            f"{head}.{body}.",
            "eyJhbGciOiJub25lIn0." + body + ".",
        ]
        for token in bad:
            for _ in range(2):
                answer = await house.ask(path, token)
                text = await answer.text()
                assert answer.status == 401, text
                assert kind in text
                assert EMAIL not in text
                assert token.split(".")[1] not in text
        assert house.provider.asked <= asked + 1, "unknown keys don't let it be asked again and again"
        assert (await house.ask(path, token_of(EMAIL))).status == 200
    out, err = capfd.readouterr()
    for token in bad:
        assert token.split(".")[1] not in out + err
    assert EMAIL not in out + err


async def test_keys_work_while_the_provider_is_down_and_tokens_when_it_is_back(tmp_path: Path) -> None:
    """The gateway starts without it and serves keys; tokens are 503 until its keys could be read."""
    async with opened(tmp_path, provider_up=False) as house:
        assert (await house.ask(CHAT, KEYS["desk"])).status == 200
        refused = await house.ask(CHAT, token_of("ana"))
        assert (refused.status, "retry-after" in refused.headers) == (503, True)
        assert (await house.ask(CHAT, token_of("ana")[:-9] + "AAAAAAAAA")).status == 503
        assert house.receipts() == [("desk", "desk-owner")]


async def test_the_keys_may_lie_in_a_file_and_change_there(tmp_path: Path) -> None:
    """Without an address nothing is asked of anybody; a new key counts with the first token that needs it."""
    jwks = tmp_path / "jwks.json"
    jwks.write_bytes(key_document("rsa-1"))
    auth = {"issuer": ISSUER, "audience": "aduana", "jwks_file": jwks}
    async with opened(tmp_path, providers={"auth": auth}) as house:
        assert (await house.ask(CHAT, token_of("ana"))).status == 200
        assert (await house.ask(CHAT, token_of("ana", signer="rsa-2"))).status == 401
        jwks.write_bytes(key_document("rsa-2"))
        assert (await house.ask(CHAT, token_of("ana", signer="rsa-2"))).status == 200
        assert (await house.ask(CHAT, token_of("ana"))).status == 401, "the old key was withdrawn"
        assert house.provider.asked == 0


async def test_a_front_end_names_its_users_and_nobody_else_does(tmp_path: Path) -> None:
    """Open WebUI's headers count with its key; with another key they change nothing, nor with a forged token."""
    said = {"X_OpenWebUI_User_Email": EMAIL, "X_OpenWebUI_User_Role": "user"}
    async with opened(tmp_path, groups={"user": {"tags": {"health"}}}) as house:
        answers = [await house.ask(CHAT, KEYS[key], **said) for key in ("webui", "desk")]
        assert [answer.headers["x-aduana-target"] for answer in answers] == ["home", "cloud"]
        assert house.receipts() == [("webui", EMAIL), ("desk", "desk-owner")]
    other = tmp_path / "signed"
    other.mkdir()
    async with opened(other, front_end={"secret": f"file:{other / 'shared'}", "required": True}) as house:
        now = int(time.time())
        claims = {"sub": "1", "email": EMAIL, "role": "user", "iss": "open-webui", "iat": now, "exp": now + 300}
        good, forged = shared(claims, SECRET), shared(claims, "b" * 40)
        statuses = [
            (await house.ask(CHAT, KEYS["webui"], **headers)).status
            for headers in ({"X_OpenWebUI_User_Jwt": good}, {"X_OpenWebUI_User_Jwt": forged}, said, {})
        ]
        assert statuses == [200, 401, 401, 401]
        assert (await house.ask(CHAT, KEYS["desk"], X_OpenWebUI_User_Jwt=forged)).status == 200
        assert house.receipts() == [("webui", EMAIL), ("desk", "desk-owner")]


async def test_a_limit_is_a_persons_own_whichever_way_the_person_comes(tmp_path: Path) -> None:
    """Groups limit each member by itself; a token and a front end that name the same person count together."""
    groups = {"staff": {"limits": {"requests_per_minute": 2}}, "user": {"limits": {"requests_per_minute": 2}}}
    async with opened(tmp_path, groups=groups, record="pseudonym") as house:
        statuses = [(await house.ask(CHAT, token_of(EMAIL, ("staff",)))).status]
        statuses.append(
            (await house.ask(CHAT, KEYS["webui"], X_OpenWebUI_User_Email=EMAIL, X_OpenWebUI_User_Role="user")).status
        )
        refused = await house.ask(CHAT, token_of(EMAIL, ("staff",)))
        statuses += [refused.status, (await house.ask(CHAT, token_of("ben", ("staff",)))).status]
        assert statuses == [200, 200, 429, 200]
        assert EMAIL not in await refused.text()
        assert "retry-after" in refused.headers


async def test_what_one_user_lets_be_stored_is_not_there_for_another(tmp_path: Path) -> None:
    """Stored answers belong to the person, not to the provider or front end; a batch needs a key."""
    async with opened(tmp_path) as house:
        for mine, yours in (
            ((token_of("ana"), {}), (token_of("ben"), {})),
            *[
                ((KEYS["webui"], {"X_OpenWebUI_User_Email": "ana"}), (KEYS["webui"], other))
                for other in ({"X_OpenWebUI_User_Email": "ben"}, {})
            ],
        ):
            made = json.loads(await (await house.ask(RESPONSES, mine[0], **mine[1])).text())["id"]
            path = f"{RESPONSES}/{made}"
            assert (await house.ask(path, yours[0], "GET", **yours[1])).status == 404
            assert (await house.ask(path, mine[0], "GET", **mine[1])).status == 200
        assert (await house.ask("/v1/batches", token_of("ana"))).status == 403


@pytest.mark.parametrize("record", ["pseudonym", "none"])
async def test_the_record_has_no_name_where_the_owner_wants_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record: str
) -> None:
    """No file of the state directory has the user's name; `savings` shows the pseudonym, or the name if asked to."""
    async with opened(tmp_path, record=record) as house:
        assert (await house.ask(CHAT, token_of(EMAIL))).status == 200
        assert (await house.ask(RESPONSES, token_of(EMAIL))).status == 200
        key = (house.state / "taint.key").read_bytes()
        expected = pseudonym(EMAIL, key) if record == "pseudonym" else None
        assert house.receipts()[-1] == ("auth", expected)
        keys_page, found = [await house.page(path) for path in ("keys", f"requests?user={EMAIL}")]
        assert EMAIL not in keys_page
        assert (str(expected) in keys_page, str(expected) in found) == (expected is not None, expected is not None)
    for file in (tmp_path / "state").rglob("*"):
        assert not file.is_file() or EMAIL.encode() not in file.read_bytes(), file
    (tmp_path / "aduana.yaml").write_text(f"state_dir: {tmp_path / 'state'}\nusers: {{record: {record}}}\n")
    command = ["savings", "--config", str(tmp_path / "aduana.yaml"), "--by", "user", "--json"]
    names = []
    for more in ([], ["--name", EMAIL]):
        assert main([*command, *more]) == 0
        names.append({group["name"] for group in json.loads(capsys.readouterr().out)["groups"]})
    if expected is None:
        assert names == [{"-"}, {"-"}]
    else:
        assert expected in names[0]
        assert f"{EMAIL} ({expected})" in names[1]
