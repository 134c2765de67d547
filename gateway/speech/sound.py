"""Sound files: bytes of any known kind → samples for the model, in passages of some minutes.

A file is decoded as it is heard, so that the memory of a worker does not grow with the length of a recording.
"""

import io
from collections.abc import Iterator
from typing import Any

import av
import av.error
import msgspec
import numpy as np
import numpy.typing as npt

from gateway.speech.messages import Problem

RATE = 16_000  # samples a second, what Whisper takes
_PASSAGE = 300  # seconds
_CUT = 30  # seconds at the end of a passage, in which the quietest place is looked for
_QUIET = RATE // 5  # samples of that place
# Playlists and the like are not among them: they would make the decoder open other files and addresses.
_FORMATS = "aac,ac3,aiff,amr,amrnb,amrwb,asf,au,caf,flac,matroska,mov,mp3,mp4,m4a,mpegts,ogg,w64,wav,webm"
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
_UNKNOWN_LENGTH = 0x7FFF_0000  # from here on a WAV file's length says that it was not known
_MOST_BROKEN = 1000  # packets; a file with more is noise

Samples = npt.NDArray[np.float32]


class SoundFault(Exception):
    """Reason why a file can't be heard."""

    def __init__(self, problem: Problem, seconds: float = 0.0) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.seconds = seconds


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """Some minutes of a recording. `start` in seconds from its beginning; `samples` between -1 and 1."""

    start: float
    samples: Samples


class Recording:
    """One sound file. `broken` says, once its passages were read, whether a part could not be decoded."""

    def __init__(self, data: bytes, most_seconds: float) -> None:
        """Look how long it is, without decoding it.

        Raises:
            SoundFault: It is no sound file, has no sound, or is too long.
        """
        self._data = data
        self._most = most_seconds
        self.broken = False
        self.seconds = 0.0  # decoded so far
        if not data:
            raise SoundFault(Problem.EMPTY)
        with self._opened() as container:
            stream = _sound_of(container)
            length = self._length(container, stream)
            self._promised = max(length, (container.duration or 0) / av.time_base)
        if length > most_seconds:
            raise SoundFault(Problem.TOO_LONG, length)

    def passages(self) -> Iterator[Passage]:
        """Yield the recording in passages of about five minutes, each cut where it is quiet.

        Raises:
            SoundFault: Nothing of it can be decoded, or it is longer than its file says, and too long.
        """
        held: list[npt.NDArray[np.int16]] = []
        count = start = 0
        for piece in self._decoded():
            held.append(piece)
            count += len(piece)
            if (start + count) / RATE > self._most:
                raise SoundFault(Problem.TOO_LONG, (start + count) / RATE)
            if count >= _PASSAGE * RATE:
                whole = np.concatenate(held)
                cut = _quiet_place(whole)
                yield _passage(start, whole[:cut])
                start, held = start + cut, [whole[cut:]]
                count = len(held[0])
        self.seconds = (start + count) / RATE
        if not start + count:
            raise SoundFault(Problem.UNREADABLE if self.broken else Problem.EMPTY)
        self.broken = self.broken or self._promised > 1.05 * self.seconds + 1.0 or _is_cut(self._data)
        if count:
            yield _passage(start, np.concatenate(held))

    def _opened(self) -> Any:
        try:
            return av.open(io.BytesIO(self._data), mode="r", metadata_errors="ignore", options=_OPTIONS)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise SoundFault(Problem.UNREADABLE) from error

    def _length(self, container: Any, stream: Any) -> float:
        """Return the seconds of all packets together, or up to where they are surely too many."""
        seconds = 0.0
        try:
            for packet in container.demux(stream):
                if packet.duration:
                    seconds += float(packet.duration * packet.time_base)
                if seconds > self._most:
                    return max(seconds, float(stream.duration or 0) * float(stream.time_base or 0))
        except (av.error.FFmpegError, ValueError):
            self.broken = True
        return seconds

    def _decoded(self) -> Iterator[npt.NDArray[np.int16]]:
        broken = 0
        with self._opened() as container:
            stream = _sound_of(container)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            try:
                for packet in container.demux(stream):
                    try:
                        frames = packet.decode()
                    except av.error.FFmpegError:
                        broken += 1
                        self.broken = True
                        if broken > _MOST_BROKEN:
                            raise SoundFault(Problem.UNREADABLE) from None
                        continue
                    for frame in frames:
                        frame.pts = None  # what a file says of its times is not needed, and may be wrong
                        for sound in resampler.resample(frame):
                            yield _samples(sound)
                for sound in resampler.resample(None):
                    yield _samples(sound)
            except (av.error.FFmpegError, ValueError):
                self.broken = True


def _sound_of(container: Any) -> Any:
    """Return the first track of sound that can be decoded.

    Raises:
        SoundFault: There is none.
    """
    if not container.streams.audio:
        raise SoundFault(Problem.EMPTY if container.streams else Problem.UNREADABLE)
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            return stream
    raise SoundFault(Problem.UNREADABLE)


def _samples(frame: Any) -> npt.NDArray[np.int16]:
    return np.asarray(frame.to_ndarray(), np.int16).reshape(-1)


def _is_cut(data: bytes) -> bool:
    """Say whether a WAV file is shorter than its head says; the decoder does not tell."""
    said = int.from_bytes(data[4:8], "little")
    return data[:4] == b"RIFF" and len(data) - 8 < said < _UNKNOWN_LENGTH


def _quiet_place(samples: npt.NDArray[np.int16]) -> int:
    """Return the middle of the quietest fifth of a second near the end."""
    first = len(samples) - _CUT * RATE
    tail = samples[first:].astype(np.float32)
    windows = tail[: len(tail) // _QUIET * _QUIET].reshape(-1, _QUIET)
    return first + int((windows**2).mean(axis=1).argmin()) * _QUIET + _QUIET // 2


def _passage(start: int, samples: npt.NDArray[np.int16]) -> Passage:
    return Passage(start=start / RATE, samples=samples.astype(np.float32) / 32768.0)
