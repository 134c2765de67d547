"""Blanks: what the judge reads in the place of pseudonyms."""

from gateway.privacy.masking.blanks import blanked, blanks_of
from gateway.privacy.masking.pseudonyms import PseudonymEntry


def test_pseudonyms_become_the_blanks_of_a_template() -> None:
    """Each kind has its own word; the longest pseudonym wins; other text stays."""
    masked = {"Person-K4": "person.name", "Person-K47": "person.name", "k4@mail.invalid": "contact.email",
              "Host-K4": "network"}  # fmt: skip
    blanks = blanks_of(
        PseudonymEntry(original="x", pseudonym=pseudonym, category=category, code="K4")
        for pseudonym, category in masked.items()
    )
    assert list(blanked([("$.a", "Tell Person-K47 (k4@mail.invalid) and Person-K4 of Host-K4.")], blanks)) == [
        ("$.a", "Tell [NAME] ([CONTACT]) and [NAME] of [...].")
    ]
    assert list(blanked([("$.a", "Tell Person-K47")], {})) == [("$.a", "Tell Person-K47")]
