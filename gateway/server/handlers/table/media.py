"""Rows of OpenAI's addresses for pictures and sound."""

from collections.abc import Iterator, Mapping

from gateway.core.document import Json
from gateway.server.handlers.table.route import DOT, TEXT, HttpRoute, Work

# A WAV file with a moment of silence.
_MOMENT = "data:audio/wav;base64,UklGRigAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQQAAAAAAAAA"


def images_rows() -> Iterator[HttpRoute]:
    """Yield the rows of pictures."""
    picture: Mapping[str, Json] = {"model": "auto", "image": DOT}
    yield HttpRoute(
        method="POST", path="/v1/images/generations", handler=lambda its: its.images.generations, work=Work.ANSWERS,
        once=True, summary="Make pictures of a prompt.", example={"model": "auto", "prompt": TEXT},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/images/edits", handler=lambda its: its.images.edits, work=Work.ANSWERS, once=True,
        summary="Make pictures of a prompt and other pictures; also as multipart/form-data.",
        example={**picture, "prompt": "The same by night"},
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/images/variations", handler=lambda its: its.images.variations, work=Work.ANSWERS,
        once=True, summary="Make pictures that are like another one; also as multipart/form-data.", example=picture,
    )  # fmt: skip


def audio_rows() -> Iterator[HttpRoute]:
    """Yield the rows of sound."""
    recording: Mapping[str, Json] = {"model": "auto", "file": _MOMENT}
    yield HttpRoute(
        method="POST", path="/v1/audio/transcriptions", handler=lambda its: its.audio.transcriptions,
        work=Work.ANSWERS, once=True, summary="Write down what a recording says; also as multipart/form-data.",
        example=recording,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/audio/translations", handler=lambda its: its.audio.translations, work=Work.ANSWERS,
        once=True, summary="Write down in English what a recording says; also as multipart/form-data.",
        example=recording,
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/v1/audio/speech", handler=lambda its: its.audio.speech, work=Work.ANSWERS, once=True,
        summary="Speak a text.", example={"model": "auto", "input": TEXT, "voice": "alloy"},
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/v1/audio/voices", handler=lambda its: its.audio.voices, work=Work.LISTS,
        summary="List the voices of the models that this key may ask for.",
    )  # fmt: skip
