"""Who may look at health, readiness, metrics and the page: everybody at loopback, keys beyond it, no foreign host."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app.wiring import running
from gateway.core.errors import AduanaError, ConfigurationError, LedgerUnavailable, TargetRejected
from gateway.server.answers import public_error
from gateway.settings import Settings
from tests.standins.identity_provider import ISSUER, key_document, token_of

SECRETS = {"apps": "apps-1", "prometheus": "metrics-1", "owner": "owner-1"}


@asynccontextmanager
async def gateway(
    folder: Path, host: str, *, keys: bool = True, users: Any = None, **server: Any
) -> AsyncIterator[str]:
    """Run a gateway on this address, with three keys, and yield its port."""
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret)
    made: dict[str, Any] = {name: {"secret": f"file:{folder / name}"} for name in SECRETS} if keys else {}
    if keys:
        made["prometheus"] |= {"metrics": True, "models": []}
        made["owner"] |= {"admin": True}
    target = {"kind": "openai", "zone": "local", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    settings = Settings(
        server={"port": 0, "host": host, **server},
        state_dir=folder,
        targets={"den": target},
        keys=made,
        users=users or {},
    )
    async with running(settings) as one:
        yield one.url.rsplit(":", 1)[1]


async def ask(port: str, path: str, authorization: str = "", host: str = "127.0.0.1") -> tuple[int, str]:
    """Return status and text of a page."""
    headers = {"Host": host} | ({"Authorization": authorization} if authorization else {})
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer:
        return answer.status, await answer.text()


async def test_where_people_sign_in_elsewhere_metrics_need_a_key_too(tmp_path):
    """With a provider of tokens and no keys nobody is anonymous, so the metrics are not for everybody either."""
    (tmp_path / "jwks.json").write_bytes(key_document("rsa-1"))
    auth = {"issuer": ISSUER, "audience": "aduana", "jwks_file": tmp_path / "jwks.json"}
    async with gateway(tmp_path, "0.0.0.0", keys=False, users={"providers": {"auth": auth}}) as port:
        assert (await ask(port, "/metrics"))[0] == 401
        assert (await ask(port, "/v1/models"))[0] == 401
        assert (await ask(port, "/v1/models", f"Bearer {token_of()}"))[0] == 200


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 401),
        ("Bearer wrong-1", 401),
        ("Bearer apps-1", 403),
        ("Bearer metrics-1", 200),
        ("Bearer owner-1", 200),
        ("Basic " + base64.b64encode(b"prometheus:metrics-1").decode(), 200),
    ],
)
@pytest.mark.parametrize("anonymous", [None, True])
async def test_metrics_beyond_loopback_need_a_key_for_them(tmp_path, authorization, status, anonymous):
    """Where others can reach the gateway, the metrics want a key for them, also if apps may come without any."""
    async with gateway(tmp_path, "0.0.0.0", anonymous=anonymous) as port:
        found, text = await ask(port, "/metrics", authorization)
        assert found == status
        assert ("aduana_build_info" in text) is (status == 200)


@pytest.mark.parametrize(("host", "keys", "server"), [("127.0.0.1", True, {}), ("0.0.0.0", False, {"anonymous": True})])
async def test_metrics_are_open_at_loopback_and_where_no_keys_are(tmp_path, host, keys, server):
    """On the own machine the metrics need no key, nor where the owner lets everybody in."""
    async with gateway(tmp_path, host, keys=keys, **server) as port:
        assert (await ask(port, "/metrics"))[0] == 200


async def test_readiness_tells_strangers_nothing_else(tmp_path):
    """A foreign host's name learns ready or not, and nothing else; so does whoever has no key beyond loopback."""
    async with gateway(tmp_path, "127.0.0.1") as port:
        assert '"targets"' in (await ask(port, "/readyz"))[1]
        assert await ask(port, "/readyz", host="evil.example") == (503, '{"ready":false}')
        assert await ask(port, "/healthz", host="evil.example") == (200, "ok\n")
        assert (await ask(port, "/metrics", host="evil.example"))[0] == 403
    async with gateway(tmp_path, "0.0.0.0") as port:
        assert await ask(port, "/readyz", host="10.1.2.3") == (503, '{"ready":false}')
        assert await ask(port, "/readyz") == (503, '{"ready":false}')
        assert '"targets"' in (await ask(port, "/readyz", "Bearer apps-1"))[1]


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (LedgerUnavailable("The ledger /var/lib/aduana/ledger.sqlite3 is full.", retry_after=7), "Nothing was sent"),
        (ConfigurationError(("/etc/aduana/policy.yaml:3:1: no.",)), "not set up"),
        (TargetRejected("It said: can't open '/srv/models/x.gguf', try again"), "try again"),
        (AduanaError("~/models/x.gguf is gone"), "is gone"),
        (
            AduanaError("See https://example.com/a/b and /v1/chat/completions, $.a/b, #/$defs/a/b"),
            "https://example.com/a/b",
        ),
        (AduanaError("OpenAI's API is under /v1."), "under /v1."),
    ],
)
def test_no_error_has_a_path_of_this_machine(error, kept):
    """What a client sees of an error has no file's path: not the ledger's, not one in another server's complaint."""
    public = public_error(error, "req_1")
    assert kept in public.message
    assert (public.status, public.retry_after) == (error.status, error.retry_after)
    for secret in ("/var/", "ledger.sqlite3", "/etc/", "policy.yaml", "/srv/", "x.gguf"):
        assert secret not in public.message
    assert ("/v1/chat/completions" in error.message) is ("/v1/chat/completions" in public.message)
