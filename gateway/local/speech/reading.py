"""What a recording in an attachment says, and whether that can be relied upon.

INVARIANT: a reading is whole only where the recording was heard to its end in a language that the model told apart from
others with confidence, every word of it surely, nothing loud was left over, and no long number was said: a digit that
was misheard hides an identifier from whoever looks for one.
"""

import contextlib
import re
from asyncio import get_running_loop
from collections.abc import Iterator, Sequence

from gateway.core.attachment import FileKind, Piece, Reading
from gateway.core.errors import AduanaError, BadRequest, TargetTimeout
from gateway.local.speech.target import SpeechTarget
from gateway.privacy.decoding.number_words import TEENS, TENS, UNITS
from gateway.speech.messages import Hear
from gateway.speech.transcript import Hearing, Segment

_PIECE_SECONDS = 180.0
_UNHEARD = 1.0  # seconds of sound that may belong to no segment: a cough, a door
_SURE_LANGUAGE = 0.7
_SURE_WORD = 0.5
_UNSURE_SHARE = 0.1  # of the words
# Below and above these Whisper itself holds a segment to be wrong, or to be no speech (its paper, section 4.5); the
# logarithm is stricter here.
_LOGPROB, _COMPRESSION, _NO_SPEECH = -0.8, 2.4, 0.6
_DIGITS = 6  # in a row, from which a number may be somebody's
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
_SAID = {
    **{word: 2 for words in (*TEENS, *TENS) for word in words.split()},
    **{word: 1 for words in UNITS for word in words.split()},
}
_COMPOUND = ("veinti", *(word for words in TENS for word in words.split() if len(word) > 4))
_BETWEEN = frozenset({"y", "and", "e", "et", "und", "i", "en"})
_WHY = {"recording_too_long": "too_long", "empty_recording": "broken", "unreadable_recording": "broken"}


async def reading_of(target: SpeechTarget, data: bytes, seconds: float) -> Reading:
    """Return what a recording says, as far as it was heard in so many seconds. Never raises for what can't be heard."""
    segments: list[Segment] = []
    hearing: Hearing | None = None
    why: tuple[str, ...] = ()
    deadline = get_running_loop().time() + seconds
    try:
        heard = target.hear(Hear(id=0, sound=data, words=True), deadline=deadline, isolation="attachments")
        async with contextlib.aclosing(heard) as items:
            async for item in items:
                if isinstance(item, Segment):
                    segments.append(item)
                else:
                    hearing = item
    except TargetTimeout:
        why = ("time",)
    except BadRequest as error:
        why = (_WHY.get(error.code, "reader_failed"),)
    except AduanaError:
        why = ("reader_failed",)
    reasons = (*why, *doubts(segments, hearing)) if hearing is not None else why or ("reader_failed",)
    return Reading(kind=FileKind.SOUND, pieces=tuple(pieces(segments)), whole=not reasons, reasons=reasons)


def pieces(segments: Sequence[Segment]) -> Iterator[Piece]:
    """Yield the text in pieces of a few minutes, each with the time at which it was said."""
    held: list[Segment] = []
    for segment in segments:
        if held and segment.end - held[0].start > _PIECE_SECONDS:
            yield _piece(held)
            held = []
        held.append(segment)
    if held:
        yield _piece(held)


def doubts(segments: Sequence[Segment], hearing: Hearing) -> Iterator[str]:
    """Yield why what was heard may not be all that was said, or not what was said."""
    if hearing.broken:
        yield "broken"
    if hearing.unheard > _UNHEARD:
        yield "unheard"
    if segments and hearing.language_probability < _SURE_LANGUAGE:
        yield "language"
    if any(map(_doubtful, segments)) or _unsure_words(segments):
        yield "low_confidence"
    if has_long_number("".join(segment.text for segment in segments)):
        yield "numbers"


def has_long_number(text: str) -> bool:
    """Say whether six digits or more were said in a row, as digits or in words."""
    run = 0
    for token in _TOKEN.findall(text.lower()):
        if token in _BETWEEN:
            continue
        digits = _digits_of(token)
        run = run + digits if digits else 0
        if run >= _DIGITS:
            return True
    return False


def _digits_of(token: str) -> int:
    """Return how many digits a word stands for; 0: it is no number."""
    if token.isdigit():
        return len(token)
    compound = token.startswith(_COMPOUND) or token.endswith(_COMPOUND)  # veintiuno, einundzwanzig
    return _SAID.get(token, 2 if compound else 0)


def _doubtful(segment: Segment) -> bool:
    return (
        segment.avg_logprob < _LOGPROB
        or segment.compression_ratio > _COMPRESSION
        or segment.no_speech_prob > _NO_SPEECH
        or segment.temperature > 0.0
    )


def _unsure_words(segments: Sequence[Segment]) -> bool:
    words = [word.probability for segment in segments for word in segment.words]
    return sum(probability < _SURE_WORD for probability in words) > _UNSURE_SHARE * len(words)


def _piece(segments: Sequence[Segment]) -> Piece:
    place = f"{_time(segments[0].start)}–{_time(segments[-1].end)}"
    return Piece(place=place, text="".join(segment.text for segment in segments).strip(), recognised=True)


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
