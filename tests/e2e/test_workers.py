"""Several processes of one gateway on one port: they share what gateways share, die alone, and stop together."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.test_two_gateways import POLICY, gateway
from tests.faults.fault_server import DONE, FINISH, USAGE, Exchange, FaultServer, streamed, text, usage
from tests.standins.gateway import RunningGateway
from tests.standins.postgresql import Postgresql

CHAT = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
ANSWER = streamed(text("Hello"), FINISH, usage(USAGE), DONE)
TO_CLOUD = POLICY.replace("den", "big")
_THIS = re.compile(r"this is worker (\d), process (\d+)")
_SECONDS = 60.0
SECRET = "sk-secret-0123456789abcdef"
NOWHERE = "http://127.0.0.1:9/v1"


class Gate:
    """A model server that answers when it may."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.waiting = 0

    async def __call__(self, exchange: Exchange) -> None:
        self.waiting += 1
        await self.open.wait()
        await ANSWER(exchange)


async def asked(gateway: RunningGateway, path: str = "/readyz", **options: Any) -> tuple[int, str]:
    """Ask by a new connection, so that any worker may take it."""
    method = "POST" if options.keys() & {"json", "data"} else "GET"
    async with aiohttp.ClientSession() as session, session.request(method, gateway.url + path, **options) as answer:
        return answer.status, await answer.text()


async def workers_of(gateway: RunningGateway) -> dict[int, int]:
    """The process of each worker that answers now, by its number."""
    answers = await asyncio.gather(*(asked(gateway) for _ in range(8)))
    found = [_THIS.search(json.loads(body)["workers"]) for _, body in answers]
    return {int(one.group(1)): int(one.group(2)) for one in found if one is not None}


async def until(true: Callable[[], Any]) -> Any:
    """Wait for a condition, and return what makes it one."""
    async with asyncio.timeout(_SECONDS):
        while not (found := await true()):  # noqa: ASYNC110 - other processes have no event
            await asyncio.sleep(0.05)
        return found


async def both(gateway: RunningGateway, but: int = 0) -> dict[int, int]:
    """Wait until two workers have answered, neither of which is the process `but`."""
    seen: dict[int, int] = {}

    async def two() -> bool:
        seen.update(await workers_of(gateway))
        return len(seen) == 2 and but not in seen.values()

    await until(two)
    return seen


async def both_new(gateway: RunningGateway, before: dict[int, int]) -> bool:
    """Whether two other processes answer than did before."""
    with contextlib.suppress(aiohttp.ClientError):
        now = await workers_of(gateway)
        return len(now) == 2 and not set(now.values()) & set(before.values())
    return False


async def counted(gateway: RunningGateway, name: str) -> float:
    """The sum of a metric over its labels, as the port tells it."""
    status, page = await asked(gateway, "/metrics")
    assert status == 200
    return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if re.match(rf"{name}[ {{]", line))


@asynccontextmanager
async def two_workers(
    folder: Path, ledger: str, den: str, *, env: dict[str, str] | None = None, **config: Any
) -> AsyncIterator[RunningGateway]:
    """A gateway of two workers, once both answer."""
    server = {"workers": 2, "drain_seconds": 20} | config.pop("server", {})
    prepared = gateway(folder, den, ledger=ledger, server=server, **config)
    prepared.env |= env or {}
    async with prepared as one:
        await one.until_ready()
        await both(one)
        yield one


async def test_connections_are_shared_out_by_turns(tmp_path: Path, postgresql: Postgresql) -> None:
    """A client that opens sixteen connections at once has eight at each worker, and they stay there."""
    async with (
        FaultServer(ANSWER) as den,
        two_workers(tmp_path, postgresql.fresh(), den.base_url) as one,
        contextlib.AsyncExitStack() as stack,
    ):
        sessions = [await stack.enter_async_context(aiohttp.ClientSession()) for _ in range(16)]

        async def worker(session: aiohttp.ClientSession) -> str:
            async with session.get(f"{one.url}/readyz") as answer:
                return _THIS.search(await answer.text()).group(1)  # type: ignore[union-attr]

        first = await asyncio.gather(*map(worker, sessions))
        assert Counter(first) == {"1": 8, "2": 8}
        assert await asyncio.gather(*map(worker, sessions)) == first


