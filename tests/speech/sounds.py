"""Sound files that tests write themselves: tones, silence, and what is no sound."""

import io
import wave

import av
import numpy as np
import numpy.typing as npt

RATE = 16_000


def tone(seconds: float, volume: float = 0.3) -> npt.NDArray[np.int16]:
    """Return samples of a tone of 440 Hz."""
    times = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * 440 * times) * volume * 32767).astype(np.int16)


def silence(seconds: float) -> npt.NDArray[np.int16]:
    """Return samples of nothing."""
    return np.zeros(int(seconds * RATE), np.int16)


def wav(samples: npt.NDArray[np.int16], rate: int = RATE) -> bytes:
    """Return a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def encoded(samples: npt.NDArray[np.int16], container: str, codec: str, rate: int = RATE) -> bytes:
    """Return a file in another format, as `("mp3", "libmp3lame")`."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=stream.rate, frame_size=stream.codec_context.frame_size or None
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return out.getvalue()
