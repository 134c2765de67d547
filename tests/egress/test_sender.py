"""What the gateway hands to the egress process is sent, once, and nothing else is: over real sockets."""

import asyncio
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from gateway.cloud import CloudSettings, CloudTarget
from gateway.core.delta import Delta, Text
from gateway.core.errors import AduanaError, PolicyRefused, TargetCutOff
from gateway.core.events import ViolationStopped
from gateway.core.labels import Label, Zone
from gateway.core.request import ChatRequest, Endpoint
from gateway.core.target import TargetInfo
from gateway.egress.messages import (
    Ask,
    Begun,
    Broken,
    Claims,
    ClientKey,
    Hello,
    Kind,
    Setup,
    frame,
    head,
    pack,
    read_frame,
    read_message,
    unpack,
)
from gateway.egress.process import server as process
from gateway.egress.sender import Sender
from gateway.egress.signing import Signer
from gateway.egress.streams import open_streams
from gateway.policy import Clearance
from gateway.upstream.media.requests import SentBody
from gateway.wire import openai
from tests.faults.clearing import clearance_for
from tests.faults.fault_server import GOOD, STREAM, Exchange, FaultServer, text
from tests.faults.targets import CHAT
from tests.standins.egress import EgressHere, provider_of

INFO = TargetInfo(name="big", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="provider-model")
IBAN = "My account is ES91 2100 0418 4502 0005 1332."
FORGED = b"another key, which nobody shares"


def chat(content: str) -> ChatRequest:
    return openai.parse_chat(json.dumps({"model": "auto", "messages": [{"role": "user", "content": content}]}).encode())


@asynccontextmanager
async def sealed(server: FaultServer) -> AsyncGenerator[tuple[CloudTarget, EgressHere, list[ViolationStopped]], None]:
    """A target whose door is an egress server, what is behind the door, and what the observer was told."""
    told: list[ViolationStopped] = []
    settings = CloudSettings(base_url=server.base_url, retry_pause=0.001)
    egress = EgressHere((provider_of(INFO, settings),))
    target = CloudTarget(INFO, settings, on_violation=told.append, door=lambda: egress.sender.door("big"))
    await target.start()
    try:
        yield target, egress, told
    finally:
        await target.close()
        await egress.close()


def answer(target: CloudTarget, clearance: Clearance) -> AsyncGenerator[Delta, None]:
    return target.generate(clearance, deadline=asyncio.get_running_loop().time() + 20)


async def said(target: CloudTarget, clearance: Clearance) -> str:
    return "".join([delta.text async for delta in answer(target, clearance) if isinstance(delta, Text)])


def changed(**fields: Any) -> Callable[[Claims], dict[str, Any]]:
    return lambda claims: fields


