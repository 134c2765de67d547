"""The quick look finds what stands in a string as it is, and never more than inspection does."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.document import freeze_object
from gateway.privacy import InspectionSettings, Inspector
from gateway.privacy.inspection.quick import QuickLook

SETTINGS = InspectionSettings(words={"project": ("Bluebird",)}, patterns={"case": (r"K-\d{4}",)})
LOOK = QuickLook(SETTINGS, hyperscan=False)
INSPECTOR = Inspector(SETTINGS, hyperscan=False)
IBAN = "ES91 2100 0418 4502 0005 1332"
PIECES = st.sampled_from(
    (IBAN, "ana@example-clinic.es", "sk-proj-Zq83Kz0vTfLw2Xb7NnYhR5sJcGm9DpEaUo4", "Bluebird", "K-1234", "12345678Z",
     "4111 1111 1111 1111", "a plain word", "\n", "https://a.example/?key=Xb7NnYhR5sJcGm9DpEaUo4", "600 123 456", "ñ")
)  # fmt: skip


def asked(*contents: object) -> Any:
    return freeze_object({"model": "m", "messages": [{"role": "user", "content": one} for one in contents]})


@pytest.mark.parametrize(
    ("content", "category"),
    [(IBAN, "financial.iban"), ("about Bluebird", "custom.project"), ("case K-1234", "custom.case"), ("nothing", None)],
)
def test_what_it_finds(content: str, category: str | None) -> None:
    """Identifiers and the user's own words are found with their place, again and again."""
    for _ in range(2):
        found = [("$.messages[0].content", category)] if category else []
        assert list(LOOK.categories(asked(content))) == found


def test_numbers_are_looked_at_and_media_are_not() -> None:
    """A long number is one like a text; letters of base64 are none."""
    card = 4111_1111_1111_1111
    assert [path for path, _ in LOOK.categories(freeze_object({"note": card}))] == [
        place.path for place in INSPECTOR.inspect(freeze_object({"note": card})).findings[:1]
    ]
    hidden = base64.b64encode(b"\x89PNG\r\n\x1a\n" + IBAN.encode() * 200).decode()
    assert list(LOOK.categories(asked("data:image/png;base64," + hidden))) == []


@given(st.lists(st.lists(PIECES, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=4))
def test_inspection_finds_it_too(texts: list[str]) -> None:
    """Each category that the quick look tells of a document is one that inspection tells of the same document."""
    document = asked(*texts)
    inspected = {finding.category for finding in INSPECTOR.inspect(document).findings}
    assert {category for _, category in LOOK.categories(document)} <= inspected
