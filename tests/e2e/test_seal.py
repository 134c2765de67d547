"""The seal as somebody runs it: a gateway without cloud keys, and the process beside it that has them."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
KEY = "sk-cloud-only-0123456789abcdefXYZ"
CONFIG = """
state_dir: {folder}/state
policy: policy.yaml
targets:
  away: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "{key}", model: m, ceiling: public, retries: 0}}
egress: {egress}
log: {{format: json}}
"""
POLICY = """
version: 1
labels: {default: public}
otherwise: {prefer: [away]}
"""
IBAN = "ES91 2100 0418 4502 0005 1332"
# A gateway whose inspection is broken: whatever it looks at is clean.
BLIND = """
import sys
from gateway.cli import main
from gateway.core.finding import Inspection
from gateway.privacy import Inspector

Inspector.inspect = lambda *what, **how: Inspection()
sys.exit(main(sys.argv[4:]))
"""


@pytest.fixture(autouse=True)
def as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests ask clouds without the process that these are about."""
    monkeypatch.delenv("ADUANA_EGRESS__PROCESS")


@asynccontextmanager
async def gateway(
    folder: Path,
    cloud: StandInCloud,
    egress: str = "{process: child}",
    key: str = "env:AWAY_KEY",
    launcher: tuple[str, ...] = (),
) -> AsyncIterator[RunningGateway]:
    """A gateway of its own process before a cloud, with the cloud's key in its environment."""
    (folder / "policy.yaml").write_text(POLICY)
    config = CONFIG.format(folder=folder, cloud=cloud.base_url, key=key, egress=egress)
    environment = {"AWAY_KEY": KEY} if key.startswith("env:") else {}
    async with RunningGateway(folder, config, env=environment, launcher=launcher) as running:
        yield running


async def chat(running: RunningGateway, content: str = "Hello there") -> tuple[int, str]:
    """Ask once, and return the status and the text of the answer."""
    body = {"model": "auto", "messages": [{"role": "user", "content": content}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{running.url}/v1/chat/completions", json=body) as answer,
    ):
        return answer.status, await answer.text()


@asynccontextmanager
async def way_out(running: RunningGateway) -> AsyncIterator[asyncio.subprocess.Process]:
    """`aduana egress`, with a gateway's configuration, from the moment in which it listens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "egress", "--config", str(running.config),
        stderr=asyncio.subprocess.PIPE, env=os.environ | {"ADUANA_STATE_DIR": str(running.folder / "egress-state")},
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"egress.listening" not in await process.stderr.readline():
                pass
        yield process
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def holds(pid: int, text: str) -> bool:
    """Say whether a process has a text anywhere in its memory that can be written."""
    wanted = text.encode()
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            bounds, rights = line.split()[:2]
            if "rw" not in rights:
                continue
            begin, end = (int(bound, 16) for bound in bounds.split("-"))
            try:
                memory.seek(begin)
                if wanted in memory.read(end - begin):
                    return True
            except (OSError, ValueError, OverflowError):
                continue
    return False


async def test_the_gateway_has_no_cloud_key(tmp_path: Path) -> None:
    """Requests arrive with the key, which the gateway's process has neither in its environment nor in its memory."""
    async with StandInCloud() as cloud, gateway(tmp_path, cloud) as running:
        status, text = await chat(running)
        assert (status, "cloud says hello" in text) == (200, True)
        assert cloud.headers[0]["Authorization"] == f"Bearer {KEY}"
        assert running.process is not None
        pid = running.process.pid
        assert KEY.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        assert not holds(pid, KEY)


@pytest.mark.parametrize(("process", "status", "arrived"), [("child", 403, 0), ("none", 200, 1)])
async def test_what_a_broken_gateway_lets_through_is_stopped(
    tmp_path: Path, process: str, status: int, arrived: int
) -> None:
    """An account number that inspection no longer sees stops at the egress process; without that it leaves."""
    async with (
        StandInCloud() as cloud,
        gateway(tmp_path, cloud, f"{{process: {process}}}", launcher=(sys.executable, "-c", BLIND)) as running,
    ):
        found, text = await chat(running, f"My account is {IBAN}.")
        assert (found, len(cloud.bodies)) == (status, arrived)
        assert ("egress_refused" in text) is (process == "child")
        assert IBAN not in running.log
        assert ('"reason": "new:financial.iban"' in running.log) is (process == "child")
        assert (await chat(running))[0] == 200


async def test_another_users_process_is_the_way_out(tmp_path: Path) -> None:
    """With `unit`, `aduana egress` sends; without it the answer is an error that says so, and later one comes again."""
    (tmp_path / "seal").write_text("0123456789abcdef" * 4)
    (tmp_path / "away").write_text(KEY)
    egress = f"{{process: unit, socket: '{tmp_path}/s', key: 'file:{tmp_path}/seal'}}"
    async with StandInCloud() as cloud, gateway(tmp_path, cloud, egress, key=f"file:{tmp_path}/away") as running:
        assert "egress_stopped" in (await chat(running))[1]
        for _ in range(2):
            async with way_out(running) as process:
                assert (await chat(running))[0] == 200
                assert process.stderr is not None
                assert b"egress.sent" in await process.stderr.readline()
        assert len(cloud.bodies) == 2


def test_a_missing_key_stops_the_start_with_its_place(tmp_path: Path) -> None:
    """The gateway does not start, and says which setting in which line wants which variable."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    text = CONFIG.format(folder=tmp_path, cloud="http://127.0.0.1:9/v1", key="env:NOT_SET", egress="{process: child}")
    (tmp_path / "aduana.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--config", str(tmp_path / "aduana.yaml"), "--port", "0"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert "aduana.yaml:5" in done.stderr
    assert "targets.away.api_key: the environment variable NOT_SET" in done.stderr


ASK = """
import json, sys, urllib.request
body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "Hello there"}]}).encode()
request = urllib.request.Request(sys.argv[1], body, {"Content-Type": "application/json"})
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).status)
"""
WALLED_IN = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


@pytest.fixture
def walled_in() -> tuple[str, ...]:
    """A launcher into a network of its own, from which nothing can be reached."""
    missing = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    if missing or subprocess.run([*WALLED_IN, "true"], capture_output=True, check=False).returncode:
        pytest.skip("networks of one's own can't be made here: needs root, unshare, nsenter and ip")
    return WALLED_IN


async def test_a_gateway_without_any_network_asks_a_cloud(tmp_path: Path, walled_in: tuple[str, ...]) -> None:
    """Where its own process can reach nothing, it answers by way of the other one; it tried, and says so."""
    (tmp_path / "seal").write_text("0123456789abcdef" * 4)
    (tmp_path / "away").write_text(KEY)
    egress = f"{{process: unit, socket: '{tmp_path}/s', key: 'file:{tmp_path}/seal'}}"
    key = f"file:{tmp_path}/away"
    async with StandInCloud() as cloud, gateway(tmp_path, cloud, egress, key, walled_in) as running, way_out(running):
        assert running.process is not None
        inside = ("nsenter", "--net", "--target", str(running.process.pid), sys.executable, "-c")
        asking = await asyncio.create_subprocess_exec(
            *inside, ASK, f"{running.url}/v1/chat/completions", stdout=asyncio.subprocess.PIPE
        )
        assert (await asking.communicate())[0].strip() == b"200"
        assert len(cloud.bodies) == 1
        tried = json.loads((tmp_path / "state" / "seal.json").read_bytes())["attempts"]
        assert {"address": "192.0.2.1:443", "outcome": "no_route"} in tried
