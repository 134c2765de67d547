"""From a request to an order for the worker, and from what it heard to a transcript in OpenAI's words. Pure."""

from collections.abc import Sequence
from typing import Any

from gateway.core.attachment import content_of
from gateway.core.document import JsonObject, freeze_object
from gateway.core.errors import BadRequest
from gateway.core.request import MediaWork, TranscriptionRequest
from gateway.speech.messages import Hear
from gateway.speech.transcript import Hearing, Segment, Word

_FRAMES = 100  # a second, in which Whisper counts: `seek`


def order_of(request: TranscriptionRequest, language: str) -> Hear:
    """Return the order for a request. `language`: of recordings, where the request does not say.

    Raises:
        BadRequest: The recording is no data URL, or its base64 is broken.
    """
    given = request.document.get("file")
    file = content_of(given) if isinstance(given, str) else None
    if file is None:
        raise BadRequest("'file': must be a recording, as a file of the form or a data URL in base64.", param="file")
    temperature = request.document.get("temperature")
    return Hear(
        id=0,
        sound=file.data,
        translate=request.work is MediaWork.TRANSLATIONS,
        language=request.language or language,
        prompt=request.text,
        temperature=float(temperature) if isinstance(temperature, int | float) and temperature else None,
        words="word" in request.granularities,
    )


def transcript_fields(segments: Sequence[Segment], hearing: Hearing) -> JsonObject:
    """Return what OpenAI's verbose answer says beside the text."""
    fields: dict[str, Any] = {
        "language": hearing.language,
        "duration": round(hearing.seconds, 3),
        "segments": [_segment(number, one) for number, one in enumerate(segments)],
    }
    words = [_word(word) for one in segments for word in one.words]
    if words:
        fields["words"] = words
    return freeze_object(fields)


def _segment(number: int, one: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "seek": int(one.start * _FRAMES),
        "start": one.start,
        "end": one.end,
        "text": one.text,
        "tokens": list(one.tokens),
        "temperature": one.temperature,
        "avg_logprob": one.avg_logprob,
        "compression_ratio": one.compression_ratio,
        "no_speech_prob": one.no_speech_prob,
    }


def _word(word: Word) -> dict[str, Any]:
    return {"word": word.text.strip(), "start": word.start, "end": word.end}
