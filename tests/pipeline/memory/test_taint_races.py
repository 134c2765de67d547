"""The memory of sensitive conversations under several requests at once: none makes another one's text forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.core.labels import Label
from gateway.pipeline.memory.taint import ConversationTaint
from gateway.pipeline.ports import Recollection
from gateway.policy import Sensitivity
from gateway.privacy import Inspector
from tests.pipeline.memory_world import SECRET, STORY, Store, World, chat

LINE = "The man with the ladder waited for the late ferry above the shop"


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(hyperscan=False)


class SlowStore(Store):
    """Store whose writes are let through one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = asyncio.Event()
        self.may_write = asyncio.Event()

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None = None) -> None:
        self.writing.set()
        await self.may_write.wait()
        await super().taint_remember(hashes, label, causes)


@pytest.mark.parametrize("text", [LINE, STORY, f"{LINE}. {STORY}"])
async def test_a_text_stays_known_however_often_it_is_looked_up(inspector: Inspector, text: str) -> None:
    """Lookups alone change nothing: the tenth explanation in a row says what the first one did."""
    world = World(inspector)
    assert not await world.leaves(chat(LINE), "health")
    assert not await world.leaves(chat(STORY), "health")
    bodies = (chat(("system", text), ("user", "Hola")), chat(f"{text}\nAnd now something else, of a later day."))
    for _ in range(10):
        for body in bodies:
            assert (await world.explained(body)).label == "sensitive"


async def test_a_text_without_marks_is_known_behind_its_halves(inspector: Inspector) -> None:
    """Two turns whose letters together are those of a sensitive line are no look at the line itself."""
    world = World(inspector)
    line = "".join(letter for letter in LINE.lower() if letter.isalpha())
    assert not await world.leaves(chat(line), "health")
    assert (await world.explained(chat(line[:20], ("assistant", "Hola"), line[20:]))).label != "sensitive"
    assert (await world.explained(chat(("system", line), ("user", "Hola")))).label == "sensitive"


async def test_a_text_that_was_looked_up_while_it_was_written_is_known_behind_the_write(inspector: Inspector) -> None:
    """A request that asks before another one's text is durable finds nothing; the next one finds it."""
    store = SlowStore()
    world = World(inspector, store=store)
    told = world.inbound(chat(LINE), "health")
    quoting = world.inbound(chat(("system", LINE), ("user", "Hola")))
    writing = asyncio.create_task(world.taint.remember(told, Sensitivity(whole=True), Recollection()))
    await store.writing.wait()
    assert not (await world.taint.recall(quoting)).traces
    store.may_write.set()
    await writing
    assert (await world.taint.recall(quoting)).traces


async def test_what_another_gateway_remembers_counts_for_texts_that_were_unknown_before() -> None:
    """Two gateways with one store: what one has cleared is looked up again, for the other may know better by now."""
    store = Store()
    one, other = (ConversationTaint(store, SECRET, shared=True) for _ in range(2))
    asked = World(Inspector(hyperscan=False), store=store).inbound(chat(STORY))
    assert not (await one.recall(asked)).tainted
    await other.remember(asked, Sensitivity(whole=True), Recollection())
    assert (await one.recall(asked)).tainted
