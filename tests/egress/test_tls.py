"""Between machines: only who has a certificate of the private authority is spoken to, and clocks need not agree."""

import asyncio
import os
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.app.egress.connecting import RemoteConnecting
from gateway.cloud import CloudSettings, CloudTarget
from gateway.core.delta import Delta, Text
from gateway.core.errors import AduanaError, ConfigurationError, PolicyRefused
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.egress.keys import new_seal
from gateway.egress.messages import Ask, Broken, Hello, Kind, Setup, read_message
from gateway.egress.process import checking
from gateway.egress.process import server as process
from gateway.egress.process.listening import network_listener
from gateway.egress.process.server import EgressServer
from gateway.egress.sender import Sender
from gateway.egress.signing import Signer
from gateway.egress.streams import Watched
from gateway.egress.tls import Secured, TlsFiles
from gateway.settings.server import ServerSettings
from gateway.wire import openai
from tests.faults.clearing import clearance_for
from tests.faults.fault_server import DONE, FINISH, GOOD, STREAM, USAGE, Exchange, FaultServer, text, usage
from tests.faults.targets import CHAT
from tests.standins.egress import provider_of

INFO = TargetInfo(name="big", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="provider-model")
SCRIPT = Path(__file__).parents[2] / "deploy" / "seal-certificates.sh"
HOST = "127.0.0.1"
SEAL = new_seal()


def made(folder: Path, host: str = HOST) -> Path:
    """Certificates, as the page says that they are made."""
    try:
        subprocess.run([SCRIPT, host, folder], check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("openssl is not installed here")
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of a gateway and an egress process that belong together."""
    return made(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of somebody else's."""
    return made(tmp_path_factory.mktemp("others"))


def files(folder: Path, side: str, authority: Path | None = None) -> TlsFiles:
    return TlsFiles(
        authority=(authority or folder) / "ca.crt", certificate=folder / f"{side}.crt", key=folder / f"{side}.key"
    )


class Process:
    """An egress process with a port, in this process."""

    def __init__(self, secured: Secured, server: FaultServer) -> None:
        settings = CloudSettings(base_url=server.base_url, retry_pause=0.001)
        cache = os.environ["XDG_CACHE_HOME"]
        self.server = EgressServer(Setup(providers=(provider_of(INFO, settings),), seal=SEAL, cache=cache), {})
        self.listener = network_listener(HOST, 0)
        self.port = self.listener.getsockname()[1]
        self._secured = secured
        self.taken: list[socket.socket] = []
        self._taking = asyncio.create_task(self._take())

    async def _take(self) -> None:
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(self.listener)
            self.taken.append(connection)
            self.server.take(connection, self._secured)

    async def close(self) -> None:
        self._taking.cancel()
        await asyncio.wait([self._taking])
        self.listener.close()
        await self.server.close()


@asynccontextmanager
async def running(server: FaultServer, secured: Secured) -> AsyncGenerator[Process, None]:
    one = Process(secured, server)
    try:
        yield one
    finally:
        await one.close()


@asynccontextmanager
async def reached(port: int, secured: Secured) -> AsyncGenerator[CloudTarget, None]:
    """Return a target whose door is that process, as a gateway with a certificate has it."""
    sender = Sender(RemoteConnecting(port, secured), Signer(SEAL))
    target = CloudTarget(
        INFO, CloudSettings(base_url="http://127.0.0.1:9/v1"), on_violation=print, door=lambda: sender.door("big")
    )
    await target.start()
    try:
        yield target
    finally:
        await target.close()
        await sender.close()


def answer(target: CloudTarget) -> AsyncGenerator[Delta, None]:
    deadline = asyncio.get_running_loop().time() + 20
    return target.generate(clearance_for(openai.parse_chat(CHAT), INFO), deadline=deadline)


@asynccontextmanager
async def asking(port: int, secured: Secured) -> AsyncGenerator[Callable[[], "asyncio.Task[str]"], None]:
    """Return what asks once, by a gateway with a certificate."""

    async def said(target: CloudTarget) -> str:
        return "".join([delta.text async for delta in answer(target) if isinstance(delta, Text)])

    async with reached(port, secured) as target:
        yield lambda: asyncio.create_task(said(target))


async def test_strangers_who_say_nothing_keep_nobody_out(ours: Path) -> None:
    """Of connections that show no certificate the oldest are closed, and a gateway is answered beside them."""
    async with (
        FaultServer(GOOD) as server,
        running(server, Secured(files(ours, "egress"))) as one,
        asking(one.port, Secured(files(ours, "gateway"), HOST)) as ask,
    ):
        silent = [await asyncio.open_connection(HOST, one.port) for _ in range(process._UNPROVEN + 20)]
        async with asyncio.timeout(60):
            assert [await reader.read() for reader, _ in silent[:20]] == [b""] * 20
        assert not silent[-1][0].at_eof()
        assert await ask() == "Hello there"
        for _, writer in silent:
            writer.close()


async def test_both_know_each_other(ours: Path) -> None:
    """With certificates of one authority a request arrives, and its connection serves the next one, too."""
    async with (
        FaultServer(GOOD) as server,
        running(server, Secured(files(ours, "egress"))) as one,
        asking(one.port, Secured(files(ours, "gateway"), HOST)) as ask,
    ):
        for _ in range(2):
            assert await ask()
        assert (len(server.posts), len(one.server._tasks)) == (2, 1)


def test_the_quick_event_loop_does_the_same(ours: Path) -> None:
    """Gateways run on uvloop, whose connections are its own."""
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_both_know_each_other(ours))
        runner.run(test_strangers_who_say_nothing_keep_nobody_out(ours))


