"""From a model's labels to findings: which names count, what an address is, and what a name makes of other findings."""

import pytest

from gateway.core.finding import Finding
from gateway.privacy.detectors.named_entities import Entity, NamePolicy, findings_of, is_name, joined, records


def marked(text: str) -> tuple[str, list[Entity]]:
    """`[GIVEN_NAME:Ana] lives in …` as text and entities."""
    entities: list[Entity] = []
    plain = ""
    for part in text.split("["):
        kind, colon, rest = part.partition(":")
        if not colon or "]" not in rest:
            plain += part
            continue
        words, _, after = rest.partition("]")
        entities.append(Entity(len(plain), len(plain) + len(words), kind, 0.99))
        plain += words + after
    return plain, entities


def found(text: str, names: NamePolicy) -> list[tuple[str, str]]:
    """Category and words of each finding."""
    plain, entities = marked(text)
    return [(one.category, plain[one.start : one.end]) for one in findings_of("$", plain, entities, names)]


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("Ask [GIVEN_NAME:Ana] [SURNAME:Ruiz] about it", "Ana Ruiz"),
        ("Ask [GIVEN_NAME:Ana] [SURNAME:de la Fuente]", "Ana de la Fuente"),
        ("Ask [GIVEN_NAME:Johannes Varvio] about it", "Johannes Varvio"),
        ("Ask [GIVEN_NAME:Julian] Azevedo about it", "Julian Azevedo"),
        ("Ask [GIVEN_NAME:Ludwig] van [SURNAME:Houten]", "Ludwig van Houten"),
        ("Ask Dr. [SURNAME:Kozłowski]", "Kozłowski"),
        ("Pregunta a la Sra. [SURNAME:Molina]", "Molina"),
        ("My name is [GIVEN_NAME:Akinori]", "Akinori"),
        ("me llamo [GIVEN_NAME:Lucía]", "Lucía"),
        ("ask [GIVEN_NAME:frank] [SURNAME:freud]", "frank freud"),
        ("[GIVEN_NAME:Marcia] has 4 apples. [GIVEN_NAME:Amy] has 3", None),
        ("[GIVEN_NAME:Amy], [GIVEN_NAME:Jackson] and [GIVEN_NAME:Corey]", None),
        ("[GIVEN_NAME:James] durmió", None),
    ],
)
def test_names(text: str, full: str | None) -> None:
    """`full` takes first and last names and introduced ones; `any` takes all; `ignore` none."""
    assert found(text, NamePolicy.FULL) == ([("person.name", full)] if full else [])
    assert {category for category, _ in found(text, NamePolicy.ANY)} == {"person.name"}
    assert found(text, NamePolicy.IGNORE) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Send it to [BUILDING_NUMBER:12] [STREET_NAME:Baker Street], [ZIP_CODE:NW1 6XE]", "12 Baker Street, NW1 6XE"),
        ("[STREET_NAME:Calle Mayor], [BUILDING_NUMBER:4]", "Calle Mayor, 4"),
        ("[SECONDARY_ADDRESS:Box 7394], APO AA [ZIP_CODE:94530]", "Box 7394, APO AA 94530"),
        ("the shops in [STREET_NAME:Oxford Street] are full", None),
        ("[BUILDING_NUMBER:12] apples and [ZIP_CODE:70942] pears", None),
        ("I was in [CITY:London]", None),
    ],
)
def test_addresses(text: str, address: str | None) -> None:
    """Two parts of an address close together are an address, whatever the setting for names says."""
    assert found(text, NamePolicy.IGNORE) == ([("contact.address", address)] if address else [])


@pytest.mark.parametrize(
    ("name", "counts"),
    [("ana_ruiz", True), ("Gonzalo", True), ("margaret-s", True), ("mark", True), ("get_weather", False),
     ("mark_done", False), ("assistant", False)],
)  # fmt: skip
def test_who_speaks_is_somebody(name: str, counts: bool) -> None:
    """The name of a message is a person's as a whole, in any spelling; the name of a tool is not."""
    path = "$.messages[2].name"
    expected = [(0, len(name))] if counts else []
    assert [(one.start, one.end) for one in findings_of(path, name, [], NamePolicy.FULL)] == expected
    assert findings_of(path, name, [], NamePolicy.IGNORE) == []


