"""Media in base64: where letters are passed over, what the bytes say counts, and each is a doubt wherever it is."""

import base64
import random
from collections.abc import Callable

import pytest

from gateway.core.document import freeze_object
from gateway.core.finding import Inspection
from gateway.privacy import Inspector

KEY = "AKIAY3FDXQ7JZ2PLMK5T"
LOOKS_LIKE_A_KEY = base64.b64decode(f"////{KEY}////")
BEGINNINGS = {
    "image": (b"\x89PNG\r\n\x1a\n\0", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    "audio": (b"ID3\x04\0\0\0\0\0", b"OggS\0\x02\0\0\0"),
    "file": (b"%PDF-1.7\n",),
}
CASES = [(kind, begin[: len(begin) // 3 * 3]) for kind, begins in BEGINNINGS.items() for begin in begins]


def medium(begin: bytes, *, said: bytes = b"", behind: bytes = b"") -> str:
    """Return a medium of random bytes in base64, among whose letters a key seems to stand."""
    noise = random.Random(3).randbytes(6_000)
    return base64.b64encode(begin + said + noise + LOOKS_LIKE_A_KEY + noise + behind).decode()


def seen(inspector: Inspector, text: str, *, letters: bool = False) -> Inspection:
    """Return what inspection sees in a message of one text."""
    return inspector.inspect(freeze_object({"messages": [{"role": "user", "content": text}]}), letters=letters)


def categories(inspection: Inspection) -> set[str]:
    """Return what was found."""
    return {finding.category for finding in inspection.findings}


@pytest.mark.parametrize("head", ["", "data:application/octet-stream;base64,"])
@pytest.mark.parametrize(("kind", "begin"), CASES)
def test_letters_of_a_medium_are_no_key_and_it_is_a_doubt(
    inspector: Inspector, kind: str, begin: bytes, head: str
) -> None:
    """Letters that look like a key by chance are no finding; the medium is a doubt at its own place."""
    inspection = seen(inspector, head + medium(begin))
    assert not inspection.findings
    assert [(doubt.reason, doubt.path) for doubt in inspection.doubts] == [(kind, "$.messages[0].content")]
    assert not inspection.letters


@pytest.mark.parametrize("first", [True, False])
def test_where_letters_count_they_are_searched_whatever_was_known(inspector: Inspector, first: bool) -> None:
    """What was remembered of one look is no answer for the other."""
    text = medium(b"\x89PNG\r\n\x1a\n\0", behind=bytes([first]))
    both = [seen(inspector, text, letters=letters) for letters in (first, not first, first)]
    for inspection, letters in zip(both, (first, not first, first), strict=True):
        assert inspection.letters is letters
        assert ("secret.api_key" in categories(inspection)) is letters


@pytest.mark.parametrize(
    "around",
    [
        "{} my key is " + KEY,
        KEY + " {}",
        "{}\n" + KEY,
        "data:image/" + KEY + ";base64,{}",
        "data:image/png;name=" + KEY + ";base64,{}",
        "data:image/png;base64,{}#" + KEY,
    ],
)
def test_what_stands_around_a_medium_is_found_as_before(inspector: Inspector, around: str) -> None:
    """A key before or behind a medium, or in the words of its URL, is found; the medium stays a doubt."""
    inspection = seen(inspector, around.format(medium(b"\x89PNG\r\n\x1a\n\0")))
    assert "secret.api_key" in categories(inspection)
    assert "image" in {doubt.reason for doubt in inspection.doubts}


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text[:-1],
        lambda text: text + "=",
        lambda text: text + "====",
        lambda text: text[:9_000] + "\n" + text[9_000:],
        lambda text: text + "AAAA=AAA",
        lambda text: text[4:],
    ],
)
def test_what_is_not_strictly_a_medium_is_searched_letter_by_letter(
    inspector: Inspector, broken: Callable[[str], str]
) -> None:
    """Base64 that is broken, wrapped or without the beginning of a medium is a text like any other."""
    text = broken(medium(b"\x89PNG\r\n\x1a\n\0", behind=b"\1\2\3"))
    assert "secret.api_key" in categories(seen(inspector, text))


def test_a_short_text_that_begins_like_a_picture_is_searched_letter_by_letter(inspector: Inspector) -> None:
    """A key behind the first letters of a picture is found as a key."""
    assert "secret.api_key" in categories(seen(inspector, f"iVBORw0KGgoA////{KEY}////{'AbC3' * 12}"))


@pytest.mark.parametrize("where", ["said", "behind"])
def test_words_in_a_medium_and_behind_its_end_are_found(inspector: Inspector, where: str) -> None:
    """A note in the first bytes of a medium, or one that was put behind its end, is found in place of the letters."""
    text = medium(b"\x89PNG\r\n\x1a\n\0", **{where: b"\0\0\0tEXtkey is " + KEY.encode() + b"\0\0"})
    inspection = seen(inspector, text)
    assert "secret.api_key" in categories(inspection)
    assert {(found.start, found.end, found.encoded) for found in inspection.findings} == {(0, len(text), True)}


@pytest.mark.parametrize("field", ["encrypted_content", "signature", "tool_call_id", "anything"])
def test_a_medium_is_a_doubt_in_any_field(inspector: Inspector, field: str) -> None:
    """Where what nobody can read is no doubt, a medium is one still, and as a key of an object as well."""
    text = medium(b"\x89PNG\r\n\x1a\n\0")
    for body in ({"messages": [{"role": "user", "content": "x", field: text}]}, {field: {text: 1}}):
        assert "image" in {doubt.reason for doubt in inspector.inspect(freeze_object(body), letters=False).doubts}