@pytest.mark.parametrize("wrong", ["stranger calls", "stranger answers", "egress calls", "gateway answers", "plain"])
async def test_nobody_else_is_spoken_to(wrong: str, ours: Path, others: Path) -> None:
    """Another authority's certificate, one for the other side, or none: no request arrives, and no word is said."""
    egress = files(others, "egress", ours) if wrong == "stranger answers" else files(ours, "egress")
    egress = files(ours, "gateway") if wrong == "gateway answers" else egress
    gateway = files(others, "gateway", ours) if wrong == "stranger calls" else files(ours, "gateway")
    gateway = files(ours, "egress") if wrong == "egress calls" else gateway
    async with FaultServer(GOOD) as server, running(server, Secured(egress)) as one:
        if wrong == "plain":
            plain, reader = await asyncio.get_running_loop().create_connection(Watched, HOST, one.port)
            plain.write(b"\0" * 64)
            with pytest.raises(Broken):
                await read_message(reader, Kind.HELLO, Hello)
            plain.abort()
        else:
            async with asking(one.port, Secured(gateway, HOST)) as ask:
                with pytest.raises(AduanaError) as caught:
                    await ask()
            assert caught.value.code == "egress_stopped"
        assert not server.connections


async def test_another_name_is_another_process(tmp_path: Path) -> None:
    """A certificate of the authority counts for the name that it has, and not for the one that was called."""
    folder = made(tmp_path / "c", "egress.example")
    async with FaultServer(GOOD) as server, running(server, Secured(files(folder, "egress"))) as one:
        async with asking(one.port, Secured(files(folder, "gateway"), HOST)) as ask:
            with pytest.raises(AduanaError):
                await ask()
        assert not server.connections


