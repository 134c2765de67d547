"""Several servers behind one target: each is watched, conversations stay, and a server that dies costs no request."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.core.delta import Text
from gateway.core.errors import AduanaError, ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.core.progress import Progress
from gateway.core.request import ChatRequest
from gateway.core.target import TargetInfo
from gateway.local.http.settings import HttpSettings, ServerAddress
from gateway.local.http.target import HttpTarget
from gateway.wire import openai
from tests.faults.fault_server import (
    DONE,
    FINISH,
    GOOD,
    STREAM,
    USAGE,
    Exchange,
    FaultServer,
    Script,
    plain,
    text,
    usage,
)

INFO = TargetInfo(name="den", kind="openai", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="qwen")


def chat(first: str = "hi", *more: str, user: str = "ana") -> ChatRequest:
    """A conversation that begins with these words."""
    said = [
        {"role": "user" if number % 2 == 0 else "assistant", "content": turn}
        for number, turn in enumerate((first, *more))
    ]
    return openai.parse_chat(json.dumps({"model": "auto", "user": user, "messages": said}).encode())


@asynccontextmanager
async def running(*servers: FaultServer | str, ready: int | None = None, **settings: Any) -> AsyncIterator[HttpTarget]:
    """A target with these servers, once so many of them (default: all) were found to be there."""
    addresses = [one if isinstance(one, str) else one.base_url for one in servers]
    names = [f"gpu-{number}" for number in range(len(addresses))]
    given = {"poll_seconds": 0.05, "poll_seconds_down": 0.05, "load_seconds": 0.05} | settings
    target = HttpTarget(
        INFO,
        HttpSettings(
            servers=tuple(ServerAddress(name=name, base_url=url) for name, url in zip(names, addresses, strict=True)),
            **given,
        ),
    )
    await target.start()
    try:
        await until(target, len(servers) if ready is None else ready)
        yield target
    finally:
        await target.close()


async def until(target: HttpTarget, count: int) -> None:
    """Waits until so many servers are there."""
    async with asyncio.timeout(60):
        while sum(server.healthy for server in target.state().servers) != count:  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.005)


class Asked:
    """How one request ended: its text, the server that was asked last, the error's code."""

    def __init__(self) -> None:
        self.text = ""
        self.progress = Progress()
        self.code: str | None = None


async def ask(target: HttpTarget, request: ChatRequest | None = None, asked: Asked | None = None) -> Asked:
    """One request; what comes of it is in `asked` while it runs."""
    asked = asked or Asked()
    deadline = asyncio.get_running_loop().time() + 60
    stream = target.generate(request or chat(), deadline=deadline, isolation="x", progress=asked.progress)
    try:
        async for delta in stream:
            asked.text += delta.text if isinstance(delta, Text) else ""
    except AduanaError as error:
        asked.code = error.code
    finally:
        await stream.aclose()
    return asked


async def cut_before_the_answer(exchange: Exchange) -> None:
    """Hangs up when it has read the request."""
    exchange.reset()


async def cut_inside_the_answer(exchange: Exchange) -> None:
    """Says one word and hangs up."""
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    await asyncio.sleep(0.05)
    exchange.reset()


async def test_a_conversation_stays_and_others_spread() -> None:
    """All turns of a conversation go to one server; many conversations share all servers."""
    async with FaultServer(GOOD) as one, FaultServer(GOOD) as two, running(one, two) as target:
        turns = ["hello", "hi", "and then?", "so", "what else?"]
        homes = {(await ask(target, chat(*turns[: count + 1]))).progress.server for count in (0, 2, 4)}
        assert len(homes) == 1
        spread = Counter([(await ask(target, chat(f"conversation {number}"))).progress.server for number in range(24)])
        assert set(spread) == {"gpu-0", "gpu-1"}
        assert len(one.posts) + len(two.posts) == 27


