"""The program itself: which voices it has, and one run of it, with the encoder behind it where WAV is not wanted."""

import asyncio
import contextlib
import importlib.util
import re
import shutil
import sys
from collections.abc import AsyncGenerator
from typing import NoReturn

import msgspec

from gateway.core.errors import BadRequest, TargetError, TargetMisconfigured
from gateway.core.target import Voice
from gateway.local.worker_environment import worker_environment

MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
"""Formats that can be asked for, and how HTTP names them."""
_RATE = 22_050  # samples a second, of espeak-ng's own voices
_HEADER = 44  # bytes before the samples of a WAV file as espeak-ng writes it
_WORDS_A_MINUTE = 175
_SLOWEST, _FASTEST = 80, 450  # words a minute that the program takes
_PIECE = 16 * 1024
_VOICE = re.compile(r"^\s*\d+\s+(\S+)\s+\S+\s+(\S+)\s+(\S+)")
_LOOK_SECONDS = 10.0


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """One run: the text, the voice's id, the speed (1: as usual) and the format."""

    text: str
    voice: str
    speed: float
    format: str


def encoder_installed() -> bool:
    """Say whether other formats than WAV can be made."""
    return importlib.util.find_spec("av") is not None


async def voices(program: str) -> tuple[Voice, ...]:
    """Return the voices of the program.

    Raises:
        TargetMisconfigured: The program is missing, or does not answer as it should.
    """
    if shutil.which(program) is None:
        raise TargetMisconfigured(f"The program {program!r} is not installed.", code="program_missing")
    process = await _run(program, "--voices", stdin=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            out, _ = await process.communicate()
    except TimeoutError:
        await _end(process)
        raise TargetMisconfigured(f"The program {program!r} does not say which voices it has.") from None
    lines = [_VOICE.match(line) for line in out.decode("utf-8", "replace").splitlines()]
    return tuple(Voice(id=line[1], language=line[1], name=line[2].replace("_", " ")) for line in lines if line)


async def speak(program: str, speech: Speech) -> AsyncGenerator[bytes, None]:
    """Yield the sound of a text as it comes. Closing the generator ends the program at once.

    Raises:
        BadRequest: The format can't be made here.
        TargetError: The program fails.
    """
    if speech.format != "wav" and not encoder_installed():
        raise BadRequest(
            f"This gateway can make 'wav' alone, not {speech.format!r}: other formats need the extra 'speech' "
            "(aduana extras install speech).",
            param="response_format",
        )
    pace = max(_SLOWEST, min(_FASTEST, round(_WORDS_A_MINUTE * speech.speed)))
    arguments = ("-v", speech.voice, "-s", str(pace), "-b", "1", "--stdin", "--stdout")
    try:
        process = await _run(program, *arguments, stdin=asyncio.subprocess.PIPE)
    except OSError:
        raise TargetError("The speech program can't be started.") from None
    feeding = asyncio.get_running_loop().create_task(_feed(process, speech.text), name="text to espeak-ng")
    try:
        source = _pieces(process)
        async with contextlib.aclosing(source if speech.format == "wav" else _encoded(source, speech.format)) as pieces:
            async for piece in pieces:
                yield piece
        if await process.wait():
            _failed()
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])
        await _end(process)


async def _feed(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(text.encode("utf-8", "replace"))
        await process.stdin.drain()
    process.stdin.close()


async def _pieces(process: asyncio.subprocess.Process) -> AsyncGenerator[bytes, None]:
    assert process.stdout is not None
    while piece := await process.stdout.read(_PIECE):
        yield piece


async def _encoded(source: AsyncGenerator[bytes, None], name: str) -> AsyncGenerator[bytes, None]:
    """Yield what `source` has, a WAV file, in another format."""
    arguments = ("-m", "gateway.speech.encoder", name, str(_RATE))
    encoder = await _run(sys.executable, *arguments, stdin=asyncio.subprocess.PIPE)
    feeding = asyncio.get_running_loop().create_task(_samples(source, encoder), name="samples to the encoder")
    try:
        async for piece in _pieces(encoder):
            yield piece
        if await encoder.wait():
            _failed()
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])
        await _end(encoder)


async def _samples(source: AsyncGenerator[bytes, None], encoder: asyncio.subprocess.Process) -> None:
    """Write the samples behind a WAV file's head to the encoder."""
    assert encoder.stdin is not None
    head = _HEADER
    async with contextlib.aclosing(source) as pieces:
        with contextlib.suppress(ConnectionError):
            async for piece in pieces:
                encoder.stdin.write(piece[head:])
                head = max(0, head - len(piece))
                await encoder.stdin.drain()
    encoder.stdin.close()


async def _run(program: str, *arguments: str, stdin: int) -> asyncio.subprocess.Process:
    """Start a program without a shell, and without any key of the gateway's in its environment."""
    return await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=worker_environment(),
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _failed() -> NoReturn:
    raise TargetError("The speech program failed.")