async def test_what_was_signed_for_one_process_is_nothing_to_another(
    ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two processes with the same keys, each takes what was signed for it, and refuses what the other was asked."""
    sign = Signer.sign
    asked: list[Ask] = []

    def same(signer: Signer, *given: object, **named: object) -> Ask:
        asked.append(sign(signer, *given, **named))  # type: ignore[arg-type]
        return asked[0]

    monkeypatch.setattr(Signer, "sign", same)
    secured = Secured(files(ours, "gateway"), HOST)
    async with FaultServer(GOOD) as server:
        one, two = Process(Secured(files(ours, "egress")), server), Process(Secured(files(ours, "egress")), server)
        async with asking(one.port, secured) as first, asking(two.port, secured) as second:
            assert await first()
            with pytest.raises(PolicyRefused):
                await second()
            monkeypatch.undo()
            assert await second()
            assert await first()
        await one.close()
        await two.close()
        assert len(server.posts) == 3


@pytest.mark.parametrize("apart", [-1e6, 1e6])
async def test_clocks_need_not_agree(ours: Path, apart: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines count seconds since they were started: what is signed counts by the clock of whoever checks it."""
    other = SimpleNamespace(monotonic=lambda: time.monotonic() + apart)
    monkeypatch.setattr(checking, "time", other)
    monkeypatch.setattr(process, "time", other)
    async with (
        FaultServer(GOOD) as server,
        running(server, Secured(files(ours, "egress"))) as one,
        asking(one.port, Secured(files(ours, "gateway"), HOST)) as ask,
    ):
        assert await ask()


async def test_where_one_process_is_gone_the_next_is_asked(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with several addresses: one that nobody answers at costs nothing but the try."""
    loop = asyncio.get_running_loop()
    with socket.create_server((HOST, 0)) as closed:
        nobody = closed.getsockname()
    async with FaultServer(GOOD) as server, running(server, Secured(files(ours, "egress"))) as one:

        async def both(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", at) for at in (nobody, (HOST, one.port))]

        connecting = RemoteConnecting(one.port, Secured(files(ours, "gateway"), HOST))
        monkeypatch.setattr(type(loop), "getaddrinfo", both)
        for _ in range(8):
            (await connecting.connect()).close()


async def test_a_slow_gateway_slows_the_provider_down_and_is_waited_for(ours: Path) -> None:
    """What nobody reads yet waits at the provider; the system takes no slow reader for a machine that is gone."""
    sent = 0

    async def endless(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.send(STREAM)
        piece = text("x" * 60_000)
        while True:
            await exchange.chunk(piece)
            sent += len(piece)

    async with (
        FaultServer(endless) as server,
        running(server, Secured(files(ours, "egress"))) as one,
        reached(one.port, Secured(files(ours, "gateway"), HOST)) as target,
    ):
        deltas = answer(target)
        await anext(deltas)
        before = -1
        while before != sent:  # until the provider is held up
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 60 * 2**20
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = one.taken[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert milliseconds >= 10 * 1000 * ServerSettings().write_seconds
        await deltas.aclose()


async def test_a_planned_stop_lets_answers_end(ours: Path) -> None:
    """An answer under way goes on to its end; a connection that nothing is asked on ends at once."""
    go = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        await exchange.chunk(text("one"))
        arrived.set()
        await go.wait()
        await exchange.chunk(FINISH, usage(USAGE), DONE)
        await exchange.finish()

    arrived = asyncio.Event()
    async with (
        FaultServer(slow) as server,
        running(server, Secured(files(ours, "egress"))) as one,
        asking(one.port, Secured(files(ours, "gateway"), HOST)) as ask,
    ):
        with socket.create_connection((HOST, one.port)) as idle:
            answer = ask()
            async with asyncio.timeout(30):
                await arrived.wait()
            draining = asyncio.create_task(one.server.drain(30))
            await asyncio.sleep(0)
            go.set()
            assert await answer == "one"
            await draining
            idle.settimeout(20)
            assert await asyncio.to_thread(idle.recv, 1) == b""


def test_new_files_count_from_the_next_connection_on(ours: Path, others: Path, tmp_path: Path) -> None:
    """Certificates that are replaced need no new start; what can't be read leaves the old ones in force."""
    for name in ("ca.crt", "egress.crt", "egress.key"):
        (tmp_path / name).write_bytes((ours / name).read_bytes())
    secured = Secured(files(tmp_path, "egress"))
    first = secured.context()
    assert secured.context() is first
    (tmp_path / "egress.crt").write_text("half a file")
    assert secured.context() is first
    for name in ("ca.crt", "egress.crt", "egress.key"):
        (tmp_path / name).write_bytes((others / name).read_bytes())
    assert secured.context() is not first


@pytest.mark.parametrize(
    ("setting", "content"),
    [("authority", None), ("authority", "no"), ("certificate", None), ("key", None), ("key", "no")],
)
def test_unusable_files_are_named(setting: str, content: str | None, ours: Path, tmp_path: Path) -> None:
    """A file that is missing or is something else stops the start, with its setting."""
    whole = {"authority": ours / "ca.crt", "certificate": ours / "egress.crt", "key": ours / "egress.key"}
    whole[setting] = tmp_path / "other"
    if content is not None:
        whole[setting].write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        Secured(TlsFiles(**whole))
    assert caught.value.problems[0].startswith(f"egress.tls.{setting}: ")


def test_no_older_protocol_is_spoken(ours: Path) -> None:
    """TLS 1.3, a certificate from both sides, and no authority of the system's."""
    for secured in (Secured(files(ours, "egress")), Secured(files(ours, "gateway"), HOST)):
        context = secured.context()
        assert context.minimum_version is ssl.TLSVersion.TLSv1_3
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.cert_store_stats()["x509_ca"] == 1
