"""Workers and their supervisor share answers for retries: one runs, others get its answer, and none is stuck."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from gateway.app.workers.answers import AnswersElsewhere, SharedAnswers
from gateway.app.workers.messages import Begin, Begun, Finished, Message, framed, heard
from gateway.core.errors import BadRequest, Unavailable
from gateway.core.kept_answers import Identity, KeptAnswer

ANA = Identity(("ana",), "k1")
HELLO = KeptAnswer(status=200, headers=(("content-type", "text/plain"),), body=b"hello")


class Line:
    """A worker's connection to a supervisor that answers at once, or not at all."""

    def __init__(self, shared: SharedAnswers, worker: int) -> None:
        self.silent = False
        self.answers = AnswersElsewhere(self._ask, self._tell)
        self._shared = shared
        self._worker = worker
        self._asks = itertools.count()

    async def _ask(self, made: Callable[[int], Message]) -> Message:
        message = made(next(self._asks))
        assert isinstance(message, Begin)
        found = await self._shared.begin(self._worker, message)
        if self.silent:
            raise Unavailable("nobody says")
        return found

    def _tell(self, message: Message) -> None:
        assert isinstance(message, Finished)
        self._shared.finished(self._worker, message)


@pytest.fixture
def lines() -> tuple[SharedAnswers, Line, Line]:
    """A supervisor, and two workers that it hears."""
    shared = SharedAnswers()
    return shared, Line(shared, 1), Line(shared, 2)


async def status(line: Line, fingerprint: bytes = b"request") -> int:
    """The status with which a request is refused."""
    with pytest.raises(BadRequest) as refused:
        await line.answers.begin(ANA, fingerprint)
    return refused.value.status


async def test_an_answer_of_one_worker_is_repeated_by_the_other(lines: tuple[SharedAnswers, Line, Line]) -> None:
    """While it runs others get 409, afterwards the answer, and another request 422."""
    _, one, two = lines
    assert await one.answers.begin(ANA, b"request") is None
    assert [await status(line) for line in (one, two)] == [409, 409]
    two.answers.drop(ANA)  # who was refused ends nothing
    assert await status(two) == 409
    one.answers.keep(ANA, HELLO)
    one.answers.drop(ANA)
    assert await two.answers.begin(ANA, b"request") == HELLO
    assert await status(two, b"another") == 422


async def test_what_nobody_waits_for_any_more_runs_again(lines: tuple[SharedAnswers, Line, Line]) -> None:
    """A worker that died, a request that failed, and one whose client went away while it was asked for."""
    shared, one, two = lines
    await one.answers.begin(ANA, b"request")
    shared.gone(1)
    assert await two.answers.begin(ANA, b"request") is None
    two.answers.drop(ANA)
    one.silent = True
    with pytest.raises(Unavailable):
        await one.answers.begin(ANA, b"request")
    assert await two.answers.begin(ANA, b"request") is None


async def test_messages_survive_their_frames() -> None:
    """What one side frames the other hears, and the end of the connection is heard too."""
    reader = asyncio.StreamReader()
    for message in (Begin(ask=1, identity=ANA, fingerprint=b"f"), Begun(ask=1, answer=HELLO)):
        reader.feed_data(framed(message))
        assert await heard(reader) == message
    reader.feed_eof()
    assert await heard(reader) is None
