"""`python -m gateway.speech.encoder FORMAT RATE`: samples on standard input → a sound file on standard output.

Samples are 16-bit, little-endian, mono, RATE a second. What is written goes out as it comes, so that a player can
begin.
"""

import sys
from typing import IO, Any

import av
import numpy as np

_PIECE = 16 * 1024  # bytes
# container, codec, samples a second, options of the container
_FILES: dict[str, tuple[str, str, int, dict[str, str]]] = {
    "mp3": ("mp3", "libmp3lame", 24_000, {"write_xing": "0", "id3v2_version": "0"}),
    "opus": ("ogg", "libopus", 24_000, {"page_duration": "200000"}),
    "aac": ("adts", "aac", 24_000, {}),
    "flac": ("flac", "flac", 24_000, {}),
    "wav": ("wav", "pcm_s16le", 24_000, {}),
    "pcm": ("s16le", "pcm_s16le", 24_000, {}),  # the rate of OpenAI's
}


def encode(source: IO[bytes], target: IO[bytes], name: str, rate: int) -> None:
    """Write what `source` has as a file of the format `name`."""
    container, codec, out_rate, options = _FILES[name]
    with av.open(target, "w", format=container, options=options) as file:
        stream: Any = file.add_stream(codec, rate=out_rate)
        stream.layout = "mono"
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=out_rate, frame_size=stream.codec_context.frame_size or None
        )
        while data := source.read(_PIECE):
            frame = av.AudioFrame.from_ndarray(
                np.frombuffer(data[: len(data) // 2 * 2], "<i2").reshape(1, -1), format="s16", layout="mono"
            )
            frame.sample_rate = rate
            for piece in resampler.resample(frame):
                file.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))


if __name__ == "__main__":
    encode(sys.stdin.buffer, sys.stdout.buffer, sys.argv[1], int(sys.argv[2]))
