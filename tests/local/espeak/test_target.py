"""The voice that is always there: its program is run without a shell, speaks as it is asked, and never outlives us."""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import pytest

from gateway.core.delta import Delta, Sound, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import BadRequest, TargetBusy, TargetError, TargetLacksEndpoint, TargetTimeout
from gateway.core.labels import Label, Zone
from gateway.core.request import Dialect, Endpoint, MediaWork, SpeechRequest, TranscriptionRequest
from gateway.core.target import TargetInfo, Voice
from gateway.local.espeak import program
from gateway.local.espeak.settings import EspeakSettings
from gateway.local.espeak.target import EspeakTarget
from gateway.local.managed.launcher import descendants

INFO = TargetInfo(
    name="mouth", kind="espeak", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="espeak-ng",
    endpoints=frozenset({Endpoint.SPEECH}),
)  # fmt: skip
STANDIN = Path(__file__).parents[2] / "standins" / "espeak.py"


@pytest.fixture
def espeak(tmp_path: Path) -> Path:
    """A program that says what it was asked for."""
    file = tmp_path / "espeak-ng"
    file.write_text(f"#!{sys.executable}\n" + STANDIN.read_text(encoding="utf-8").partition("\n")[2], encoding="utf-8")
    file.chmod(0o755)
    return file


async def target_of(file: Path, **settings: float) -> EspeakTarget:
    """Return the target, started."""
    target = EspeakTarget(INFO, EspeakSettings(program=str(file), voice="es", **settings))  # type: ignore[arg-type]
    await target.start()
    return target


def speech(text: str = "Hola.", voice: str = "", form: str = "wav", speed: float = 1.0) -> SpeechRequest:
    """Return a request."""
    document = freeze_object({"model": "mouth", "input": text})
    return SpeechRequest(
        dialect=Dialect.OPENAI, model="mouth", document=document, stream=True, work=MediaWork.SPEECH, text=text,
        voice=voice, response_format=form, speed=speed,
    )  # fmt: skip


async def spoken(target: EspeakTarget, request: SpeechRequest, seconds: float = 60.0) -> list[Delta]:
    """Return everything that is said."""
    deadline = asyncio.get_running_loop().time() + seconds
    return [delta async for delta in target.exchange(request, deadline=deadline, isolation="me")]


def sound(deltas: list[Delta]) -> bytes:
    """Return the bytes of a recording."""
    return b"".join(delta.data for delta in deltas if isinstance(delta, Sound))


async def test_a_text_is_spoken(espeak: Path) -> None:
    """It reaches the program on its standard input, whatever stands in it; its characters are counted."""
    target = await target_of(espeak)
    text = "--voices; $(reboot) \n`ls` Ñandú"
    deltas = await spoken(target, speech(text))
    assert sound(deltas)[:4] == b"RIFF"
    assert text.encode() in sound(deltas)
    assert isinstance(deltas[-1], UsageReport)
    assert deltas[-1].usage.spoken_characters == len(text)
    assert {delta.media_type for delta in deltas if isinstance(delta, Sound)} == {"audio/wav"}


@pytest.mark.parametrize(
    ("voice", "speed", "said"),
    [("", 1.0, b"es 175 "), ("en", 1.0, b"en 175 "), ("EN", 2.0, b"en 350 "), ("alloy", 0.25, b"es 80 "),
     ("../../etc/passwd", 4.0, b"es 450 ")],
)  # fmt: skip
async def test_only_voices_of_the_program_are_asked_for(espeak: Path, voice: str, speed: float, said: bytes) -> None:
    """A name that it does not have is that of its own default voice; the pace stays where it can speak."""
    assert said in sound(await spoken(await target_of(espeak), speech(voice=voice, speed=speed)))


async def test_voices_are_as_the_program_tells_them(espeak: Path) -> None:
    """With their languages."""
    assert (await target_of(espeak)).voices == (
        Voice(id="en", name="English (Great Britain)", language="en"),
        Voice(id="es", name="Spanish (Spain)", language="es"),
    )


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="the extra 'speech' is not installed")
@pytest.mark.parametrize(("form", "begin"), [("mp3", b"\xff"), ("opus", b"OggS"), ("flac", b"fLaC"), ("aac", b"\xff")])
async def test_other_formats_are_encoded(espeak: Path, form: str, begin: bytes) -> None:
    """By a process of its own."""
    assert sound(await spoken(await target_of(espeak), speech("Hola. " * 2000, form=form))).startswith(begin)


async def test_without_the_encoder_only_wav_is_spoken(espeak: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setattr(program, "encoder_installed", lambda: False)
    target = await target_of(espeak)
    with pytest.raises(BadRequest, match="aduana extras install speech"):
        await spoken(target, speech(form="mp3"))
    assert sound(await spoken(target, speech()))


async def test_a_missing_program_shows(tmp_path: Path) -> None:
    """In the state, and in the error of a request; the gateway starts all the same."""
    target = await target_of(tmp_path / "nothing")
    assert not target.state().healthy
    assert "not installed" in target.state().problem
    with pytest.raises(TargetError, match="not installed"):
        await spoken(target, speech())


async def test_a_program_that_fails_is_an_error(espeak: Path) -> None:
    """Not a short recording."""
    with pytest.raises(TargetError, match="failed"):
        await spoken(await target_of(espeak), speech("fail"))


async def test_a_program_that_hangs_is_ended(espeak: Path) -> None:
    """At the deadline, or as soon as its client goes away."""
    target = await target_of(espeak)
    others = children()  # of other tests' houses
    with pytest.raises(TargetTimeout):
        await spoken(target, speech("wait"), seconds=1.0)
    assert not children() - others
    answer = target.exchange(speech("wait"), deadline=asyncio.get_running_loop().time() + 60, isolation="me")
    assert isinstance(await anext(answer), Sound)
    assert len(children() - others) == 1
    await answer.aclose()
    assert target.state().slots_busy == 0
    assert not children() - others


def children() -> set[int]:
    """Processes below this one, ended ones that nobody asked about included."""
    return set(descendants(os.getpid()))


async def test_more_than_its_slots_wait(espeak: Path) -> None:
    """And more than the queue holds is refused at once."""
    target = await target_of(espeak, slots=1, queue=0)
    first = target.exchange(speech("wait"), deadline=asyncio.get_running_loop().time() + 60, isolation="me")
    await anext(first)
    with pytest.raises(TargetBusy):
        await spoken(target, speech())
    assert target.refusal(speech(), isolation="me") is not None
    await first.aclose()
    assert sound(await spoken(target, speech()))


async def test_it_only_speaks(espeak: Path) -> None:
    """Whatever else is asked of it is refused."""
    target = await target_of(espeak)
    request = TranscriptionRequest(
        dialect=Dialect.OPENAI, model="mouth", document=freeze_object({}), work=MediaWork.TRANSCRIPTIONS
    )
    with pytest.raises(TargetLacksEndpoint):
        await anext(target.exchange(request, deadline=asyncio.get_running_loop().time() + 1, isolation="me"))