async def test_a_limit_counts_over_both_and_so_do_metrics(tmp_path: Path, postgresql: Postgresql) -> None:
    """Of thirty requests at once three run, whichever worker they came to; the port counts all."""
    gate = Gate()
    async with FaultServer(gate) as den:
        limits = {"targets": {"den": {"parallel": 3}}}
        async with two_workers(tmp_path, postgresql.fresh(), den.base_url, limits=limits) as one:
            asking = [asyncio.create_task(asked(one, "/v1/chat/completions", json=CHAT)) for _ in range(30)]

            async def others_refused() -> bool:
                return sum(task.done() for task in asking) == 27

            await until(others_refused)
            assert gate.waiting == 3
            assert await counted(one, "aduana_requests_in_flight") == 3
            gate.open.set()
            assert Counter(status for status, _ in await asyncio.gather(*asking)) == {200: 3, 429: 27}
            assert await counted(one, "aduana_requests_total") == 30
            assert await counted(one, "aduana_slots") == 128  # 64 of each


async def test_a_worker_that_dies_is_begun_again_and_nobody_waits_for_it(
    tmp_path: Path, postgresql: Postgresql
) -> None:
    """The other one answers meanwhile; the new one has the cloud's key, and no count goes back."""
    async with FaultServer(ANSWER) as cloud:
        big = {"kind": "openai", "zone": "cloud", "base_url": cloud.base_url, "model": "m", "api_key": "env:BIG_KEY"}
        config = {"targets": {"big": big}, "egress": {"process": "child"}, "policy": TO_CLOUD}
        env = {"BIG_KEY": SECRET, "ADUANA_EGRESS__PROCESS": "child"}
        async with two_workers(tmp_path, postgresql.fresh(), NOWHERE, env=env, **config) as one:
            before = await both(one)
            sent = 0
            for number in (1, 2):
                os.kill(before[number], signal.SIGKILL)
                for _ in range(8):
                    status, body = await asked(one, "/v1/chat/completions", json=CHAT)
                    assert status == 200, body
                    sent += 1
                assert await counted(one, "aduana_requests_total") == sent
                await both(one, but=before[number])
                assert await counted(one, "aduana_requests_total") == sent
            assert len(cloud.posts) == sent
            assert all(f"Bearer {SECRET}".encode() in post.head for post in cloud.posts)
            assert SECRET.encode() not in b"".join(
                Path(f"/proc/{pid}/environ").read_bytes() for pid in (one.process.pid, *(await both(one)).values())
            )


async def test_a_stop_lets_both_finish(tmp_path: Path, postgresql: Postgresql) -> None:
    """Answers that run at either worker come to their end; new connections are refused; the exit code is 0."""
    gate = Gate()
    async with FaultServer(gate) as den, two_workers(tmp_path, postgresql.fresh(), den.base_url) as one:
        asking = [
            asyncio.create_task(asked(one, "/v1/chat/completions", json=CHAT | {"stream": True})) for _ in range(12)
        ]

        async def all_wait() -> bool:
            return gate.waiting == 12

        await until(all_wait)
        assert one.process is not None
        one.process.send_signal(signal.SIGTERM)

        async def refused() -> bool:
            with contextlib.suppress(aiohttp.ClientError):
                await asked(one, "/healthz")
                return False
            return True

        await until(refused)
        gate.open.set()
        ended = await asyncio.gather(*asking)
        assert all(status == 200 and "[DONE]" in body for status, body in ended)
        assert await asyncio.wait_for(one.process.wait(), _SECONDS) == 0


async def test_workers_end_with_their_supervisor(tmp_path: Path, postgresql: Postgresql) -> None:
    """One that is killed leaves no worker behind that nobody could stop."""
    async with (
        FaultServer(ANSWER) as den,
        two_workers(tmp_path, postgresql.fresh(), den.base_url, server={"drain_seconds": 0}) as one,
    ):
        processes = (await both(one)).values()
        assert one.process is not None
        one.process.kill()

        async def gone() -> bool:
            return not any(Path(f"/proc/{pid}/cmdline").exists() for pid in processes)

        await until(gone)


async def test_a_reload_reaches_both(tmp_path: Path, postgresql: Postgresql) -> None:
    """After SIGHUP both decide by the new policy."""
    async with FaultServer(ANSWER) as den, two_workers(tmp_path, postgresql.fresh(), den.base_url) as one:

        async def digests() -> set[str]:
            answers = await asyncio.gather(*(asked(one) for _ in range(8)))
            return {
                f"{_THIS.search(body).group(1)} {json.loads(body)['policy']}"  # type: ignore[union-attr]
                for _, body in answers
            }

        old: set[str] = set()
        while len(old) < 2:
            old |= await digests()
        (tmp_path / "policy.yaml").write_text(POLICY.replace("public", "internal"))
        assert one.process is not None
        one.process.send_signal(signal.SIGHUP)
        new: set[str] = set()

        async def both_new() -> bool:
            new.update(await digests() - old)
            return len({one.split()[0] for one in new}) == 2

        await until(both_new)


