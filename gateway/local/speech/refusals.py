"""What a client is told of a recording that can't be heard."""

from gateway.core.errors import AduanaError, BadRequest, TargetError
from gateway.speech.messages import Problem, Refused


def refusal_of(target: str, refused: Refused, most_seconds: float) -> AduanaError:
    """Return the error for a recording. `most_seconds`: the longest that the target takes."""
    match refused.problem:
        case Problem.EMPTY:
            text, code = (
                "There is no sound in the recording: the file is empty, or it breaks off before the first sound.",
                "empty_recording",
            )
        case Problem.UNREADABLE:
            text = (
                "The recording can't be read: the file is damaged, or in a format or codec that is not known here. "
                "WAV, MP3, FLAC, Ogg (Opus, Vorbis), MP4 (AAC) and WebM can be read."
            )
            code = "unreadable_recording"
        case Problem.TOO_LONG:
            text = (
                f"The recording is longer than {_duration(most_seconds)}, the most that {target!r} takes. "
                "Send it in parts."
            )
            code = "recording_too_long"
        case Problem.LANGUAGE:
            text = f"The model of {target!r} does not know this language."
            return TargetError(text, code="unsupported_language", param="language", status=400)
        case Problem.NO_TRANSLATION:
            text = f"The model of {target!r} knows one language alone, so it can't translate."
            return TargetError(text, code="unsupported_translation", status=400)
        case Problem.FAILED:
            return TargetError(f"The speech model of {target!r} failed on this recording.")
    return BadRequest(text, code=code, param="file")


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
