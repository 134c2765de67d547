"""Background work that dies inside the running gateway: `/readyz` names it, and it is begun again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.app import energy_accounts
from gateway.app.policy_store import PolicyStore
from gateway.local.http.servers.server import LocalServer
from gateway.observe import EnergySampler
from gateway.server.connections import Connections
from tests.faults.fault_server import GOOD
from tests.faults.house import POLICY, House, get, opened

Capture = pytest.CaptureFixture[str]


def die_once(monkeypatch: pytest.MonkeyPatch, where: Any, what: str) -> asyncio.Event:
    """Let a function raise when the returned event is set, once."""
    wanted = asyncio.Event()
    real = getattr(where, what)

    def function(*given: Any, **named: Any) -> Any:
        if wanted.is_set():
            wanted.clear()
            raise RecursionError
        return real(*given, **named)

    monkeypatch.setattr(where, what, function)
    return wanted


async def readiness(house: House, *, ready: bool) -> dict[str, Any]:
    """Wait until `/readyz` says so, and return what it says."""
    reply = await get(house, "/readyz")
    try:
        async with asyncio.timeout(60):
            # Readiness has no event.
            while (reply.status == 200) is not ready:
                await asyncio.sleep(0.02)
                reply = await get(house, "/readyz")
    except TimeoutError:
        raise AssertionError(reply.body.decode()) from None
    return dict(json.loads(reply.body))


@pytest.mark.parametrize(
    ("name", "where", "what"),
    [
        ("policy reload", PolicyStore, "_texts_changed"),
        ("energy sampler", EnergySampler, "tick"),
        ("energy accounts", EnergySampler, "drain"),
        ("health of den", LocalServer, "_answers"),
        ("slow readers", Connections, "_stuck"),
    ],
)
async def test_dead_work_is_named_and_begun_again(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch, name: str, where: Any, what: str
) -> None:
    """Whichever dies; requests are answered meanwhile and afterwards."""
    monkeypatch.setattr(energy_accounts, "_ACCRUE_SECONDS", 0.1)
    wanted = die_once(monkeypatch, where, what)
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD, server={"write_seconds": 1.0}) as one:
        await readiness(one, ready=True)
        _, idle = await one.connect()  # what watches for slow readers looks at connections only
        wanted.set()
        told = await readiness(one, ready=False)
        assert told["background"] == {name: told["background"][name]}
        page = (await get(one, "/")).body.decode()
        assert f"Background work has died and is begun again: {name} (" in page
        assert "Receipts can" not in page
        assert (await one.ask(x_aduana_tags="public")).status == 200
        await readiness(one, ready=True)
        assert (await one.ask()).status == 200
        idle.close()


async def test_a_policy_that_breaks_its_reader_is_refused_and_the_next_one_loads(
    tmp_path: Path, capfd: Capture
) -> None:
    """Nesting beyond any reader's depth is a problem of the policy, said as such; a stricter policy loads behind it."""
    async with opened(tmp_path, capfd, big=GOOD, den=GOOD) as one:
        before = (await readiness(one, ready=True))["policy"]
        (tmp_path / "policy.yaml").write_text("a: " + "[" * 20_000)
        while "policy_problem" not in (told := await readiness(one, ready=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert "nests or repeats too much" in told["policy_problem"]
        page = (await get(one, "/")).body.decode()
        assert "The policy’s last change was refused" in page
        assert "Receipts can" not in page
        assert b"aduana_ledger_up 1" in (await get(one, "/metrics")).body
        (tmp_path / "policy.yaml").write_text(POLICY.replace("public: public", "public: sensitive"))
        while "policy_problem" in (told := await readiness(one, ready=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert told["policy"] != before
