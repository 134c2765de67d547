"""The seal between machines: a gateway and an egress process in two networks, with one cable between them."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.test_seal import ASK, POLICY
from tests.standins.gateway import RunningGateway

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="makes networks")
SCRIPT = Path(__file__).parents[2] / "deploy" / "seal-certificates.sh"
HERE, THERE, PORT = "10.77.0.2", "10.77.0.1", 8485
CONFIG = """
state_dir: {folder}/state
policy: policy.yaml
targets:
  away: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:AWAY_KEY", model: m, ceiling: public}}
egress:
  process: unit
  address: "{there}:{port}"
  key: "file:{folder}/seal/seal.key"
  tls: {{authority: seal/ca.crt, certificate: "seal/gateway.crt", key: "seal/gateway.key"}}
log: {{format: json}}
"""
CLOUD = """
import asyncio
from tests.standins.cloud import StandInCloud

async def run():
    async with StandInCloud() as cloud:
        print(cloud.base_url, flush=True)
        while not cloud.bodies:
            await asyncio.sleep(0.05)
        print(cloud.arrived, flush=True)
        await asyncio.sleep(600)

asyncio.run(run())
"""
# Whatever passes the cable, until SIGTERM; then whether the words that were asked stand in it, and how much there was.
LISTEN = """
import signal, socket, sys
cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
cable.bind(("there", 0))
cable.settimeout(0.2)
over = []
signal.signal(signal.SIGTERM, lambda *_: over.append(1))
print("listening", flush=True)
heard = b""
while not over:
    try:
        heard += cable.recv(65536)
    except TimeoutError:
        pass
print(b"Hello there" in heard, b"cloud says" in heard, len(heard) > 1000)
"""
STRANGER = """
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
try:
    with context.wrap_socket(socket.create_connection((sys.argv[1], 8485), 10), server_hostname=sys.argv[1]) as line:
        print(len(line.recv(1)))
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture(autouse=True)
def as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests ask clouds without the process that these are about."""
    monkeypatch.delenv("ADUANA_EGRESS__PROCESS")


@pytest.fixture
def networks() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Launchers into two networks: the gateway's, which reaches the other one's address alone, and the way out's."""
    missing = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip("networks of one's own can't be made here: needs root, unshare, nsenter and ip")
    ends = [
        subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for end in ends:
            assert end.stdout is not None
            if end.stdout.readline() != b"\n":
                pytest.skip("networks of one's own can't be made here")
        gateway, egress = (("nsenter", "--net", "--target", str(end.pid)) for end in ends)
        cable = f"""
        ip link set lo up
        ip link add there type veth peer name here netns {ends[0].pid}
        ip address add {THERE}/30 dev there
        ip link set there up
        """
        own = f"ip link set lo up; ip address add {HERE}/30 dev here; ip link set here up"
        for launcher, script in ((egress, cable), (gateway, own)):
            if subprocess.run([*launcher, "sh", "-ec", script], check=False, capture_output=True).returncode:
                pytest.skip("virtual cables can't be made here")
        yield gateway, egress
    finally:
        for end in ends:
            end.kill()
            end.communicate()


@asynccontextmanager
async def started(*words: str, until: bytes = b"", **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program, and end it with the context; it goes on when it has written `until`."""
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ | environment
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            while until and until not in (line := await process.stdout.readline()):
                assert line, "it ended"
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                await process.wait()


async def said(*words: str, **environment: str) -> str:
    """What a program writes, to its end."""
    async with started(*words, **environment) as process:
        return (await process.communicate())[0].decode().strip()


async def test_a_gateway_without_a_route_out_asks_a_cloud(
    tmp_path: Path, networks: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    """It reaches the way out and nothing else; nobody on the way reads along, no stranger gets a word, and the doctor
    says that it is held."""
    inside, outside = networks
    python = (sys.executable, "-c")
    await said(str(SCRIPT), THERE, str(tmp_path / "seal"))
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with started(*outside, *python, CLOUD) as cloud:
        assert cloud.stdout is not None
        address = (await cloud.stdout.readline()).decode().strip()
        config = CONFIG.format(folder=tmp_path, cloud=address, there=THERE, port=PORT)
        other = tmp_path / "egress.yaml"
        other.write_text(config.replace("gateway.crt", "egress.crt").replace("gateway.key", "egress.key"))
        egress = (*outside, sys.executable, "-m", "gateway", "egress", "--config", str(other), "--host", THERE)
        with_key = {"AWAY_KEY": "sk-cloud", "ADUANA_STATE_DIR": str(tmp_path / "egress-state")}
        async with RunningGateway(tmp_path, config, launcher=inside) as running:
            asked = (*inside, *python, ASK, f"{running.url}/v1/chat/completions")
            assert "HTTPError" in await said(*asked)
            async with started(*egress, until=b"egress.listening", **with_key):
                async with started(*outside, *python, LISTEN, until=b"listening") as cable:
                    assert cable.stdout is not None
                    assert await said(*asked) == "200"
                    cable.send_signal(signal.SIGTERM)
                    assert (await cable.stdout.readline()).strip() == b"False False True"
                assert b"Hello there" in await cloud.stdout.readline()
                authority = str(tmp_path / "seal" / "ca.crt")
                assert await said(*inside, *python, STRANGER, THERE, authority) != "1"
                state = {"ADUANA_STATE_DIR": str(tmp_path / "state")}
                doctor = (sys.executable, "-m", "gateway", "doctor", "--config", str(running.config))
                told = await said(*inside, *doctor, **state)
            assert "HTTPError" in await said(*asked)
    tried = json.loads((tmp_path / "state" / "seal.json").read_bytes())["attempts"]
    assert {"address": "192.0.2.1:443", "outcome": "no_route"} in tried
    assert not [one for one in tried if one["outcome"] == "open"]
    assert "both know each other's certificates" in " ".join(told.split())
    assert "can't reach the internet" in " ".join(told.split())
