"""The walk over a document: every text with whose it is, and the seams of neighbours."""

import random

import pytest

from gateway.core.document import KEY as NAME_OF
from gateway.core.document import freeze_object
from gateway.privacy.taint.document_texts import DocumentText, TooManyTexts, Whose, seams, texts_of
from gateway.privacy.taint.fingerprints import SURE, letters, passages_of
from gateway.privacy.taint.lines import lines, sentence
from gateway.privacy.taint.readings import readings
from gateway.wire.openai.requests import parse_chat

KEY = b"k" * 32


def test_each_text_says_whose_it_is_and_in_which_turn_it_stands() -> None:
    """Roles and fields tell the client's own words from answers, results and what conversations share."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    request = parse_chat(
        freeze_object(
            {
                "model": "auto",
                "note": {"deep": "shared"},
                "messages": [
                    {"role": "system", "content": "rules"},
                    {"role": "user", "content": [{"type": "text", "text": "one"}]},
                    {"role": "assistant", "content": "answer", "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": "c", "content": "result"},
                    {"role": "user", "content": "two"},
                ],
            }
        )
    )
    found = {text.text: (text.whose, text.turn, text.path) for text in texts_of(request)}
    assert found["shared"] == (Whose.SHARED, 0, "$.note.deep")
    assert found["rules"][:2] == (Whose.SHARED, 0)
    assert found["one"] == (Whose.OWN, 1, "$.messages[1].content[0].text")
    assert found["answer"][:2] == (Whose.ANSWER, 1)
    assert found["result"][:2] == (Whose.RESULT, 1)
    assert found["two"][:2] == (Whose.OWN, 2)
    assert found["deep"][2] == "$.note.deep~key"
    with pytest.raises(TooManyTexts):
        texts_of(request, 5)


def test_whatever_crosses_a_border_lies_in_a_seam() -> None:
    """A passage that is cut anywhere, into any pieces, is found in the seams or in the pieces."""
    draw = random.Random(3)
    for _ in range(150):
        story = "".join(draw.choices("abcdefgh ", k=4 * SURE))
        around = ["".join(draw.choices("xyz ", k=draw.choice((0, 3, 90, 700, 9_000)))) for _ in range(2)]
        cuts = sorted(draw.sample(range(1, len(story)), k=draw.choice((0, 1, 2, 5, 40))))
        pieces = [story[start:end] for start, end in zip([0, *cuts], [*cuts, len(story)], strict=True)]
        pieces[0], pieces[-1] = around[0] + pieces[0], pieces[-1] + around[1]
        texts = [DocumentText(f"$.x[{number}]", piece, Whose.OWN) for number, piece in enumerate(pieces)]
        found = {item for piece in pieces for item in passages_of(letters(piece), KEY)}
        found |= {item for plain, _ in seams(texts, ordered=True) for item in passages_of(plain, KEY)}
        plain = letters(story)
        for start in range(0, len(plain) - SURE, 50):
            assert found & set(passages_of(plain[start : start + SURE], KEY)), (cuts, start)


def test_seams_stay_the_same_when_a_conversation_grows() -> None:
    """What stands before decides where seams are cut, so that a known conversation costs its new turn."""
    texts = [DocumentText(f"$.x[{number}].c", f"turn {number} " * 20, Whose.OWN) for number in range(100)]
    before, after = ([plain for plain, _ in seams(texts[:size], ordered=True)] for size in (90, 100))
    assert len(before) > 2
    assert before[:-1] == after[: len(before) - 1]


def test_lines_are_known_whole_and_short_ones_are_none() -> None:
    """A text, its lines and its sentences have hashes from 24 letters and digits on."""
    found = list(lines("Thank you.\n> The red boat comes back to the island! Did you know that nobody expects it?"))
    assert "theredboatcomesbacktotheisland" in found
    assert "didyouknowthatnobodyexpectsit" in found
    assert not list(lines("Thank you very much."))
    assert "theredboatcomesbacktotheisland" in list(lines("Title: «The red boat comes back to the island»"))


def test_the_sentence_around_a_place() -> None:
    """A sentence ends at a stop, a line or, where there is neither, after some hundred characters."""
    text = "One here. My number is 4.5 or 12345 today. Another one\nand a line"
    start = text.index("12345")
    assert text[slice(*sentence(text, start, start + 5))] == " My number is 4.5 or 12345 today."
    start, end = sentence("x" * 5_000, 2_000, 2_010)
    assert 1_000 < start < 2_000 < end < 3_000


def test_readings_are_the_text_and_what_encodings_hide() -> None:
    """A text is read as it is, and as it is meant."""
    assert list(readings("plain")) == ["plain"]
    assert any("café con leche y más" in found for found in readings("x caf\\u00e9 con leche y m\\u00e1s"))


def test_letters_with_accents_of_two_kinds_are_the_same() -> None:
    """A letter and its accent as one character or as two read the same."""
    assert letters("Me dijo que sí, mañana") == letters("Me dijo que si\u0301, man\u0303ana")


@pytest.mark.parametrize("name", ["text", "text2", "123", "a.b", "two words", "a[0]", "~key", "é", ""])
def test_a_text_has_the_field_that_its_path_names(name: str) -> None:
    """Whether it stands in a document or is known by its path alone: both fall into the same seams."""
    for place in ((None, name), (((None, "x"), name), 3), ((None, name), NAME_OF)):
        placed = DocumentText(place, "words", Whose.OWN)
        assert placed.field == DocumentText(placed.path, "words", Whose.OWN).field
