"""The user's own long lists: found as whole words in one pass, at the place where the client's text has them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ConfigurationError
from gateway.privacy import InspectionSettings, Inspector, WordList
from gateway.privacy.detectors.custom import Gazetteers


def found(text: str, *entries: str, **options: bool) -> list[str]:
    """What stands at the places of the hits."""
    lists = Gazetteers({"clients": WordList(entries=entries, **options)})
    return [text[start:end] for category, start, end in lists.find(text) if category == "custom.clients"]


@pytest.mark.parametrize(
    ("text", "entries", "options", "expected"),
    [
        ("We wrote to Acme Corp today.", ("acme corp",), {}, ["Acme Corp"]),
        ("ACME\n   Corp., and acme  corp", ("Acme Corp",), {}, ["ACME\n   Corp", "acme  corp"]),
        ("José Pérez y JOSE PEREZ", ("José Perez",), {}, ["José Pérez", "JOSE PEREZ"]),
        ("José Pérez y Jose Perez", ("José Pérez",), {"match_accents": True}, ["José Pérez"]),
        ("Rosa likes a rosa", ("Rosa",), {"match_case": True}, ["Rosa"]),
        ("Acmeville", ("Acme",), {}, []),
        ("Acmeville", ("Acme",), {"whole_words": False}, ["Acme"]),
        ("Acme Corporation", ("Acme", "Acme Corp"), {}, ["Acme"]),
        ("Acme Corp", ("Acme", "Acme Corp"), {}, ["Acme Corp"]),
        ("project C++ and .NET here", ("C++ and", ".net"), {}, ["C++ and", ".NET"]),
        ("  \n\n  x  \t Acme  ", ("Acme",), {}, ["Acme"]),
        ("ﬁn Straße 東京 Acme", ("東京", "straße"), {}, ["Straße", "東京"]),
        ("nothing of it", ("Acme",), {}, []),
        ("", ("Acme",), {}, []),
    ],
)
def test_entries_are_found_as_the_list_says(
    text: str, entries: tuple[str, ...], options: dict[str, bool], expected: list[str]
) -> None:
    """Whole words, in any case, with or without accents, unless a list says otherwise; the longest of nested ones."""
    assert found(text, *entries, **options) == expected


def test_several_lists_are_one_pass_with_their_own_categories() -> None:
    """An entry of two lists belongs to both."""
    lists = Gazetteers(
        {
            "clients": WordList(entries=("Talbex", "Norvex")),
            "projects": WordList(entries=("Norvex",)),
            "codes": WordList(entries=("NX",), match_case=True),
        }
    )
    hits = {(category, start) for category, start, _ in lists.find("Norvex, Talbex, NX, nx")}
    assert hits == {("custom.clients", 0), ("custom.projects", 0), ("custom.clients", 8), ("custom.codes", 16)}


@given(st.text(max_size=60), st.text(alphabet=" \n\tÁáñ́ﬁßİ", max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_planted_entry_is_found_at_its_place(before: str, after: str) -> None:
    """An entry is found at its place, whatever stands around it."""
    text = f"{before} zorblax  quindle {after}"
    assert "zorblax  quindle" in found(text, "Zorblax Quindle")


@pytest.mark.parametrize(("entry", "options"), [("x", {}), ("-", {}), ("abc", {"whole_words": False}), ("a" * 401, {})])
def test_an_entry_that_would_be_everywhere_or_nowhere_is_refused(entry: str, options: dict[str, bool]) -> None:
    """An entry that would match everywhere or nowhere is refused at the start, not ignored in silence."""
    with pytest.raises(ConfigurationError):
        Gazetteers({"bad": WordList(entries=(entry,), **options)})


def test_inspection_finds_entries_in_every_view() -> None:
    """Inspection finds entries also in keys, in look-alike letters and behind encodings."""
    inspector = Inspector(InspectionSettings(lists={"clients": WordList(entries=("Talbex Iberia",))}))
    for text in (
        "contrato con Talbex Iberia",
        "contrato con T\u0430lbex Iberia",
        "Y29udHJhdG8gY29uIFRhbGJleCBJYmVyaWE=",
    ):
        assert {finding.category for finding in inspector.inspect({"p": text}).findings} == {"custom.clients"}
    assert inspector.inspect({"Talbex Iberia": 1}).findings
