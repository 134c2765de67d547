"""Rows 19, 20 and 22: a server that takes its time, for ever. Cloud and local targets behave alike."""

import asyncio

import pytest

from gateway.core.delta import Text
from tests.faults.fault_server import DONE, FINISH, GOOD, STREAM, USAGE, Exchange, FaultServer, text, usage
from tests.faults.targets import KINDS, Probe

pytestmark = pytest.mark.parametrize("kind", KINDS)


async def drip(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    while True:
        await exchange.chunk(b": ping\n\n")
        await asyncio.sleep(0.02)


async def stall(exchange: Exchange) -> None:
    await exchange.send(STREAM)
    await exchange.chunk(text("Hello"))
    await exchange.until_gone()


async def stall_before_the_header(exchange: Exchange) -> None:
    await exchange.until_gone()


async def endless_1xx(exchange: Exchange) -> None:
    while True:
        await exchange.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(0.02)


async def test_19_pings_do_not_defeat_the_deadline(kind: str) -> None:
    """A server that only drips pings is ended with an error at the request's deadline."""
    async with FaultServer(drip) as server, Probe(kind, server.base_url) as probe, asyncio.timeout(60):
        asked = await probe.ask(seconds=1.5)
    assert (asked.text, asked.code) == ("Hello", "target_timeout")
    assert not asked.finished


async def test_20_silence_inside_an_answer_ends_it(kind: str) -> None:
    """An answer that falls silent is ended by the idle limit, long before the deadline."""
    async with (
        FaultServer(stall) as server,
        Probe(kind, server.base_url, idle_seconds=0.3) as probe,
        asyncio.timeout(60),
    ):
        asked = await probe.ask(seconds=600)
    assert (asked.text, asked.code) == ("Hello", "target_timeout")


async def test_20_silence_before_an_answer_ends_it(kind: str) -> None:
    """A server that does not begin to answer has a limit of its own: a long prompt takes longer than a pause."""
    async with (
        FaultServer(stall_before_the_header) as server,
        Probe(kind, server.base_url, header_seconds=0.3) as probe,
        asyncio.timeout(60),
    ):
        asked = await probe.ask(seconds=600)
        assert asked.code == "target_timeout"
        assert len(server.posts) == 1


async def test_22_endless_interim_answers_end_at_the_deadline(kind: str) -> None:
    """Endless interim answers (1xx) are no answer, and end at the deadline."""
    async with FaultServer(endless_1xx) as server, Probe(kind, server.base_url) as probe, asyncio.timeout(60):
        asked = await probe.ask(seconds=0.4)
    assert asked.code == "target_timeout"


async def test_closing_the_answer_hangs_up_at_once(kind: str) -> None:
    """When the client goes away, the connection to the server ends, so that its work stops."""
    gone = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        await exchange.chunk(text("Hello"))
        try:
            await exchange.until_gone()
        finally:
            gone.set()

    async with FaultServer(slow) as server, Probe(kind, server.base_url) as probe, asyncio.timeout(60):
        stream = probe.stream()
        assert isinstance(await anext(stream), Text)
        await stream.aclose()
        await gone.wait()
        if kind == "local":
            assert probe.state.slots_busy == 0


async def test_cancelling_before_the_answer_hangs_up_at_once(kind: str) -> None:
    """A request cancelled before its answer hangs up at once, and the target can be asked again."""
    arrived = asyncio.Event()
    gone = asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        arrived.set()
        try:
            await exchange.until_gone()
        finally:
            gone.set()

    async with FaultServer([wait, GOOD]) as server, Probe(kind, server.base_url) as probe, asyncio.timeout(60):
        asking = asyncio.create_task(probe.ask())
        await arrived.wait()
        asking.cancel()
        await asyncio.wait({asking})
        await gone.wait()
        assert (await probe.ask()).text == "Hello there"


async def test_a_drip_behind_the_end_costs_nothing(kind: str) -> None:
    """After `[DONE]` the answer is over, even if the server drips on and does not close."""

    async def lingering(exchange: Exchange) -> None:
        await exchange.send(STREAM)
        await exchange.chunk(text("Hello"), FINISH, usage(USAGE), DONE)
        await exchange.until_gone()

    async with FaultServer(lingering) as server, Probe(kind, server.base_url) as probe, asyncio.timeout(60):
        asked = await probe.ask(seconds=600)
    assert asked.error is None
    assert asked.usage is not None