@pytest.mark.parametrize(
    "fails",
    [
        cut_before_the_answer,
        plain(503, b"{}"),
        plain(500, b"{}"),
        plain(429, b"{}", retry_after="5"),
        plain(401, b"{}"),
    ],
)
async def test_a_server_that_fails_before_its_first_word_is_followed_by_the_next(fails: Script) -> None:
    """The client sees nothing of it, each server is asked once, and what answered is known."""
    async with FaultServer(fails) as bad, FaultServer(GOOD) as good, running(bad, good) as target:
        asked = [await ask(target, chat(f"conversation {number}")) for number in range(12)]
        assert {(one.text, one.code, one.progress.server) for one in asked} == {("Hello there", None, "gpu-1")}
        assert bad.posts
        assert len(good.posts) == 12


async def test_what_has_begun_to_answer_is_never_asked_for_again() -> None:
    """Half an answer is an error, not two answers: no other server gets the request."""
    cut = cut_inside_the_answer
    async with FaultServer(cut) as one, FaultServer(cut) as two, running(one, two) as target:
        asked = await ask(target)
        assert (asked.text, asked.code) == ("Hello", "incomplete_answer")
        assert len(one.posts) + len(two.posts) == 1


async def test_what_is_wrong_with_the_request_is_told_at_once() -> None:
    """A request that one server refuses as it stands is not carried from one to the next."""
    refuse = plain(400, b'{"error":{"message":"temperature must be below 2","type":"invalid_request_error"}}')
    async with FaultServer(refuse) as one, FaultServer(refuse) as two, running(one, two) as target:
        assert (await ask(target)).code == "target_rejected"
        assert len(one.posts) + len(two.posts) == 1


async def test_each_server_has_its_own_breaker() -> None:
    """One that fails again and again is left alone, while the target answers; it is told which one that is."""
    async with FaultServer(plain(500, b"{}")) as bad, FaultServer(GOOD) as good, running(bad, good) as target:
        for number in range(40):
            assert (await ask(target, chat(f"conversation {number}"))).code is None
        assert len(bad.posts) == 5
        state = target.state()
        assert state.healthy
        assert state.open_until is None
        assert [(server.healthy, server.open_until is None) for server in state.servers] == [
            (False, False),
            (True, True),
        ]


async def test_all_servers_are_tried_before_a_request_fails() -> None:
    """What the client is told is the last one's failure; nothing is hidden behind a server that is down."""
    async with FaultServer(plain(503, b"{}")) as one, running(one, "http://127.0.0.1:9/v1", ready=1) as target:
        assert (await ask(target)).code in ("target_unavailable", "target_unreachable")
        assert len(one.posts) == 1


async def test_a_server_that_comes_back_gets_its_conversations_again() -> None:
    """And while it is away there are as many slots as the others have."""
    async with FaultServer(GOOD) as one, FaultServer(GOOD) as two, running(one, two, slots=4) as target:
        at_home = [chat(f"conversation {number}") for number in range(12)]
        homes = [(await ask(target, request)).progress.server for request in at_home]
        assert target.state().slots_total == 8
        port, serving = one.port, one._server
        assert serving is not None
        await one.__aexit__()
        await until(target, 1)
        assert target.state().slots_total == 4
        assert {(await ask(target, request)).progress.server for request in at_home} == {"gpu-1"}
        one._server = await asyncio.start_server(one._serve, "127.0.0.1", port)
        await until(target, 2)
        assert [(await ask(target, request)).progress.server for request in at_home] == homes


async def test_a_public_address_among_private_ones_is_refused() -> None:
    """One line of the list is enough: the gateway does not start, and says which setting it is."""
    with pytest.raises(ConfigurationError, match=r"targets\.den\.servers"):
        async with running("http://127.0.0.1:9/v1", "https://8.8.8.8/v1", ready=0):
            pass


class Elsewhere(FaultServer):
    """A server that says it runs the model on somebody else's machines."""

    def page(self, head: bytes) -> bytes:
        return b'{"models":[{"name":"qwen","remote_host":"https://ollama.com"}]}'


async def test_a_server_that_passes_requests_on_gets_none() -> None:
    """Each server is asked where it runs the model; one that says elsewhere is sent nothing, and the others answer."""
    async with Elsewhere(GOOD) as away, FaultServer(GOOD) as home, running(away, home, ready=1) as target:
        for number in range(12):
            assert (await ask(target, chat(f"conversation {number}"))).progress.server == "gpu-1"
        assert [one for one in away.posts if b"/chat/completions" in one.head] == []
        assert "elsewhere" in target.state().servers[0].problem


