"""Rows 1 to 10: a server that can't be reached, must not be trusted, or says no. Cloud and local behave alike."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.errors import TargetMisconfigured, TargetUnavailable
from gateway.core.secret import Secret
from gateway.upstream.circuit_breaker import CircuitBreakerSettings
from tests.faults.certificates import Authority
from tests.faults.fault_server import DONE, FINISH, GOOD, STREAM, USAGE, Exchange, FaultServer, plain, text, usage
from tests.faults.targets import KINDS, Probe

pytestmark = pytest.mark.parametrize("kind", KINDS)
KEY = "sk-proj-veryverysecretkey1234567890"


@pytest.fixture
def nowhere() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that takes no further connection and says nothing: its queue is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        yield server.getsockname()[1]
        for client in waiting:
            client.close()


async def test_1_name_does_not_resolve(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is a clear 502, and the pipeline may try the next permitted target."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    async with Probe(kind, "https://no-such-host.invalid/v1") as probe:
        asked = await probe.ask()
    assert asked.error is not None
    assert (asked.code, asked.error.status) == ("target_unreachable", 502)


async def test_2_connection_refused(kind: str, nowhere: int) -> None:
    """A port where nobody listens is a clear 502 at once."""
    async with Probe(kind, f"http://127.0.0.1:{nowhere}/v1") as probe:
        asked = await probe.ask()
    assert asked.error is not None
    assert (asked.code, asked.error.status) == ("target_unreachable", 502)


async def test_3_syn_black_hole(kind: str, black_hole: int) -> None:
    """A host that says nothing is given up after the connect limit, long before the request's own deadline."""
    async with Probe(kind, f"http://127.0.0.1:{black_hole}/v1", connect_seconds=0.2) as probe:
        async with asyncio.timeout(60):
            asked = await probe.ask(seconds=600)
    assert asked.code == "target_unreachable"


@pytest.mark.parametrize("fault", ["expired", "another host", "unknown authority"])
async def test_4_certificate(kind: str, fault: str, tmp_path: Path) -> None:
    """A server whose certificate is not valid is sent nothing and is not tried again."""
    authority = Authority(tmp_path)
    tls = authority.server(expired=fault == "expired", address="127.0.0.2" if fault == "another host" else "127.0.0.1")
    trusted = None if fault == "unknown authority" else str(authority.file)
    async with FaultServer(GOOD, tls=tls) as server, Probe(kind, server.base_url, ca_file=trusted) as probe:
        asked = await probe.ask()
        assert asked.code == "target_certificate"
        assert not server.requests


@pytest.mark.parametrize("by_hand", [False, True])
async def test_4_a_valid_certificate_is_accepted(kind: str, by_hand: bool, tmp_path: Path) -> None:
    """A server whose certificate comes from the configured authority is asked, also where it was made by hand."""
    authority = Authority(tmp_path, by_hand=by_hand)
    async with (
        FaultServer(GOOD, tls=authority.server()) as server,
        Probe(kind, server.base_url, ca_file=str(authority.file)) as probe,
    ):
        assert (await probe.ask()).text == "Hello there"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_5_redirects_are_not_followed(kind: str, status: int) -> None:
    """A redirect is an error: nothing is sent again, wherever the server points."""
    async with FaultServer(GOOD) as other:
        script = plain(status, b"", Location=f"{other.base_url}/chat/completions")
        async with FaultServer(script) as server, Probe(kind, server.base_url) as probe:
            asked = await probe.ask()
            with pytest.raises(Exception, match="redirects"):
                await probe.embed()
        assert asked.error is not None
        assert (asked.code, asked.error.status) == ("target_protocol_error", 502)
        assert not other.connections


