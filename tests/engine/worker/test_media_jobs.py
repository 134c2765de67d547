"""Encoding beside the loop, with a projector that a test holds still: nobody waits for another's pictures."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from gateway.engine.llama.projector import EncodedPart
from gateway.engine.media import MediaSpan
from gateway.engine.messages import Measure, Medium, SamplingSpec, Submit
from gateway.engine.scheduler.step import Row
from gateway.engine.worker import media
from gateway.engine.worker.media import MediaJobs

SECONDS = 20.0  # after which a test has failed
TOKENS, WIDTH = 4, 8


class Projector:
    """Projector that encodes a picture once its gate is open, and says which it encoded."""

    token_bytes = 4 * WIDTH

    def __init__(self) -> None:
        self.encoded: list[bytes] = []
        self.begun = threading.Semaphore(0)
        self.gates: dict[bytes, threading.Event] = {}
        self.faults: dict[bytes, Exception] = {}

    def encode_picture(self, data: bytes) -> list[EncodedPart]:
        """Embeddings that tell pictures apart."""
        self.encoded.append(data)
        self.begun.release()
        if data in self.gates:
            assert self.gates[data].wait(SECONDS)
        if data in self.faults:
            raise self.faults[data]
        places = np.zeros((1, TOKENS), np.int32)
        numbers = np.full((TOKENS, WIDTH), data[0], np.float32)
        return [EncodedPart(embeddings=numbers, places=places, moves=places, positions=TOKENS)]

    def encode_sound(self, data: bytes) -> tuple[list, list[EncodedPart]]:
        """A sound is encoded like a picture here."""
        return [], self.encode_picture(data)


class Desk:
    """Jobs of a projector, and the thread's knocks."""

    def __init__(self, room: int = 10**6) -> None:
        self.projector = Projector()
        self.knocks = threading.Semaphore(0)
        self.jobs = MediaJobs(self.projector, self.knocks.release, room=room)  # type: ignore[arg-type]

    def add(self, number: int, *pictures: bytes, isolation: str = "", tokens: int = TOKENS) -> None:
        """Ask for a request's pictures."""
        self.jobs.add(submit(number, *pictures, isolation=isolation, tokens=tokens))

    def next(self) -> list[tuple[int, str]]:
        """What has come of it by the time that the thread is through with another job."""
        assert self.knocks.acquire(timeout=SECONDS)
        return [(message.id, problem) for message, problem in self.jobs.encoded()]


def submit(number: int, *pictures: bytes, isolation: str = "", tokens: int = TOKENS) -> Submit:
    """A request with these pictures."""
    return Submit(
        id=number,
        tokens=b"",
        max_tokens=1,
        sampling=SamplingSpec(),
        isolation=isolation,
        media=tuple(Medium(data=data) for data in pictures),
        spans=tuple(
            MediaSpan(start=0, tokens=tokens, positions=tokens, medium=place, part=0) for place in range(len(pictures))
        ),
    )


def rows(desk: Desk, number: int) -> float:
    """The first number of a request's first picture."""
    row = Row(slot=0, position=0, tokens=[-1] * TOKENS, request=number)
    span = MediaSpan(start=0, tokens=TOKENS, positions=TOKENS, medium=0, part=0)
    return float(desk.jobs.rows(row, span).embeddings[0, 0])


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pixels of a picture are its bytes."""
    monkeypatch.setattr(media, "pixels_of", lambda data: data)


@pytest.fixture
def make() -> Iterator[Callable[..., Desk]]:
    """Desks; at the end every gate opens, so that no thread is left waiting."""
    made: list[Desk] = []

    def desk(**given: int) -> Desk:
        made.append(Desk(**given))
        return made[-1]

    yield desk
    for one in made:
        for gate in one.projector.gates.values():
            gate.set()


def test_a_step_does_not_wait_for_pictures_of_others(make: Callable[..., Desk]) -> None:
    """What was encoded for a request can be computed while the thread is busy with another's."""
    desk = make()
    desk.add(1, b"a")
    assert desk.next() == [(1, "")]
    gate = desk.projector.gates[b"b"] = threading.Event()
    desk.add(2, b"b")
    desk.projector.begun.acquire(timeout=SECONDS)
    desk.projector.begun.acquire(timeout=SECONDS)
    assert rows(desk, 1) == ord("a")
    assert not gate.is_set()