class Crowded(FaultServer):
    """vLLM that is full of other people's requests."""

    def page(self, head: bytes) -> bytes:
        told = b"vllm:num_requests_running 16\nvllm:num_requests_waiting 30\n"
        return told if b"/metrics" in head else super().page(head)


async def test_what_servers_tell_of_their_load_counts() -> None:
    """Requests that others sent there are seen, so conversations go where there is room."""
    async with Crowded(GOOD) as full, FaultServer(GOOD) as free, running(full, free) as target:
        async with asyncio.timeout(60):
            while target.state().servers[0].load != 46:  # noqa: ASYNC110 - the watch has no event to wait for
                await asyncio.sleep(0.005)
        for number in range(12):
            assert (await ask(target, chat(f"conversation {number}"))).progress.server == "gpu-1"
        assert [server.waiting for server in target.state().servers] == [30, 0]


async def test_one_key_can_fill_no_server_alone() -> None:
    """The queue before the servers is one, and fair: all places together are shared out, not each server's."""
    release = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await release.wait()
        await exchange.send(STREAM)
        await exchange.chunk(text("Hello"), FINISH, usage(USAGE), DONE)
        await exchange.finish()

    async with FaultServer(slow) as one, FaultServer(slow) as two, running(one, two, slots=2, queue=6) as target:
        asked = [asyncio.create_task(ask(target, chat(f"conversation {number}"))) for number in range(20)]
        async with asyncio.timeout(60):
            while sum(task.done() for task in asked) < 12:  # noqa: ASYNC110 - refusals have no event
                await asyncio.sleep(0.005)
            while len(one.posts) + len(two.posts) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert {len(one.posts), len(two.posts)} <= {1, 2, 3}
        release.set()
        codes = Counter([(await task).code for task in asked])
        assert codes == {None: 8, "target_busy": 12}


class ModelServer:
    """A model server in a process of its own."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.url = ""
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "ModelServer":
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.standins.model_server", "0", str(self.log), "8", "0.05"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode()
        self.url = f"http://127.0.0.1:{int(line.split()[-1])}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    def got(self) -> list[str]:
        """The requests that reached it, by their user."""
        return self.log.read_text().split() if self.log.exists() else []


async def test_a_server_killed_under_load_costs_no_request_that_had_not_begun(tmp_path: Path) -> None:
    """kill -9 in the middle of 90 requests: those that it was answering end with an error, all others are answered.

    None is lost, and none that had begun is sent a second time.
    """
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(ModelServer(tmp_path / f"{number}.log")) for number in range(3)]
        target = await stack.enter_async_context(running(*(server.url for server in servers), slots=8, queue=200))
        asked = {f"request-{number}": Asked() for number in range(90)}
        tasks = [
            asyncio.create_task(ask(target, chat(f"conversation {user}", user=user), one))
            for user, one in asked.items()
        ]

        def begun() -> bool:
            on_it = [one for one in asked.values() if one.progress.server == "gpu-0"]
            return len(servers[0].got()) >= 12 and any(one.text == "word0 " for one in on_it)

        async with asyncio.timeout(60):
            while not begun():  # noqa: ASYNC110 - words have no event
                await asyncio.sleep(0.002)
        assert servers[0].process is not None
        os.kill(servers[0].process.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks)
        whole = " ".join(f"word{number}" for number in range(8)) + " "
        failed = {user for user, one in asked.items() if one.code is not None}
        assert {one.text for one in asked.values() if one.code is None} == {whole}
        assert all(asked[user].text and asked[user].progress.server == "gpu-0" for user in failed)
        assert 0 < len(failed) <= 10
        sent = Counter(user for server in servers for user in server.got())
        assert set(sent) == set(asked)
        assert all(sent[user] == 1 for user in failed)
        assert {user for user, times in sent.items() if times > 1} <= set(servers[0].got()) - failed
