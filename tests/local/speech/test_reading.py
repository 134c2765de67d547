"""What a recording in an attachment says, and when that can be relied upon."""

import pytest

from gateway.core.attachment import FileKind
from gateway.local.speech.reading import doubts, has_long_number, pieces, reading_of
from gateway.local.speech.settings import SpeechTargetSettings
from gateway.local.speech.target import SpeechTarget
from gateway.speech.messages import SpeechSettings
from gateway.speech.transcript import Hearing, Segment, Word
from tests.local.speech.test_target import INFO, target_of
from tests.speech.voices import multilingual_model, spoken

SURE = Hearing(seconds=60.0, language="en", language_probability=0.98)


def segment(text: str = " The weather is fine.", start: float = 0.0, end: float = 5.0, **measures: float) -> Segment:
    """Return a segment that the model is sure of, but for these measures."""
    probability = measures.pop("word", 0.95)
    words = tuple(Word(start=start, end=end, text=f" {word}", probability=probability) for word in text.split())
    sure = {"avg_logprob": -0.2, "compression_ratio": 1.2, "no_speech_prob": 0.02} | measures
    return Segment(start=start, end=end, text=text, words=words, **sure)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("segments", "hearing", "why"),
    [
        ([segment()], SURE, []),
        ([], SURE, []),
        ([segment(avg_logprob=-1.1)], SURE, ["low_confidence"]),
        ([segment(compression_ratio=3.0)], SURE, ["low_confidence"]),
        ([segment(no_speech_prob=0.9)], SURE, ["low_confidence"]),
        ([segment(temperature=0.2)], SURE, ["low_confidence"]),
        ([segment(word=0.4)], SURE, ["low_confidence"]),
        ([segment()], Hearing(seconds=60.0, language="en"), ["language"]),
        ([segment()], Hearing(seconds=60.0, language="es", language_probability=0.5), ["language"]),
        ([segment()], Hearing(seconds=60.0, language_probability=0.9, unheard=4.0), ["unheard"]),
        ([segment()], Hearing(seconds=60.0, language_probability=0.9, broken=True), ["broken"]),
        ([segment(" Call 612"), segment(" 345 678.")], SURE, ["numbers"]),
    ],
)
def test_whatever_may_be_wrong_is_a_doubt(segments: list[Segment], hearing: Hearing, why: list[str]) -> None:
    """A model of one language can't tell that another was spoken; a misheard digit hides an identifier."""
    assert list(doubts(segments, hearing)) == why


@pytest.mark.parametrize(
    ("text", "is_long"),
    [
        ("It is the 12th of March 2026.", False),
        ("Room 401, floor 3.", False),
        ("My number is 612 345 678.", True),
        ("ES 91-2100", True),
        ("six one two, three four five", True),
        ("seis uno dos, tres cuatro y cinco", True),
        ("noventa y uno, veintiuno, cincuenta y dos, treinta", True),
        ("One day, two friends met.", False),
    ],
)
def test_long_numbers_are_heard_in_digits_and_words(text: str, is_long: bool) -> None:
    """Six digits in a row may be somebody's; a date or a room is nobody's."""
    assert has_long_number(text) is is_long


def test_text_comes_in_pieces_of_minutes() -> None:
    """Each with the time at which it was said."""
    many = [segment(f" Part {number}.", number * 100.0, number * 100.0 + 90.0) for number in range(38)]
    places = [piece.place for piece in pieces(many)]
    assert places[0] == "0:00–1:30"
    assert places[-1].startswith("1:01:40–")
    assert all(piece.recognised for piece in pieces(many))
    assert " ".join(piece.text for piece in pieces(many)).count("Part") == 38


async def test_a_recording_is_read() -> None:
    """What it says, of a model that says nothing of its certainty, is not whole."""
    target = target_of()
    reading = await reading_of(target, b"say one|two", 60.0)
    assert [piece.text for piece in reading.pieces] == ["first one two"]
    assert (reading.kind, reading.whole, reading.reasons) == (FileKind.SOUND, False, ("language",))
    await target.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [("too_long", "too_long"), ("empty", "broken"), ("unreadable", "broken"), ("failed", "reader_failed"),
     ("die", "reader_failed")],
)  # fmt: skip
async def test_what_cannot_be_heard_says_why(said: str, why: str) -> None:
    """Nothing is raised: whoever asked keeps a doubt."""
    target = target_of()
    reading = await reading_of(target, said.encode(), 60.0)
    assert (reading.whole, reading.reasons) == (False, (why,))
    await target.close()


async def test_what_takes_too_long_is_read_as_far_as_it_goes() -> None:
    """What came in time is there; the rest is a doubt."""
    target = target_of()
    await target.load(1e9)
    reading = await reading_of(target, b"long", 1.0)
    assert [piece.text for piece in reading.pieces] == ["first"]
    assert reading.reasons == ("time",)
    await target.close()


async def test_a_real_model_is_sure_of_what_is_clear(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A clear sentence is read whole; one with a long number is not. Needs Whisper base, which is 145 MB."""
    folder = multilingual_model(tmp_path_factory.mktemp("base"))
    settings = SpeechTargetSettings(worker=SpeechSettings(model=str(folder), threads=2))
    target = SpeechTarget(INFO, settings)
    clear = await reading_of(target, spoken("Please call me back tomorrow. The weather is nice today."), 300.0)
    number = await reading_of(target, spoken("My phone number is 6 1 2, 3 4 5, 6 7 8."), 300.0)
    await target.close()
    assert (clear.whole, clear.reasons) == (True, ())
    assert "tomorrow" in clear.pieces[0].text
    assert (number.whole, number.reasons) == (False, ("numbers",))