async def test_6_proxy_variables_are_ignored(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables of the environment can't put anybody between the gateway and the target."""
    async with FaultServer(GOOD) as proxy, FaultServer(GOOD) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            for spelling in (name, name.lower()):
                monkeypatch.setenv(spelling, f"http://127.0.0.1:{proxy.port}")
        async with Probe(kind, server.base_url) as probe:
            assert (await probe.ask()).text == "Hello there"
        assert len(server.posts) == 1
        assert not proxy.connections


async def test_7_the_package_s_own_variables_are_ignored(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, account, key and headers come from the configuration alone; no header tells about the machine."""
    async with FaultServer(GOOD) as other, FaultServer(GOOD) as server:
        for name, value in {
            "OPENAI_BASE_URL": other.base_url,
            "OPENAI_API_KEY": "sk-from-the-environment",
            "OPENAI_ADMIN_KEY": "sk-admin",
            "OPENAI_ORG_ID": "org-environment",
            "OPENAI_PROJECT_ID": "proj-environment",
            "OPENAI_CUSTOM_HEADERS": "X-Env: yes\nAuthorization: Bearer sk-header",
        }.items():
            monkeypatch.setenv(name, value)
        async with Probe(kind, server.base_url, api_key=Secret(KEY)) as probe:
            assert (await probe.ask()).text == "Hello there"
        assert not other.connections
        lines = server.posts[0].head.decode().lower().strip().split("\r\n")[1:]
        names = {line.partition(":")[0] for line in lines}
        assert f"authorization: bearer {KEY}" in lines
        assert "accept-encoding: identity" in lines
        assert names - {"connection"} == {
            "host",
            "authorization",
            "content-type",
            "content-length",
            "accept",
            "accept-encoding",
            "user-agent",
        }


async def test_7_without_a_key_none_is_sent(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that needs no key gets none, whatever stands in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    async with FaultServer(GOOD) as server, Probe(kind, server.base_url) as probe:
        assert (await probe.ask()).error is None
        assert b"authorization" not in server.posts[0].head.lower()


async def test_7_no_header_and_no_text_is_logged(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Headers and texts are not logged, even where everything is logged that can be."""
    head = STREAM.replace(b"\r\n\r\n", b"\r\nX-Account: acme-account\r\n\r\n")

    async def script(exchange: Exchange) -> None:
        await exchange.send(head)
        await exchange.chunk(text("An answer"), FINISH, usage(USAGE), DONE)
        await exchange.finish()

    caplog.set_level(1)
    async with (
        FaultServer([script, plain(500)]) as server,
        Probe(kind, server.base_url, api_key=Secret(KEY), retries=0) as probe,
    ):
        assert (await probe.ask()).text == "An answer"
        assert (await probe.ask()).error is not None
    for secret in (KEY, "Say hello", "An answer", "acme-account"):
        assert secret not in caplog.text


@pytest.mark.parametrize("status", [401, 403])
async def test_8_credentials_refused(kind: str, status: int) -> None:
    """Refused credentials are not tried again, the target is unhealthy, and nobody is shown the provider's words."""
    said = b'{"error":{"message":"Incorrect API key provided: sk-proj-very***7890.","code":"invalid_api_key"}}'
    async with FaultServer(plain(status, said)) as server, Probe(kind, server.base_url, api_key=Secret(KEY)) as probe:
        asked = await probe.ask()
        assert asked.code == "target_misconfigured"
        assert asked.error is not None
        assert "sk-" not in asked.error.message
        assert "7890" not in asked.error.message
        assert not probe.state.healthy
        assert "key" in probe.state.problem
        assert (await probe.ask()).code == "target_held"
        assert len(server.posts) == 1
        probe.now += 5.0
        assert probe.state.problem  # it is tried again, but its owner still has to look


async def healthy(probe: Probe) -> None:
    """Waits until the target may be asked first: a local server is looked at before."""
    async with asyncio.timeout(60):
        while not probe.state.healthy:  # noqa: ASYNC110 - the state has no event to wait for
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("status", [401, 403])
async def test_8_a_key_that_is_rotated_costs_seconds(kind: str, status: int) -> None:
    """A target that refused its credentials is tried again soon, by one request, and stays in use if that goes well."""
    refused = plain(status, b'{"error":{"message":"no"}}')
    async with FaultServer([refused, refused, GOOD]) as server, Probe(kind, server.base_url) as probe:
        assert (await probe.ask()).code == "target_misconfigured"
        probe.now += 5.0
        await healthy(probe)
        assert (await probe.ask()).code == "target_misconfigured"
        probe.now += 5.0
        held = await probe.ask()
        assert held.error is not None
        assert (held.code, held.error.retry_after) == ("target_held", 5.0)
        probe.now += 5.0
        assert (await probe.ask()).text == "Hello there"
        assert (await probe.ask()).text == "Hello there"
        await healthy(probe)
        assert not probe.state.problem


async def test_8_a_request_refused_for_its_content_is_not_about_the_key(kind: str) -> None:
    """A 403 that names the request's content goes to the client, and the target stays in use."""
    said = plain(403, b'{"error":{"message":"Your input was flagged by moderation","code":403}}')
    async with FaultServer([said, GOOD]) as server, Probe(kind, server.base_url) as probe:
        asked = await probe.ask()
        assert asked.error is not None
        assert (asked.code, asked.error.status) == ("target_rejected", 400)
        assert (await probe.ask()).text == "Hello there"


@pytest.mark.parametrize("status", [404, 405, 410, 501])
async def test_an_endpoint_that_is_missing_closes_nothing_else(kind: str, status: int) -> None:
    """A server that has no embeddings goes on to chat; its embeddings are held, and tried again later."""
    missing = plain(status, b'{"error":{"message":"no such route"}}')
    failures = CircuitBreakerSettings().failures
    async with FaultServer([*[missing] * failures, GOOD]) as server, Probe(kind, server.base_url) as probe:
        for _ in range(failures):
            with pytest.raises(TargetMisconfigured):
                await probe.embed()
        with pytest.raises(TargetUnavailable, match="held"):
            await probe.embed()
        await healthy(probe)
        assert probe.state.open_until is None
        assert (await probe.ask()).text == "Hello there"
        assert len(server.posts) == failures + 1


async def test_one_404_of_a_chat_closes_nothing(kind: str) -> None:
    """What one request asked for may be missing; the next one is sent and answered."""
    missing = plain(404, b'{"error":{"message":"no such file"}}')
    async with FaultServer([missing, GOOD]) as server, Probe(kind, server.base_url) as probe:
        assert (await probe.ask()).code == "target_misconfigured"
        assert (await probe.ask()).text == "Hello there"


@pytest.mark.parametrize(
    ("status", "named", "seconds"),
    [(429, "30", 30.0), (503, "30", 30.0), (500, "7", 7.0), (529, "2.5", 2.5), (429, "99999999", 3600.0)],
)
async def test_the_time_that_a_server_names_is_passed_on(kind: str, status: int, named: str, seconds: float) -> None:
    """What the server says about waiting is what the client hears, within an hour, and nothing is sent before."""
    async with (
        FaultServer(plain(status, b"{}", Retry_After=named)) as server,
        Probe(kind, server.base_url, retries=2) as probe,
    ):
        asked = await probe.ask()
        assert asked.error is not None
        assert asked.error.retry_after == seconds
        assert probe.state.retry_in == seconds
        probe.now += 1.0
        held = await probe.ask()
        assert held.error is not None
        assert (held.code, held.error.retry_after) == ("target_held", seconds - 1.0)
        assert len(server.posts) == 1


async def test_9_rate_limit_holds_the_target(kind: str) -> None:
    """Until the time that a rate-limited provider named, it is sent nothing; then it is asked again."""
    scripts = [plain(429, b"{}", Retry_After="30"), GOOD]
    async with FaultServer(scripts) as server, Probe(kind, server.base_url) as probe:
        asked = await probe.ask()
        assert asked.error is not None
        assert (asked.code, asked.error.retry_after) == ("target_busy", 30)
        assert probe.state.open_until == probe.now + 30
        probe.now += 29
        held = await probe.ask()
        assert held.error is not None
        assert (held.code, held.error.retry_after) == ("target_held", 1)
        assert len(server.posts) == 1
        probe.now += 1.5
        assert (await probe.ask()).text == "Hello there"


@pytest.mark.parametrize("status", [500, 502, 503, 529])
async def test_10_passing_faults_are_tried_again(kind: str, status: int) -> None:
    """A client notices nothing of faults that pass within the retry budget."""
    scripts = [plain(status), plain(status), GOOD]
    async with FaultServer(scripts) as server, Probe(kind, server.base_url, retries=2) as probe:
        assert (await probe.ask()).text == "Hello there"
        assert len(server.posts) == 3
        assert len({exchange.body for exchange in server.posts}) == 1


@pytest.mark.parametrize("retries", [0, 2])
async def test_10_the_retry_budget_ends(kind: str, retries: int) -> None:
    """A request has one retry budget, and then gets the error; the number of tries is the configured one."""
    async with FaultServer(plain(500)) as server, Probe(kind, server.base_url, retries=retries) as probe:
        asked = await probe.ask()
        assert asked.code == "target_failed"
        assert len(server.posts) == 1 + retries


async def test_10_no_pause_beyond_the_deadline(kind: str) -> None:
    """A pause that would end after the deadline is not made."""
    async with (
        FaultServer(plain(500)) as server,
        Probe(kind, server.base_url, retries=9, retry_pause=1000.0) as probe,
        asyncio.timeout(60),
    ):
        asked = await probe.ask(seconds=0.5)
        assert asked.code == "target_failed"
        assert len(server.posts) <= 2


async def test_10_a_connection_that_ends_without_an_answer_is_tried_again(kind: str) -> None:
    """A server that hangs up before it answers is asked once more."""

    async def hang_up(exchange: Exchange) -> None:
        exchange.reset()

    async with FaultServer([hang_up, GOOD]) as server, Probe(kind, server.base_url) as probe:
        assert (await probe.ask()).text == "Hello there"
        assert len(server.posts) == 2


async def test_10_failures_in_a_row_open_the_breaker(kind: str) -> None:
    """A target that keeps failing is left alone for a while, then tried with a single request."""
    async with FaultServer(plain(500)) as server, Probe(kind, server.base_url, retries=0) as probe:
        for _ in range(5):
            assert (await probe.ask()).code == "target_failed"
        assert (await probe.ask()).code == "target_held"
        assert len(server.posts) == 5
        probe.now += 2.1
        assert (await probe.ask()).code == "target_failed"
        assert (await probe.ask()).code == "target_held"
        assert len(server.posts) == 6


REFUSALS: dict[str, tuple[int, bytes, str]] = {
    "context length": (
        400,
        b'{"error":{"message":"too long","code":"context_length_exceeded"}}',
        "context_length_exceeded",
    ),
    "llama-server": (
        400,
        b'{"error":{"code":400,"message":"the request exceeds the available context size","type":"x"}}',
        "context_length_exceeded",
    ),
    "vLLM": (
        400,
        b'{"object":"error","message":"This model\'s maximum context length is 4096 tokens","code":400}',
        "context_length_exceeded",
    ),
    "bad request": (400, b'{"error":{"message":"Unknown parameter: foo","param":"foo"}}', "target_rejected"),
    "unknown model": (404, b'{"error":{"message":"no such model","code":"model_not_found"}}', "target_misconfigured"),
    "no credit": (429, b'{"error":{"code":"insufficient_quota","message":"x"}}', "target_quota_exhausted"),
    "a proxy's page": (413, b"<html>Request Entity Too Large</html>", "target_rejected"),
}


@pytest.mark.parametrize("row", REFUSALS)
async def test_refusals_are_told_apart(kind: str, row: str) -> None:
    """An error that the client can mend reaches it as such, and nothing is sent twice."""
    status, body, code = REFUSALS[row]
    async with FaultServer(plain(status, body)) as server, Probe(kind, server.base_url) as probe:
        assert (await probe.ask()).code == code
        assert len(server.posts) == 1