async def test_a_session_in_the_console_counts_at_both(tmp_path: Path, postgresql: Postgresql) -> None:
    """Whoever signs in at one worker is known to the other, and whoever signs out is to neither."""
    (tmp_path / "key").write_text(SECRET)
    keys = {"owner": {"secret": f"file:{tmp_path / 'key'}", "admin": True}}
    async with FaultServer(ANSWER) as den, two_workers(tmp_path, postgresql.fresh(), den.base_url, keys=keys) as one:
        form = {"headers": {"Sec-Fetch-Site": "same-origin"}, "allow_redirects": False}

        async def signed_in() -> set[bool]:
            """What each of some connections thinks of the cookie."""
            pages = await asyncio.gather(*(asked(one, "/console/keys", cookies=cookies) for _ in range(16)))
            return {"/console/logout" in body for _, body in pages}

        async with aiohttp.ClientSession() as session:
            entered = await session.post(f"{one.url}/console/login", data={"key": SECRET}, **form)
        cookies = {name: morsel.value for name, morsel in entered.cookies.items()}
        assert await signed_in() == {True}
        assert (await asked(one, "/console/logout", data={}, cookies=cookies, **form))[0] == 303

        async def signed_out() -> bool:
            return await signed_in() == {False}

        await until(signed_out)


async def test_a_retry_is_answered_once_whichever_worker_it_comes_to(tmp_path: Path, postgresql: Postgresql) -> None:
    """With one Idempotency-Key the target is asked once, a running request is told of, and a dead worker's is new."""
    gate = Gate()
    async with FaultServer(gate) as den, two_workers(tmp_path, postgresql.fresh(), den.base_url) as one:
        before = await both(one)

        async def sent(key: str) -> tuple[int, str]:
            return await asked(one, "/v1/chat/completions", json=CHAT, headers={"Idempotency-Key": key})

        async def one_of_twelve(key: str, asked_before: int) -> list["asyncio.Task[tuple[int, str]]"]:
            """Send a request twelve times at once, and wait until one of them alone is left."""
            tasks = [asyncio.create_task(sent(key)) for _ in range(12)]

            async def one_runs() -> bool:
                return sum(task.done() for task in tasks) == 11 and gate.waiting > asked_before

            await until(one_runs)
            return tasks

        cut_off = await one_of_twelve("first", 0)
        for process in before.values():
            os.kill(process, signal.SIGKILL)
        await asyncio.gather(*cut_off, return_exceptions=True)
        await until(lambda: both_new(one, before))
        running = await one_of_twelve("second", 1)
        gate.open.set()
        ended = await asyncio.gather(*running)
        assert Counter(status for status, _ in ended) == {200: 1, 409: 11}
        again = await asyncio.gather(*(sent("second") for _ in range(12)))
        assert {body for _, body in again} == {body for status, body in ended if status == 200}
        assert gate.waiting == 2
        assert (await sent("first"))[0] == 200
        assert gate.waiting == 3


async def test_a_worker_that_stands_still_is_begun_again(tmp_path: Path, postgresql: Postgresql) -> None:
    """Under a service manager that watches, a worker whose event loop stops is killed; the manager hears of all."""
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(tmp_path / "notify"))
    told.setblocking(False)
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "9000000"}
    async with FaultServer(ANSWER) as den, two_workers(tmp_path, postgresql.fresh(), den.base_url, env=env) as one:
        stopped = (await both(one))[2]
        os.kill(stopped, signal.SIGSTOP)

        async def gone() -> bool:
            return not Path(f"/proc/{stopped}/cmdline").exists()

        await until(gone)
        assert "worker.stands_still" in one.log
        await both(one, but=stopped)
    said = []
    with contextlib.suppress(BlockingIOError):
        while True:
            said += told.recv(4096).decode().splitlines()
    told.close()
    assert said[0] == "READY=1"
    assert "STATUS=2 of 2 workers answer. Ready: den answers" in said


def test_a_file_is_no_ledger_for_several(tmp_path: Path) -> None:
    """The start is refused with the setting's place, and what to do."""
    (tmp_path / "aduana.yaml").write_text(
        "state_dir: state\nserver:\n  workers: 2\n"
        'targets: {den: {kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m}}\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.getcwd(), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "aduana.yaml:3:3: server.workers: 2 workers need a ledger that they can share" in done.stderr
    assert "ledger move" in done.stderr
