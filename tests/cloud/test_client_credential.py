"""A caller's own key for a provider goes to the target that wants one, in its provider's form, and nowhere else."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.cloud import CloudSettings, CloudTarget
from gateway.core.errors import AduanaError, ClientCredentialRefused
from gateway.core.labels import Label, Zone
from gateway.core.request import AnyRequest
from gateway.core.secret import Credential, CredentialForm, Secret
from gateway.core.target import Api, TargetInfo
from gateway.wire import anthropic, openai
from tests.faults.clearing import clearance_for
from tests.faults.fault_server import GOOD, FaultServer, Script, plain
from tests.faults.targets import CHAT, EMBED

INFO = TargetInfo(
    name="big", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="provider-model", client_credential=True
)
OURS = msgspec.structs.replace(INFO, client_credential=False)
CLAUDE = msgspec.structs.replace(INFO, kind="anthropic", api=Api.MESSAGES)
TOKEN = "tok/en-of_the.client"
PROVIDER_KEY = "the-clients-key"
BEARER = Credential(form=CredentialForm.BEARER, secret=Secret(TOKEN))
API_KEY = Credential(form=CredentialForm.API_KEY, secret=Secret(PROVIDER_KEY))
MESSAGES = b'{"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"Say hello, please."}]}'


async def asked(
    info: TargetInfo,
    request: AnyRequest,
    credentials: tuple[Credential, ...],
    script: Script | list[Script] = GOOD,
    *,
    embed: bool = False,
    **settings: Any,
) -> tuple[list[dict[str, str]], AduanaError | None, CloudTarget]:
    """Return the headers of each try that arrived, the error if there was one, and the closed target."""
    error: AduanaError | None = None
    async with FaultServer(script) as server:
        of_target = CloudSettings(base_url=server.base_url, api=info.api, retry_pause=0.001, **settings)
        target = CloudTarget(info, of_target, on_violation=print)
        await target.start()
        deadline = asyncio.get_running_loop().time() + 60
        clearance = clearance_for(request, info, credentials=credentials)
        try:
            if embed:
                await target.embed(clearance, deadline=deadline)
            else:
                async for _ in target.generate(clearance, deadline=deadline):
                    pass
        except AduanaError as raised:
            error = raised
        finally:
            await target.close()
        lines = [one.head.decode().split("\r\n")[1:-2] for one in server.posts]
    return [{line.partition(": ")[0].lower(): line.partition(": ")[2] for line in one} for one in lines], error, target


def keys_in(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers that hold a key."""
    return {name: value for name, value in headers.items() if "key" in name or name == "authorization"}


@pytest.mark.parametrize(
    ("info", "parse", "given", "sent"),
    [
        (INFO, openai.parse_chat, (BEARER,), {"authorization": f"Bearer {TOKEN}"}),
        (INFO, openai.parse_chat, (BEARER, API_KEY), {"authorization": f"Bearer {TOKEN}"}),
        (INFO, openai.parse_chat, (API_KEY,), None),
        (INFO, openai.parse_chat, (), None),
        (INFO, anthropic.parse_messages, (BEARER, API_KEY), None),
        (CLAUDE, anthropic.parse_messages, (API_KEY,), {"x-api-key": PROVIDER_KEY}),
        (CLAUDE, anthropic.parse_messages, (BEARER,), {"authorization": f"Bearer {TOKEN}"}),
        (CLAUDE, anthropic.parse_messages, (BEARER, API_KEY), {"x-api-key": PROVIDER_KEY}),
        (CLAUDE, openai.parse_chat, (API_KEY,), {"x-api-key": PROVIDER_KEY}),
        (CLAUDE, openai.parse_chat, (BEARER,), None),
        (CLAUDE, anthropic.parse_messages, (), None),
        (OURS, openai.parse_chat, (BEARER, API_KEY), {"authorization": "Bearer ours"}),
    ],
)
async def test_a_key_goes_to_the_kind_of_provider_that_it_came_for(
    info: TargetInfo, parse: Callable[[bytes], AnyRequest], given: tuple[Credential, ...], sent: dict[str, str] | None
) -> None:
    """A key of the right form is the only one sent; without one nothing is sent, and the client is told what to do."""
    ours = {} if info.client_credential else {"api_key": Secret("ours")}
    arrived, error, target = await asked(info, parse(MESSAGES), given, **ours)
    if sent is None:
        assert not arrived
        assert isinstance(error, ClientCredentialRefused)
        assert (error.status, error.code) == (401, "client_credential_missing")
        assert "x-aduana-key" in error.message
        assert target.state().open_until is None
    else:
        assert [keys_in(one) for one in arrived] == [sent]


async def test_embeddings_and_further_tries_carry_it() -> None:
    """Every try at the target has the client's key, and so has a request for vectors."""
    arrived, error, _ = await asked(INFO, openai.parse_chat(CHAT), (BEARER,), [plain(500), GOOD])
    assert error is None
    assert [keys_in(one) for one in arrived] == [{"authorization": f"Bearer {TOKEN}"}] * 2
    arrived, _, _ = await asked(INFO, openai.parse_embeddings(EMBED), (BEARER,), plain(400), embed=True)
    assert [keys_in(one) for one in arrived] == [{"authorization": f"Bearer {TOKEN}"}]


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (401, 401, "client_credential_refused"),
        (403, 401, "client_credential_refused"),
        (404, 502, "target_misconfigured"),
        (402, 429, "target_quota_exhausted"),
        (429, 429, "target_busy"),
        (400, 400, "target_rejected"),
    ],
)
@pytest.mark.parametrize("escaped", ["/", "\\/"])
async def test_one_clients_key_closes_the_target_for_nobody(
    status: int, answered: int, code: str, escaped: str
) -> None:
    """A key that the provider refuses or limits is its client's matter; what the provider quotes of it is not shown."""
    quoted = json.dumps({"error": {"message": f"bad key: {TOKEN}"}}).replace("/", escaped)
    script = plain(status, quoted.encode(), retry_after="30")
    arrived, error, target = await asked(INFO, openai.parse_chat(CHAT), (BEARER,), script)
    assert len(arrived) == 1
    assert error is not None
    assert (error.status, error.code) == (answered, code)
    assert TOKEN not in error.message
    assert (target.state().open_until, target.state().problem) == (None, "")


def test_a_credential_does_not_show() -> None:
    """No text made of a credential or its request has its value, and neither can be written as JSON."""
    request = openai.parse_chat(CHAT)
    clearance = clearance_for(request, INFO, credentials=(BEARER,))
    assert TOKEN not in repr(BEARER) + str(BEARER) + f"{BEARER}" + repr(clearance) + repr(clearance.credential)
    with pytest.raises(TypeError):
        msgspec.json.encode(BEARER)
