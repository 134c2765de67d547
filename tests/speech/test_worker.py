"""The real worker with a real model: it hears, it says what it can't hear, and it can't reach anything."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.local.worker_environment import worker_environment
from gateway.speech.messages import (
    LENGTH_BYTES,
    Cancel,
    Ended,
    Hear,
    Heard,
    Load,
    Problem,
    Ready,
    Refused,
    SpeechSettings,
    ToGateway,
    ToWorker,
    Unusable,
    frame,
    length_of,
    to_gateway,
)
from tests.speech.sounds import silence, tone, wav
from tests.speech.voices import english_model, spoken

NUMBER = "My phone number is 6 1 2, 3 4 5, 6 7 8."


class RealWorker:
    """A worker process, and the test's end of its socket."""

    walled = False

    def __init__(self, model: str) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway.speech", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=worker_environment(),
            )
        self.file = ours.makefile("rwb")
        ours.close()
        self.send(Load(settings=SpeechSettings(model=model, threads=1, most_seconds=60.0)))

    def send(self, message: ToWorker) -> None:
        self.file.write(frame(message))
        self.file.flush()

    def receive(self) -> ToGateway:
        return to_gateway.decode(self.file.read(length_of(self.file.read(LENGTH_BYTES))))

    def heard(self, order: Hear) -> list[ToGateway]:
        """Return everything that is said of one recording."""
        self.send(order)
        answers = [self.receive()]
        while isinstance(answers[-1], Heard):
            answers.append(self.receive())
        return answers

    def close(self) -> int:
        self.file.close()
        return self.process.wait(60)


@pytest.fixture(scope="module")
def worker() -> Iterator[RealWorker]:
    """A worker that has loaded Whisper tiny.en."""
    worker = RealWorker(str(english_model()))
    ready = worker.receive()
    assert isinstance(ready, Ready)
    assert ready.languages == ("en",)
    worker.walled = ready.walled
    yield worker
    assert worker.close() == 0


def test_what_a_voice_says_is_written_down(worker: RealWorker) -> None:
    """A number that is spoken comes as digits, with the time of each word."""
    *segments, end = worker.heard(Hear(id=1, sound=spoken(NUMBER), words=True))
    text = "".join(one.segment.text for one in segments if isinstance(one, Heard))
    assert "612" in text.replace("-", "").replace(" ", "")
    assert isinstance(end, Ended)
    assert end.hearing is not None
    assert end.hearing.language == "en"
    assert 3.0 < end.hearing.seconds < 6.0
    assert end.hearing.unheard < 1.0
    words = [word for one in segments if isinstance(one, Heard) for word in one.segment.words]
    assert "".join(word.text for word in words) == text
    assert all(0.0 <= word.start <= word.end <= end.hearing.seconds + 0.5 for word in words)


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (Hear(id=2, sound=b""), Problem.EMPTY),
        (Hear(id=2, sound=b"no sound at all"), Problem.UNREADABLE),
        (Hear(id=2, sound=wav(silence(61.0))), Problem.TOO_LONG),
        (Hear(id=2, sound=wav(tone(1.0)), language="es"), Problem.LANGUAGE),
        (Hear(id=2, sound=wav(tone(1.0)), translate=True), Problem.NO_TRANSLATION),
    ],
    ids=["empty", "unreadable", "too long", "language", "translation"],
)
def test_what_cannot_be_heard_is_refused_with_its_reason(worker: RealWorker, order: Hear, problem: Problem) -> None:
    """The worker says which of a few reasons it is, and goes on."""
    (refused,) = worker.heard(order)
    assert isinstance(refused, Refused)
    assert refused.problem is problem


def test_silence_says_nothing(worker: RealWorker) -> None:
    """No words are made of it."""
    (end,) = worker.heard(Hear(id=3, sound=wav(silence(5.0))))
    assert isinstance(end, Ended)
    assert end.hearing is not None
    assert (end.hearing.seconds, end.hearing.unheard) == (5.0, 0.0)


def test_sound_that_is_no_speech_is_told(worker: RealWorker) -> None:
    """What no segment covers although it is loud counts as unheard."""
    (end,) = [one for one in worker.heard(Hear(id=4, sound=wav(tone(5.0)))) if not isinstance(one, Heard)]
    assert isinstance(end, Ended)
    assert end.hearing is not None
    assert end.hearing.unheard > 4.0


def test_a_recording_that_nobody_waits_for_ends(worker: RealWorker) -> None:
    """It is told that it ended without being heard to its end."""
    worker.send(Hear(id=5, sound=spoken(NUMBER)))
    worker.send(Hear(id=6, sound=spoken(NUMBER)))
    worker.send(Cancel(id=6))
    answers: list[ToGateway] = []
    while not (answers and isinstance(answers[-1], Ended) and answers[-1].id == 6):
        answers.append(worker.receive())
    assert answers[-1] == Ended(id=6, hearing=None)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such walls")
def test_what_takes_the_worker_over_reaches_nothing(worker: RealWorker) -> None:
    """It stands in a network of its own without any device, and a filter refuses sockets, programs and files."""
    own, theirs = (Path(f"/proc/{process}/ns/net").readlink() for process in ("self", worker.process.pid))
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    filtered = "\nSeccomp:\t2" in status
    assert filtered is worker.walled
    if not filtered and own == theirs:
        pytest.skip("this system permits neither namespaces nor filters of system calls")
    assert worker.heard(Hear(id=7, sound=wav(silence(1.0))))  # it hears all the same


def test_a_folder_without_a_model_is_said() -> None:
    """The reason names the files for the owner, and no path for clients; nothing is fetched from anywhere."""
    worker = RealWorker("/nonexistent/whisper")
    unusable = worker.receive()
    assert isinstance(unusable, Unusable)
    assert "tokenizer.json" in unusable.message
    assert "/" not in unusable.public
    assert worker.close() == 3
