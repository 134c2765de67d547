"""The memory of conversations over a real ledger: across kills, a busy database, other dialects and large chats."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.core.delta import Text
from gateway.core.document import freeze_object
from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label
from gateway.core.request import AnyRequest, Caller, Inbound
from gateway.ledger import Ledger, LedgerSettings
from gateway.pipeline.ports import Recollection
from gateway.policy import Sensitivity
from gateway.privacy import Inspector
from gateway.privacy.taint.fingerprints import passages
from gateway.wire import anthropic, ollama, responses
from gateway.wire.openai import requests as openai
from tests.pipeline.memory_world import OTHER, SECRET, STORY, World, chat, said


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(hyperscan=False)


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = Ledger(LedgerSettings(directory=tmp_path / "state", write_seconds=0.5, busy_seconds=0.2))
    await ledger.open()
    yield ledger
    await ledger.close()


async def killed(ledger: Ledger, folder: Path) -> Ledger:
    """Return a ledger that opens what a kill at this moment leaves on the disk."""
    folder.mkdir()
    for file in ledger.file.parent.glob("ledger.sqlite3*"):
        shutil.copy(file, folder / file.name)
    after = Ledger(LedgerSettings(directory=folder))
    await after.open()
    return after


async def test_what_a_client_has_of_an_answer_survives_a_kill(
    inspector: Inspector, ledger: Ledger, tmp_path: Path
) -> None:
    """Killed after any piece of a running answer, the next process knows all that the client has of it."""
    world = World(inspector, store=ledger)
    world.answers(*said(STORY))
    inbound = world.inbound(chat("hola", stream=True), "health")
    had, number = "", 0
    async with world.house.pipeline.generate(inbound, inbound.request) as answer:  # type: ignore[arg-type]
        async for delta in answer.deltas:
            had += delta.text if isinstance(delta, Text) else ""
            number += 1
            if len(had) > 215 and number % 8 == 0:
                after = await killed(ledger, tmp_path / f"killed {number}")
                known = World(inspector, store=after)
                assert (await known.explained(chat(f"Title of: {had}"))).tainted, had
                await after.close()
    assert number > 40


async def test_a_busy_ledger_holds_the_answer_back(inspector: Inspector, ledger: Ledger) -> None:
    """While another program holds the database, nothing is given that could be forgotten; then the stream fails."""
    world = World(inspector, store=ledger)
    world.answers(*said(STORY))
    inbound = world.inbound(chat("hola", stream=True), "health")
    had = ""
    with sqlite3.connect(ledger.file, isolation_level=None) as other, pytest.raises(LedgerUnavailable):
        async with world.house.pipeline.generate(inbound, inbound.request) as answer:  # type: ignore[arg-type]
            other.execute("BEGIN IMMEDIATE")
            async for delta in answer.deltas:
                had += delta.text if isinstance(delta, Text) else ""
    other.close()
    await world.house.settlements.close()
    assert sum(map(str.isalnum, had)) < 96


def _dialects(text: str) -> dict[str, AnyRequest]:
    turn = {"role": "user", "content": text}
    ollama_chat, _ = ollama.parse_chat(json.dumps({"model": "auto", "messages": [turn], "stream": False}).encode())
    ollama_generate, _ = ollama.parse_generate(json.dumps({"model": "auto", "prompt": text}).encode())
    assert ollama_chat is not None
    assert ollama_generate is not None
    return {
        "openai": openai.parse_chat(freeze_object({"model": "auto", "messages": [turn]})),
        "responses": responses.parse_response(json.dumps({"model": "auto", "input": text}).encode()).chat,
        "anthropic": anthropic.parse_messages(
            json.dumps({"model": "auto", "max_tokens": 9, "messages": [turn]}).encode()
        ),
        "ollama chat": ollama_chat,
        "ollama generate": ollama_generate,
    }


NAMES = ("openai", "responses", "anthropic", "ollama chat", "ollama generate")
BOAT = "The red boat comes back to the island on Friday."


@pytest.mark.parametrize("told", NAMES)
@pytest.mark.parametrize("quoted", NAMES)
async def test_dialects_share_one_memory(inspector: Inspector, told: str, quoted: str) -> None:
    """Told through one API, a story and a single line are known again through every other one."""
    world = World(inspector)
    for text, later in ((STORY, f"What does this mean?\n{STORY}"), (BOAT, BOAT)):
        first = Inbound(id="a", request=_dialects(text)[told], caller=Caller(key="app"))
        second = Inbound(id="b", request=_dialects(later)[quoted], caller=Caller(key="app"))
        other = Inbound(id="c", request=_dialects(OTHER)[quoted], caller=Caller(key="app"))
        assert not (await world.taint.recall(second)).tainted
        await world.taint.remember(first, Sensitivity(whole=True), Recollection())
        assert (await world.taint.recall(second)).tainted
        assert not (await world.taint.recall(other)).tainted


async def test_a_later_turn_of_a_sensitive_conversation_costs_the_turn(inspector: Inspector, ledger: Ledger) -> None:
    """The turn after a hundred others writes a handful of rows, as the ledger's own count of changes says."""
    world = World(inspector, store=ledger)
    turns: list[Any] = [f"{number}: {STORY}{number * 7}" for number in range(101)]
    first = world.inbound(chat(*turns))
    await world.taint.remember(first, Sensitivity(whole=True), Recollection())
    before = _rows(ledger)
    later = world.inbound(chat(*turns, "I see.", "And what is the capital of France?"))
    recalled = await world.taint.recall(later)
    assert recalled.tainted
    await world.taint.remember(later, Sensitivity(tainted=True), recalled)
    assert 0 < _rows(ledger) - before <= 4 < before


def _rows(ledger: Ledger) -> int:
    with sqlite3.connect(ledger.file) as connection:
        (count,) = connection.execute("SELECT count(*) FROM taint").fetchone()
    connection.close()
    return int(count)


async def test_a_memory_from_the_first_version_is_read(inspector: Inspector, ledger: Ledger) -> None:
    """Passages that an earlier version remembered are known again: their hashes are the same."""
    await ledger.taint_remember(passages(STORY, SECRET), Label.SENSITIVE)
    world = World(inspector, store=ledger)
    assert (await world.explained(chat(f"Look: {STORY}"))).tainted
