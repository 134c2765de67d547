"""The egress process as a child: it has the keys, outlives its own deaths, and never its parent."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.cloud import CloudSettings, CloudTarget
from gateway.core.errors import AduanaError, ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.egress.child import EgressChild
from gateway.egress.keys import new_seal
from gateway.egress.messages import Provider, Setup
from gateway.egress.process import keeper as keeping
from gateway.egress.sender import Sender
from gateway.egress.signing import Signer
from gateway.wire import openai
from tests.faults.clearing import clearance_for
from tests.faults.fault_server import GOOD, FaultServer
from tests.faults.targets import CHAT

INFO = TargetInfo(name="big", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="provider-model")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


def setup_for(server: FaultServer, seal: bytes, key: str) -> Setup:
    provider = Provider(
        name="big",
        ceiling=Label.PUBLIC,
        settings=CloudSettings(base_url=server.base_url),
        endpoints=INFO.endpoints,
        key=key,
    )
    return Setup(providers=(provider,), seal=seal, cache=os.environ["XDG_CACHE_HOME"])


@asynccontextmanager
async def running(
    server: FaultServer, key: str, *, retries: int = 0
) -> AsyncGenerator[tuple[CloudTarget, EgressChild], None]:
    seal = new_seal()
    child = EgressChild(setup_for(server, seal, key), {"BIG_KEY": "sk-of-the-cloud"})
    sender = Sender(child, Signer(seal))
    await child.start()
    settings = CloudSettings(base_url=server.base_url, retries=retries)
    target = CloudTarget(INFO, settings, on_violation=print, door=lambda: sender.door("big"))
    await target.start()
    try:
        yield target, child
    finally:
        await target.close()
        await sender.close()
        await child.close()


async def asked(target: CloudTarget) -> str:
    """Ask once, and return the error's code; empty: an answer came."""
    deltas = target.generate(
        clearance_for(openai.parse_chat(CHAT), INFO), deadline=asyncio.get_running_loop().time() + 60
    )
    try:
        return "" if [delta async for delta in deltas] else "nothing"
    except AduanaError as error:
        return error.code


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def key_sent(server: FaultServer) -> bytes:
    return next(line for line in server.posts[-1].head.split(b"\r\n") if line.lower().startswith(b"authorization"))


async def test_the_child_has_the_key_and_comes_back_with_it(tmp_path: Path) -> None:
    """Requests leave with the key that only the child has; killed, it is there again at once, and still has it."""
    async with FaultServer(GOOD) as server, running(server, "env:BIG_KEY") as (target, child):
        assert await asked(target) == ""
        assert key_sent(server) == b"Authorization: Bearer sk-of-the-cloud"
        assert child.pid is not None
        [worker] = children_of(child.pid)
        os.kill(worker, signal.SIGKILL)
        while worker in children_of(child.pid):  # noqa: ASYNC110 - only the system knows
            await asyncio.sleep(0.01)
        assert await asked(target) == ""
        assert key_sent(server) == b"Authorization: Bearer sk-of-the-cloud"
        if os.geteuid():  # nobody of the same user reads its memory or its environment; the system's owner may
            with pytest.raises(PermissionError):
                Path(f"/proc/{children_of(child.pid)[0]}/environ").read_bytes()


async def test_a_burst_of_requests_arrives() -> None:
    """Many at once, more than connections can wait at the process, all get their answer."""
    async with FaultServer(GOOD) as server, running(server, "env:BIG_KEY", retries=2) as (target, _):
        assert set(await asyncio.gather(*(asked(target) for _ in range(500)))) == {""}


async def test_a_dead_keeper_takes_the_keys_of_variables_with_it(tmp_path: Path) -> None:
    """Then the target says what to do; with its key in a file it works again."""
    (tmp_path / "key").write_text("sk-in-a-file\n")
    for key, again in ((f"file:{tmp_path}/key", ""), ("env:BIG_KEY", "egress_stopped")):
        async with FaultServer(GOOD) as server, running(server, key) as (target, child):
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            async with asyncio.timeout(60):
                while not child.problem:  # noqa: ASYNC110 - the next request looks at it, too
                    await asyncio.sleep(0.01)
                while child.problem and "again" not in child.problem:  # noqa: ASYNC110 - the same
                    await asyncio.sleep(0.05)
            assert await asked(target) == again
            assert target.state().healthy is (again == "")


async def test_it_is_begun_again_once_that_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where descriptors have run out just when it dies, it is tried again, and nobody has to start the gateway."""
    (tmp_path / "key").write_text("sk-in-a-file\n")
    pairs, failed = socket.socketpair, asyncio.Event()

    def none_left() -> tuple[socket.socket, socket.socket]:
        failed.set()
        raise OSError(errno.EMFILE, "Too many open files")

    async with FaultServer(GOOD) as server, running(server, f"file:{tmp_path}/key") as (target, child):
        assert child.pid is not None
        monkeypatch.setattr(socket, "socketpair", none_left)
        os.kill(child.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            await failed.wait()
            monkeypatch.setattr(socket, "socketpair", pairs)
            while child.problem:  # noqa: ASYNC110 - the next request looks at it, too
                await asyncio.sleep(0.05)
        assert await asked(target) == ""


def test_a_keeper_that_can_not_fork_keeps_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """It tries again: were it to end, the keys of variables would be gone."""
    fork, tried = os.fork, []

    def no_more() -> int:
        tried.append(1)
        if len(tried) < 3:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", no_more)
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(keeping, "_wait_for_end", lambda *_: True)
    monkeypatch.setattr(keeping, "harden", lambda *_: None)
    with ours, theirs:
        keeping._forks(theirs, lambda: None)
    assert len(tried) == 3


async def test_a_key_that_is_missing_stops_the_start() -> None:
    """The sentence is the one that the gateway itself would tell."""
    async with FaultServer(GOOD) as server:
        child = EgressChild(setup_for(server, new_seal(), "env:NO_SUCH_KEY"), {})
        with pytest.raises(ConfigurationError) as caught:
            await child.start()
    [problem] = caught.value.problems
    assert problem == ("targets.big.api_key: the environment variable NO_SUCH_KEY (for 'env:NO_SUCH_KEY') is not set.")


_PARENT = """
import asyncio, os, sys
from gateway.egress.child import EgressChild
from gateway.egress.messages import Setup

async def main():
    child = EgressChild(Setup(providers=(), seal=b"x" * 32), os.environ)
    await child.start()
    print(child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_it_ends_with_its_parent() -> None:
    """A gateway that is killed leaves no process behind that could still send."""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", _PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    keeper = int(await parent.stdout.readline())
    async with asyncio.timeout(60):
        while not (workers := children_of(keeper)):  # noqa: ASYNC110 - only the system knows
            await asyncio.sleep(0.02)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(10):
        while any(alive(pid) for pid in (keeper, *workers)):  # noqa: ASYNC110 - only the system knows
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