def test_pictures_of_a_request_that_is_gone_are_not_encoded(make: Callable[..., Desk]) -> None:
    """Of eight pictures only the one that was under way is encoded, and the next request gets its turn."""
    desk = make()
    gate = desk.projector.gates[b"0"] = threading.Event()
    desk.add(1, *(str(number).encode() for number in range(8)))
    desk.projector.begun.acquire(timeout=SECONDS)
    desk.add(2, b"x")
    desk.jobs.forget(1)
    gate.set()
    assert [*desk.next(), *desk.next()] == [(2, "")]
    assert desk.projector.encoded == [b"0", b"x"]


def test_pictures_of_one_request_are_encoded_once_and_not_shared(make: Callable[..., Desk]) -> None:
    """The same picture again costs nothing for the same app; of another app's, nobody learns that it was here."""
    desk = make()
    for number, isolation in enumerate(["a", "a", "b"]):
        desk.add(number, b"p", isolation=isolation)
        desk.next()
    assert desk.projector.encoded == [b"p", b"p"]


def test_a_sound_that_was_measured_is_encoded_once_for_its_app(make: Callable[..., Desk]) -> None:
    """Its length is known by encoding it, and the request itself uses that; another app's starts anew."""
    desk = make()
    for number, isolation in enumerate(["a", "a", "b"]):
        desk.jobs.measure(Measure(id=number, sound=b"s", isolation=isolation))
        assert desk.knocks.acquire(timeout=SECONDS)
        assert [answer.error for answer in desk.jobs.measured()] == [None]
    assert desk.projector.encoded == [b"s", b"s"]


@pytest.mark.parametrize("fault", [MemoryError(), ValueError("a path in it"), OSError()])
def test_whatever_goes_wrong_ends_its_own_request(fault: Exception, make: Callable[..., Desk]) -> None:
    """A client hears of it in a sentence of ours, and the next one's picture is encoded."""
    desk = make()
    desk.projector.faults[b"a"] = fault
    desk.add(1, b"a")
    desk.add(2, b"b")
    assert [*desk.next(), *desk.next()] == [(1, "The picture can't be encoded."), (2, "")]


def test_a_picture_of_another_length_than_its_place_ends_its_request(make: Callable[..., Desk]) -> None:
    """Its prompt has room for fewer tokens, so nothing of it is computed."""
    desk = make()
    desk.add(1, b"a", tokens=3)
    assert desk.next() == [(1, "The picture is not as long as its header says.")]


def test_requests_wait_where_pictures_take_too_much_memory(make: Callable[..., Desk]) -> None:
    """With room for two pictures, the third request is encoded when the first has ended."""
    desk = make(room=2 * TOKENS * WIDTH * 4)
    for number, picture in enumerate([b"a", b"b", b"c"]):
        desk.add(number, picture)
    assert [*desk.next(), *desk.next()] == [(0, ""), (1, "")]
    assert desk.projector.encoded == [b"a", b"b"]
    desk.jobs.forget(0)
    assert desk.next() == [(2, "")]


def test_a_worker_ends_though_pictures_wait() -> None:
    """A process whose gateway is gone does not stay for pictures that nobody will see."""
    code = """
import threading
from tests.engine.worker.test_media_jobs import Projector, media, submit
projector = Projector()
projector.gates[b"a"] = threading.Event()
media.pixels_of = lambda data: data
jobs = media.MediaJobs(projector, lambda: None)
jobs.add(submit(1, b"a"))
jobs.add(submit(2, b"b"))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=SECONDS / 2)
