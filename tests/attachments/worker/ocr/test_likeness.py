"""Other readings of numbers: a letter that looks like a digit, and what an unsure one may be, are tried as well."""

import pytest

from gateway.attachments.worker.ocr.letters import Letter, Line
from gateway.attachments.worker.ocr.likeness import other_readings


def line(text: str, unsure: dict[int, str] | None = None) -> Line:
    """A line, with other letters where it is unsure."""
    others = unsure or {}
    return Line(
        tuple(
            Letter(letter, 0.6 if place in others else 0.99, 0.5, others.get(place, ""))
            for place, letter in enumerate(text)
        )
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("DNI 12345678Z", "DNI 1234S678Z"),
        ("DNI 12345678Z", "DNI l2345678Z"),
        ("DNI 12345678Z,", "DNI 1Z34567BZ,"),
        ("tel. 612 345 678", "tel. 6l2 34S 678"),
        ("X1234567L", "X1Z34567L"),
        ("ES91 2100 0418 4502 0005 1332", "ES9I 21OO 0418 4502 OO05 1332"),
    ],
)
def test_letters_among_digits_are_tried_as_digits(written: str, read: str) -> None:
    """The number as it was written is among the readings of what was read."""
    assert written in list(other_readings(line(read)))


def test_an_unsure_digit_is_exchanged() -> None:
    """No letter looks like it, but the second likeliest reading is right."""
    assert "DNI 12345678Z" in list(other_readings(line("DNI 12346678Z", {8: "5"})))


def test_an_unsure_check_letter_that_was_read_as_a_digit_is_tried_as_one() -> None:
    """A 2 at the end of nine digits may be a Z."""
    assert "DNI 12345678Z" in list(other_readings(line("DNI 123456782", {12: ""})))


@pytest.mark.parametrize(
    "text", ["DNI 12345678Z", "612 345 678", "maria.nunez89@example.com", "Sillas, 4 Ud.", "B2B", ""]
)
def test_what_leaves_no_doubt_has_no_other_reading(text: str) -> None:
    """So that there is nothing to find that nobody wrote."""
    assert list(other_readings(line(text))) == []


def test_readings_are_few() -> None:
    """However unsure a line is."""
    text = "1S0O 2B8l " * 20
    assert len(list(other_readings(line(text, dict.fromkeys(range(len(text)), "7"))))) <= 8