# What is wrong with a request, and the word in the log: the claims that are changed, and whether they are signed anew.
REFUSED = {
    "a label that was changed": (changed(label=Label.INTERNAL), False, "signature"),
    "a body that was changed": (changed(digest=hashlib.sha256(b"other").digest()), True, "body"),
    "a body that is longer than signed": (lambda claims: {"size": claims.size - 1}, True, "body"),
    "a label above the ceiling": (changed(label=Label.INTERNAL), True, "label"),
    "a sensitive label": (changed(label=Label.SENSITIVE), True, "label"),
    "another target": (changed(target="bigger"), True, "target"),
    "what the target does not serve": (changed(endpoint=Endpoint.RERANK), True, "endpoint"),
    "another path": (changed(path="/files"), True, "path"),
    "a way out of the path": (changed(path="/../admin"), True, "path"),
    "a client's key for a target that has ours": (
        changed(client=ClientKey(form="authorization", secret="sk")), True, "credential",
    ),
    "time that ran out": (lambda claims: {"expires": claims.expires - 60}, True, "expired"),
    "time without end": (lambda claims: {"expires": claims.expires + 1e6}, True, "expired"),
    "an earlier life of the process": (changed(life=b"x" * 16), True, "life"),
    "a type that is unknown": (changed(content_type="text/plain"), True, "unreadable"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "resigned", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_was_not_cleared_is_not_sent(
    change: Callable[[Claims], dict[str, Any]],
    resigned: bool,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever differs from what the policy cleared is refused, told to the observer, and logged without content."""
    sign = Signer.sign

    def altered(signer: Signer, *given: Any, **named: Any) -> Ask:
        ask = sign(signer, *given, **named)
        claims = unpack(ask.claims, Claims)
        other = pack(msgspec.structs.replace(claims, **change(claims)))
        return Ask(claims=other, mac=hmac.digest(signer._key, other, "sha256") if resigned else ask.mac)

    monkeypatch.setattr(Signer, "sign", altered)
    async with FaultServer(GOOD) as server, sealed(server) as (target, _, told):
        with pytest.raises(PolicyRefused) as caught:
            await said(target, clearance_for(openai.parse_chat(CHAT), INFO))
        assert not server.connections
    assert caught.value.code == "egress_refused"
    assert [one.target for one in told] == ["big"]
    logged = "".join(capsys.readouterr())
    assert f"reason={reason}" in logged
    assert "Say hello" not in logged


async def test_a_key_that_nobody_shares_opens_nothing() -> None:
    """A signature with another key is refused."""
    async with FaultServer(GOOD) as server, sealed(server) as (target, egress, _):
        egress.sender._signer = Signer(FORGED)
        with pytest.raises(PolicyRefused):
            await said(target, clearance_for(openai.parse_chat(CHAT), INFO))
        assert not server.connections


async def test_a_clearance_is_good_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same signed request a second time is refused."""
    sign = Signer.sign
    asked: list[Ask] = []

    def same(signer: Signer, *given: Any, **named: Any) -> Ask:
        asked.append(sign(signer, *given, **named))
        return asked[0]

    monkeypatch.setattr(Signer, "sign", same)
    async with FaultServer(GOOD) as server, sealed(server) as (target, _, _told):
        clearance = clearance_for(openai.parse_chat(CHAT), INFO)
        assert await said(target, clearance)
        with pytest.raises(PolicyRefused):
            await said(target, clearance)
        assert len(server.posts) == 1


async def test_nobody_signs_what_was_not_minted() -> None:
    """The signer takes a genuine clearance alone."""
    with pytest.raises(TypeError, match="not minted"):
        Signer(FORGED).sign(object.__new__(Clearance), None, life=b"", most_bytes=1, credential=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("found", "leaves"), [((), False), (("financial.iban",), True), (("contact.email",), False)])
async def test_what_inspection_did_not_see_stays(found: tuple[str, ...], leaves: bool) -> None:
    """An account number leaves where the decision knew of one and permitted it, and is refused where it is news."""
    async with FaultServer(GOOD) as server, sealed(server) as (target, _, told):
        clearance = clearance_for(chat(IBAN), INFO, found=found)
        try:
            await said(target, clearance)
            sent = True
        except PolicyRefused:
            sent = False
        assert (sent, len(server.posts), len(told)) == ((True, 1, 0) if leaves else (False, 0, 1))


async def test_a_client_that_goes_away_ends_the_request_at_the_provider() -> None:
    """Closing the answer closes the provider's connection, without waiting for more of the answer."""
    gone = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        await exchange.chunk(text("one"))
        await exchange.until_gone()
        gone.set()

    async with FaultServer(slow) as server, sealed(server) as (target, _, _told):
        deltas = answer(target, clearance_for(openai.parse_chat(CHAT), INFO))
        assert await anext(deltas)
        await deltas.aclose()
        async with asyncio.timeout(10):
            await gone.wait()


async def test_a_process_that_stops_ends_answers_with_an_error() -> None:
    """An answer under way ends with an error that says so, and the request is not sent again."""

    async def slow(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        await exchange.chunk(text("one"))
        await exchange.until_gone()

    async with FaultServer(slow) as server, sealed(server) as (target, egress, _):
        deltas = answer(target, clearance_for(openai.parse_chat(CHAT), INFO))
        await anext(deltas)
        await egress.server.close()
        with pytest.raises(TargetCutOff) as caught:
            await anext(deltas)
        assert (caught.value.code, len(server.posts)) == ("egress_stopped", 1)


async def test_a_process_that_stops_before_the_answer_is_not_asked_again() -> None:
    """Nobody knows whether such a request has left, so no second one is sent by itself."""

    async def silent(exchange: Exchange) -> None:
        arrived.set()
        await exchange.until_gone()

    arrived = asyncio.Event()
    async with FaultServer(silent) as server, sealed(server) as (target, egress, _):
        asking = asyncio.create_task(said(target, clearance_for(openai.parse_chat(CHAT), INFO)))
        await arrived.wait()
        await egress.server.close()
        with pytest.raises(AduanaError) as caught:
            await asking
        assert (caught.value.code, len(server.posts)) == ("egress_stopped", 1)


async def test_a_slow_reader_slows_the_provider_down() -> None:
    """What nobody reads yet waits at the provider, and not in memory here."""
    sent = 0

    async def endless(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.send(STREAM)
        piece = text("x" * 60_000)
        while True:
            await exchange.chunk(piece)
            sent += len(piece)

    async with FaultServer(endless) as server, sealed(server) as (target, _, _told):
        deltas = answer(target, clearance_for(openai.parse_chat(CHAT), INFO))
        await anext(deltas)
        before = -1
        while before != sent:  # until the provider is held up
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 30 * 2**20
        await deltas.aclose()


async def test_connections_are_used_again() -> None:
    """One request after the other takes one connection between the two processes."""
    async with FaultServer(GOOD) as server, sealed(server) as (target, egress, _):
        for _ in range(3):
            assert await said(target, clearance_for(openai.parse_chat(CHAT), INFO))
        assert len(egress.server._tasks) == 1
        assert len(server.posts) == 3


async def test_nothing_is_read_behind_the_middle_of_a_frame() -> None:
    """Who stops waiting inside a frame closes the connection: the rest could look like an end, and serve the next."""
    ours, theirs = socket.socketpair()

    class One:
        problem = ""
        tls = None

        async def connect(self) -> socket.socket:
            return ours

    sender = Sender(One(), Signer(FORGED))
    reader, writer = await open_streams(theirs)
    writer.write(frame(Kind.HELLO, Hello(life=b"life")))
    sent = SentBody(path="/chat/completions", content=b"{}")
    clearance = clearance_for(openai.parse_chat(CHAT), INFO)
    asking = asyncio.create_task(sender.send(clearance, sent, most_bytes=100, credential=None))
    await read_message(reader, Kind.ASK, Ask)
    await read_frame(reader)
    writer.write(frame(Kind.BEGUN, Begun(content_type="text/plain", content_encoding="")))
    end = head(Kind.END, 0)
    writer.write(head(Kind.PART, len(end)))
    reply = await asking
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await reply.read()
    writer.write(end)
    await reply.read()
    await reply.close()
    assert not sender._idle
    async with asyncio.timeout(10):
        with pytest.raises(Broken):
            await read_frame(reader)
    writer.transport.abort()


async def test_a_fault_of_its_own_is_told_by_its_kind_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What nobody foresaw sends nothing, ends that one request, and is logged without content."""

    def fails(*_: object) -> None:
        raise KeyError("Say hello")

    async with FaultServer(GOOD) as server, sealed(server) as (target, _, _told):
        with monkeypatch.context() as broken:
            broken.setattr(process, "check_news", fails)
            with pytest.raises(AduanaError) as caught:
                await said(target, clearance_for(openai.parse_chat(CHAT), INFO))
        assert (caught.value.code, len(server.posts)) == ("egress_stopped", 0)
        assert await said(target, clearance_for(openai.parse_chat(CHAT), INFO))
    logged = "".join(capsys.readouterr())
    assert "egress.failed" in logged
    assert "KeyError" in logged
    assert "Say hello" not in logged


async def test_the_second_look_is_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes away while the patterns are compiled does not make the next one wait for them from the start."""
    begun, go = threading.Semaphore(0), threading.Event()

    class Slow:
        def __init__(self, *_: object, **__: object) -> None:
            begun.release()
            go.wait(20)

    monkeypatch.setattr(process, "QuickLook", Slow)
    server = process.EgressServer(Setup(providers=(), seal=b"s" * 32), {})
    first = asyncio.create_task(server.warm())
    await asyncio.to_thread(begun.acquire)
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(server.warm())
    await asyncio.sleep(0)
    go.set()
    await second
    assert not begun.acquire(blocking=False)
    await server.close()
