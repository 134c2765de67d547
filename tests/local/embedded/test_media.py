"""Questions about pictures and sounds: who asks, what is remembered, and for whom."""

import base64
from collections.abc import Sequence

import msgspec
import pytest

from gateway.core.errors import TargetRejected
from gateway.core.request import ChatRequest
from gateway.engine.media import Piece
from gateway.engine.messages import Measure, Measured, Ready
from gateway.local.embedded.admission import Admission
from gateway.local.embedded.media import MediaMeter
from gateway.local.embedded.process.mailbox import Mailbox
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.throughput import Throughput
from gateway.wire.openai import parse_chat
from tests.engine.tiny_vision import picture

READY = Ready(
    seconds=0, context=64, slots=1, trained_context=64, threads=1, embedding_size=8, description="", sees=True
)
SOUND = b"RIFF\0\0\0\0WAVE"


class Worker:
    """Worker that answers every question at once, or crashes of it."""

    def __init__(self) -> None:
        self.asked: list[Measure] = []
        self.crashes = False
        self.admission = Admission("home", EmbeddedSettings(model="m"), Throughput())

    def next_id(self) -> int:
        """The next number."""
        return len(self.asked) + 1

    def send(self, messages: Sequence[Measure], mailbox: Mailbox) -> None:
        """Take a question."""
        self.asked += messages
        for message in messages:
            if self.crashes:
                self.admission.crashed_with(frozenset({message.id}))
            mailbox.put(Measured(id=message.id, pieces=(Piece(tokens=4, positions=4),)))

    def cancel(self, ids: Sequence[int]) -> None:
        """Nobody waits any more."""


def request(data: bytes, kind: str) -> ChatRequest:
    """A chat with one picture or sound."""
    text = base64.b64encode(data).decode()
    part = (
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text}"}}
        if kind == "picture"
        else {"type": "input_audio", "input_audio": {"data": text, "format": "wav"}}
    )
    return parse_chat(msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": [part]}]}))


async def measured(worker: Worker, meter: MediaMeter, what: ChatRequest, *keys: str) -> list[str]:
    """For whom the worker was asked while these keys brought the same."""
    ready = msgspec.structs.replace(READY, hears=True)
    for key in keys:
        assert await meter.measured(what, ready, key)
    return [message.isolation for message in worker.asked]


@pytest.mark.asyncio
async def test_what_is_known_of_a_sound_stays_with_the_key_that_sent_it() -> None:
    """How quickly an answer comes tells nobody that another app has sent the same sound; a size is no secret."""
    worker = Worker()
    meter = MediaMeter(worker, worker.admission)  # type: ignore[arg-type]
    assert await measured(worker, meter, request(SOUND, "sound"), "a", "a", "b") == ["a", "b"]
    worker = Worker()
    meter = MediaMeter(worker, worker.admission)  # type: ignore[arg-type]
    assert await measured(worker, meter, request(picture(1), "picture"), "a", "a", "b") == ["a"]


@pytest.mark.asyncio
async def test_a_sound_that_crashes_the_worker_is_asked_about_twice_and_not_again() -> None:
    """One broken file does not keep the model from everybody."""
    worker = Worker()
    worker.crashes = True
    for key in ("a", "b"):
        await measured(worker, MediaMeter(worker, worker.admission), request(SOUND, "sound"), key)  # type: ignore[arg-type]
    with pytest.raises(TargetRejected):
        await measured(worker, MediaMeter(worker, worker.admission), request(SOUND, "sound"), "c")  # type: ignore[arg-type]
    assert len(worker.asked) == 2
