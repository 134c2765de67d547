"""Sound files: what can be decoded is, in passages of some minutes; what can't be is refused with its reason."""

import struct

import numpy as np
import pytest

from gateway.speech.messages import Problem
from gateway.speech.sound import RATE, Recording, SoundFault
from tests.speech.sounds import encoded, silence, tone, wav

HOUR = 3600.0


def heard(data: bytes, most: float = HOUR) -> tuple[float, float, bool]:
    """Return the seconds of all passages, their loudest sample, and whether something broke."""
    recording = Recording(data, most)
    samples = np.concatenate([passage.samples for passage in recording.passages()])
    return len(samples) / RATE, float(np.abs(samples).max()), recording.broken


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [
        ("wav", "pcm_s16le", 8_000),
        ("wav", "pcm_s24le", 48_000),
        ("mp3", "libmp3lame", 44_100),
        ("flac", "flac", 16_000),
        ("ogg", "libopus", 48_000),
        ("adts", "aac", 48_000),
        ("mp4", "aac", 44_100),
        ("webm", "libopus", 48_000),
    ],
)
def test_every_common_format_is_heard(container: str, codec: str, rate: int) -> None:
    """Two seconds of a tone are two seconds, whatever they are packed in."""
    seconds, loudest, broken = heard(encoded(tone(2.0), container, codec, rate))
    assert seconds == pytest.approx(2.0, abs=0.15)
    assert loudest == pytest.approx(0.3, abs=0.1)
    assert not broken


def test_a_long_recording_comes_in_passages_cut_where_it_is_quiet() -> None:
    """Eleven minutes are three passages, none of which is cut inside the tone around the silence."""
    whole = np.concatenate([tone(280), silence(2), tone(388)])
    passages = list(Recording(wav(whole), HOUR).passages())
    assert len(passages) == 3
    assert 280.0 <= passages[1].start <= 282.0
    assert sum(len(passage.samples) for passage in passages) == len(whole)
    starts = [passage.start for passage in passages]
    assert starts == sorted(starts)


_FALSE_LENGTH = bytearray(wav(tone(3.0)))
_FALSE_LENGTH[4:8] = struct.pack("<I", 10 * RATE * 2 + 36)  # the file says ten seconds
_FALSE_LENGTH[40:44] = struct.pack("<I", 10 * RATE * 2)
_HALF = encoded(tone(30.0), "mp3", "libmp3lame")

_UNKNOWN_CODEC = bytearray(wav(tone(1.0)))
_UNKNOWN_CODEC[20:22] = struct.pack("<H", 0x7ABC)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", Problem.EMPTY),
        (wav(silence(0)), Problem.EMPTY),
        (b"hello, I am a text", Problem.UNREADABLE),
        (bytes(range(256)) * 64, Problem.UNREADABLE),
        (bytes(_UNKNOWN_CODEC), Problem.UNREADABLE),
        (encoded(tone(2.0), "mp4", "aac")[:600], Problem.UNREADABLE),  # its index stands at the end
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", Problem.UNREADABLE),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", Problem.UNREADABLE),
        (encoded(tone(2.0), "mp3", "libmp3lame")[:20], Problem.UNREADABLE),
    ],
    ids=["nothing", "no samples", "text", "noise", "codec", "cut mp4", "playlist", "list of files", "cut mp3"],
)
def test_what_is_no_sound_is_refused(data: bytes, problem: Problem) -> None:
    """The reason is one of a few words; a playlist opens nothing."""
    with pytest.raises(SoundFault) as raised:
        heard(data)
    assert raised.value.problem is problem


@pytest.mark.parametrize(
    ("data", "length"), [(bytes(_FALSE_LENGTH), 3.0), (_HALF[: len(_HALF) // 2], 15.0)], ids=["wav", "mp3"]
)
def test_a_recording_that_breaks_off_is_heard_as_far_as_it_goes(data: bytes, length: float) -> None:
    """What is there is heard, and it counts as broken, for its head promises more."""
    seconds, _, broken = heard(data)
    assert seconds == pytest.approx(length, abs=0.1)
    assert broken


def test_a_stream_that_did_not_know_its_length_is_whole() -> None:
    """Programs that write as they record leave the length at its largest."""
    endless = bytearray(wav(tone(3.0)))
    endless[4:8] = endless[40:44] = b"\xff\xff\xff\xff"
    assert heard(bytes(endless)) == (pytest.approx(3.0, abs=0.01), pytest.approx(0.3, abs=0.01), False)


@pytest.mark.parametrize(("container", "codec"), [("wav", "pcm_s16le"), ("flac", "flac"), ("mp3", "libmp3lame")])
def test_a_recording_that_is_too_long_is_refused_before_it_is_heard(container: str, codec: str) -> None:
    """Its length is known without decoding it: half an hour of silence in a few kilobytes is refused at once."""
    with pytest.raises(SoundFault) as raised:
        Recording(encoded(silence(120.0), container, codec), 60.0)
    assert raised.value.problem is Problem.TOO_LONG
    assert raised.value.seconds > 60.0