def test_who_is_told_of_beside_a_private_person_is_one() -> None:
    """A first name alone counts where another name of the text does, and a public one still does not."""
    text = "Write to [GIVEN_NAME:Tobias] [SURNAME:Brennan]. [GIVEN_NAME:Sven] left; so did [GIVEN_NAME:Beethoven]."
    assert [words for _, words in found(text, NamePolicy.FULL)] == ["Tobias Brennan", "Sven"]
    assert found("[GIVEN_NAME:Sven] left.", NamePolicy.FULL) == []


def test_numbers_need_digits_and_certainty() -> None:
    """A word that the model takes for an identifier is none; neither is a number that it is not sure of."""
    assert found("call [PHONE:905-674-3793]", NamePolicy.IGNORE) == [("contact.phone", "905-674-3793")]
    assert found("the [TAX_ID:number] of it", NamePolicy.IGNORE) == []
    unsure = [Entity(5, 17, "PHONE", 0.6)]
    assert findings_of("$", "call 905-674-3793", unsure, NamePolicy.ANY) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("My licence is [DRIVERS_LICENSE:SMITH801011AB9]", True),
        ("número de pasaporte [PASSPORT:PAA123456]", True),
        ("git checkout [DRIVERS_LICENSE:da011734c8f10ec1d6472d86c39392248f4927f1]", False),
        ("id: [DRIVERS_LICENSE:0e42d43c-2547-419c-abf8-4914a6a5bc99]", False),
        ("El pedido [GOVERNMENT_ID:55807302A] llega mañana", False),
        ("tracking [TAX_ID:72129972-3003]", False),
    ],
)
def test_a_number_is_an_identifier_only_where_something_says_so(text: str, named: bool) -> None:
    """A number counts only beside a word that says what it is: the model takes a hash for a licence."""
    assert bool(found(text, NamePolicy.ANY)) is named


def test_word_pieces_become_words() -> None:
    """The model's pieces of words are joined, also where overlapping windows label some twice."""
    text = "Ask Krisztián Szöllösy now"
    pieces = [Entity(a, b, "GIVEN_NAME", 0.9) for a, b in ((4, 8), (8, 13))]
    pieces += [Entity(a, b, "SURNAME", 0.9) for a, b in ((14, 18), (18, 22), (14, 22))]
    assert [text[one.start : one.end] for one in joined(pieces, text)] == ["Krisztián", "Szöllösy"]


@pytest.mark.parametrize(
    ("category", "expected"),
    [("health.diagnosis", True), ("contact.email", True), ("financial.iban", True), ("legal.case", True),
     ("network.ip", False), ("custom.project", False)],
)  # fmt: skip
def test_a_name_beside_other_data_is_a_record(category: str, expected: bool) -> None:
    """Also a first name, also where names are ignored, also in another string of the request."""
    _, entities = marked("[GIVEN_NAME:Ana] called")
    named = [("$.a", entity) for entity in entities if is_name(entity)]
    other = Finding(detector="x", category=category, path="$.b", start=0, end=3, confidence=1.0)
    assert [one.category for one in records(named, [other])] == (["person.record"] if expected else [])
    assert records([], [other]) == []


MAIL = "Write to ana@x.es, or to Ana."


@pytest.mark.parametrize(
    ("names", "further", "recorded"),
    [
        ([9], [], []),
        ([9], [("contact.phone", "$.b")], []),
        ([9], [("health.diagnosis", "$.b")], [9]),
        ([25], [], [25]),
        ([9, 25], [], [25]),
    ],
    ids=["an address", "two of them", "an address and an illness", "a name behind it", "both"],
)
def test_a_name_inside_an_address_is_beside_no_contact_data(
    names: list[int], further: list[tuple[str, str]], recorded: list[int]
) -> None:
    """An address is contact data and no record; with somebody's illness beside it, or with a name of its own, it is."""
    found = [Finding(detector="x", category="contact.email", path="$.a", start=9, end=17, confidence=1.0)]
    found += [
        Finding(detector="x", category=category, path=path, start=0, end=3, confidence=1.0)
        for category, path in further
    ]
    named = [("$.a", Entity(start, start + 3, "GIVEN_NAME", 0.9)) for start in names]
    assert [MAIL[start : start + 3].lower() for start in names] == ["ana"] * len(names)
    assert [one.start for one in records(named, found)] == recorded
    elsewhere = [("$.c", entity) for _, entity in named]
    assert [one.path for one in records(elsewhere, found)] == ["$.c"]
