"""What nobody sees in a text is read: tags, variation selectors as bytes, zero-width characters as bits."""

import random

import pytest

from gateway.privacy import Inspector
from gateway.privacy.decoding.budget import Unlimited
from gateway.privacy.decoding.folding import FOREIGN, fold

VALUE = "DNI 12345678Z"
HIDDEN = {
    "tags": "".join(chr(0xE0000 + ord(letter)) for letter in VALUE),
    "selectors": "".join(chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16) for byte in VALUE.encode()),
    "bits": "".join("\u200b\u200c"[int(bit)] for byte in VALUE.encode() for bit in f"{byte:08b}"),
    "bits the other way": "".join("\u200d\u200b"[int(bit)] for byte in VALUE.encode() for bit in f"{byte:08b}"),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_hidden_text_is_read(how: str) -> None:
    """The value comes out, apart from what stands before it."""
    read = FOREIGN.sub(lambda match: fold(match, Unlimited()), f"Hola{HIDDEN[how]}")
    assert VALUE in read.split("Hola ")[1]


def test_emoji_stay_empty_of_text() -> None:
    """Selectors and joiners of ordinary emoji say nothing."""
    read = FOREIGN.sub(lambda match: fold(match, Unlimited()), "❤️ 👩🏽‍🚀")
    assert not [letter for letter in read if letter.isascii() and letter.isalnum()]


def test_what_nobody_could_read_is_a_doubt_at_once(inspector: Inspector) -> None:
    """Bits of nine kinds of marks stand for nothing that anybody would try: looking costs no more than for two."""
    draw = random.Random(7)
    marks = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff"
    text = "a" + "".join(draw.choice(marks) for _ in range(4_000))
    inspection = inspector.inspect({"p": text})
    assert [doubt.reason for doubt in inspection.doubts] == ["unreadable_blob"]
    assert inspection.characters <= 8 * len(text)
