"""The short way of texts: what goes by it is metered as all else, and what must be changed or remembered never does."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from gateway.core.delta import Delta, Finish, FinishReason, Reasoning, Text, UsageReport
from gateway.core.events import Settled
from gateway.core.usage import Usage
from gateway.privacy import Inspector
from gateway.upstream.fast_path import FastPath
from tests.pipeline.house import House, chat
from tests.pipeline.memory_world import World
from tests.pipeline.memory_world import chat as conversation
from tests.pipeline.test_masking import MAIL, POLICY, Masks


class Hasty:
    """Target that sends its texts by the short way as soon as that is open, and keeps what it was given for it."""

    def __init__(self) -> None:
        self.fast: FastPath | None = None

    async def generate(self, asked: object, fast: FastPath | None = None, **_: object) -> AsyncGenerator[Delta, None]:
        self.fast = fast
        for letter in "Hello":
            texts = [Text(text=letter)]
            if fast is None or not fast.took(texts):
                yield texts[0]
        yield Finish(reason=FinishReason.STOP)
        yield UsageReport(usage=Usage(input=1, output=5))


@pytest.mark.parametrize("slow", ["", "l"])
async def test_texts_on_the_short_way_are_metered_and_end_as_all_others(slow: str) -> None:
    """The account of an answer is the same by either way, and a text is given once: here, or there if not taken."""
    house = House()
    house.home.generate = house.big.generate = Hasty().generate  # type: ignore[method-assign, assignment]
    inbound, request = chat("Hello")
    short: list[str] = []
    long: list[str] = []

    def take(deltas: Sequence[Text | Reasoning]) -> bool:
        if deltas[0].text == slow:
            return False
        short.extend(delta.text for delta in deltas)
        return True

    async with house.pipeline.generate(inbound, request) as answer:
        async for delta in answer.deltas:
            if isinstance(delta, Text):
                long.append(delta.text)
                assert answer.open_fast_path is not None
                answer.open_fast_path(take)
    await house.settled()
    assert (long, short) == ((["H", "l", "l"], ["e", "o"]) if slow else (["H"], ["e", "l", "l", "o"]))
    (gaps,) = [event.gaps for event in house.heard.events if isinstance(event, Settled)]
    assert len(gaps) == 4
    assert house.outcomes == ["ok"]
    assert house.ledger.settlements[0].usage == Usage(input=1, output=5)


def test_only_texts_and_thoughts_take_the_short_way() -> None:
    """A finish, a usage report or a call among them keeps all of them on the long one; and a closed way takes none."""
    path, taken = FastPath(), list[Delta]()
    assert path.took([Text(text="x")]) is False
    path.take = lambda deltas: taken.extend(deltas) is None
    assert path.took([Text(text="x"), Finish(reason=FinishReason.STOP)]) is False
    assert path.took([Text(text="y"), Reasoning(text="z")]) is True
    assert taken == [Text(text="y"), Reasoning(text="z")]


async def test_a_sensitive_answer_has_no_short_way() -> None:
    """What is to be remembered before the client has it can't be sent past its memory."""
    world = World(Inspector(hyperscan=False))
    target = Hasty()
    world.house.home.generate = target.generate  # type: ignore[method-assign, assignment]
    inbound = world.inbound(conversation("hola", stream=True), "health")
    async with world.house.pipeline.generate(inbound, inbound.request) as answer:  # type: ignore[arg-type]
        assert answer.open_fast_path is None
        assert [delta.text async for delta in answer.deltas if isinstance(delta, Text)] == list("Hello")
    await world.house.settlements.close()


@pytest.mark.parametrize(("words", "masked"), [(f"Escribe a {MAIL}.", True), ("Escribe una carta.", False)])
async def test_an_answer_with_pseudonyms_has_no_short_way(words: str, masked: bool) -> None:
    """Where a cloud has a masked request, its target is given no short way: pseudonyms are put back on the long one."""
    house = Masks(Inspector(hyperscan=False), POLICY)
    target = Hasty()
    house.big.generate = target.generate  # type: ignore[method-assign, assignment]
    assert await house.say(words) == "Hello"
    assert bool(house.route.masked) is masked
    assert (target.fast is None) is masked
