"""Masking: what is replaced, what can't be, and that nothing of it is found again or lost."""

import json
import random
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.core.document import freeze_object, strings, thaw
from gateway.core.finding import Finding
from gateway.privacy import InspectionSettings, Inspector
from gateway.privacy.categories import CATEGORIES, covered, maskable
from gateway.privacy.masking.mask import Masked, foreign, mask
from gateway.privacy.masking.pseudonyms import PseudonymEntry, Pseudonyms
from gateway.privacy.masking.residue import has_residue
from gateway.privacy.masking.unmask_text import PseudonymMapping
from tests.privacy import samples

ALL = ("contact", "person", "id", "financial", "network", "custom", "health", "legal")
MAIL, PHONE, IBAN, DNI = "ana.lopez@clinica-sol.es", "+34 612 345 678", "ES91 2100 0418 4502 0005 1332", "12345678Z"
SLOW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def pick_with(seed: int = 1):
    return random.Random(seed).randrange


def said(text: str, **more: object):
    return freeze_object({"model": "auto", "messages": [{"role": "user", "content": text}], **more})


def masked(inspector: Inspector, document, known=(), seed: int = 1) -> Masked | None:
    findings = [found for found in inspector.inspect(document).findings if covered(found.category, ALL)]
    return mask(document, findings, known, pick_with(seed), "es")


def content(result: Masked) -> str:
    return thaw(result.document)["messages"][0]["content"]


def test_values_give_way_to_pseudonyms_of_their_shape(inspector):
    """An e-mail stays an e-mail (of nobody), a telephone keeps country and grouping, an account its country."""
    result = masked(inspector, said(f"Escribe a {MAIL}, llama al {PHONE}, paga a {IBAN}. DNI {DNI}."))
    text = content(result)
    for value in (MAIL, PHONE, IBAN, DNI):
        assert value not in text
    shown = {entry.original: entry.pseudonym for entry in result.entries}
    assert shown[MAIL].endswith("@mail.invalid")
    assert shown[PHONE].startswith("+34 6XX XXX ")
    assert shown[IBAN].startswith("ESXX XXXX ")
    assert len(shown[DNI]) == len(DNI)
    assert dict(result.counts) == {"contact.email": 1, "contact.phone": 1, "financial.iban": 1, "id.national": 1}


def test_a_masked_document_is_clean_and_comes_back(inspector):
    """A masked document has no findings when inspected again, and restored it is what it was."""
    document = said(f"Escribe a {MAIL} o {MAIL.upper()}, llama al {PHONE} ({PHONE.replace(' ', '')}). {IBAN} {DNI}")
    result = masked(inspector, document)
    assert inspector.inspect(result.document).findings == ()
    assert PseudonymMapping(result.entries).whole(content(result)) == thaw(document)["messages"][0]["content"]


def test_spellings_of_one_value_share_a_code_and_come_back_as_written(inspector):
    """The reader sees that they are the same number; each returns in its own spelling."""
    document = said(f"Tel. {PHONE}, o sea 612345678, o 612-345-678. Correo {MAIL} y {MAIL.upper()}.")
    result = masked(inspector, document)
    codes = {entry.code for entry in result.entries if entry.category == "contact.phone"}
    assert len(codes) == 1
    assert len({entry.code for entry in result.entries if entry.category == "contact.email"}) == 1
    assert PseudonymMapping(result.entries).whole(content(result)) == thaw(document)["messages"][0]["content"]


def test_every_place_of_the_document_is_masked(inspector):
    """Keys, names, metadata, the user field, tools, arguments and results; arguments stay valid JSON."""
    arguments = json.dumps({"to": MAIL, "note": f'say "hi" to {MAIL}', "nested": json.dumps({"deep": MAIL})})
    document = freeze_object(
        {
            "model": "auto",
            "user": MAIL,
            "metadata": {MAIL: "owner"},
            "stop": [MAIL],
            "x-unknown": [[MAIL]],
            "messages": [
                {"role": "user", "name": "ana", "content": [{"type": "text", "text": f"mail {MAIL}"}]},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "send", "arguments": arguments}}]},
                {"role": "tool", "tool_call_id": "1", "content": json.dumps({"sent": [MAIL]})},
            ],
            "tools": [{"type": "function", "function": {"name": "send", "description": f"as {MAIL}"}}],
        }
    )  # fmt: skip
    result = masked(inspector, document)
    assert MAIL not in str(thaw(result.document))
    assert inspector.inspect(result.document).findings == ()
    call = thaw(result.document)["messages"][1]["tool_calls"][0]["function"]["arguments"]
    pseudonym = next(entry.pseudonym for entry in result.entries)
    assert json.loads(call)["note"] == f'say "hi" to {pseudonym}'
    assert json.loads(json.loads(call)["nested"]) == {"deep": pseudonym}
    mapping = PseudonymMapping(result.entries)
    assert [mapping.whole(text) for _, text in strings(result.document)] == [text for _, text in strings(document)]


def test_escapes_of_json_inside_a_string_are_no_hiding_place():
    """Tool results are often written with \\u escapes: what they mean is masked."""
    words = Inspector(InspectionSettings(words={"patient": ("José Núñez",)}))
    document = said(json.dumps({"patient": "José Núñez"}))
    result = mask(document, words.inspect(document).findings, (), pick_with(), "es")
    assert json.loads(content(result)) == {"patient": result.entries[0].pseudonym}
    assert words.inspect(result.document).findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "look: YW5hLmxvcGV6QGNsaW5pY2Etc29sLmVz",
        "look: https://x.example/?m=ana.lopez%40clinica-sol.es",
        "mi cuenta es ES91 2100 0418 4502\n0005 1332",
        f"mi cuenta es {IBAN}\no sea ES91 2100 0418 4502\n0005 1332",
    ],
)
def test_what_is_encoded_or_broken_over_lines_can_not_be_masked_in_place(inspector, text):
    """For encoded or broken values there is no masked document, or one in which they are found again."""
    document = said(text)
    assert inspector.inspect(document).findings
    result = masked(inspector, document)
    assert result is None or inspector.inspect(result.document).findings


def test_numbers_are_left_and_found_again(inspector):
    """A card as a JSON number has no pseudonym: what is left over keeps the request at home."""
    document = freeze_object({"model": "auto", "messages": [], "metadata": {"card": 4111111111111111}})
    result = masked(inspector, document)
    assert result is None or inspector.inspect(result.document).findings


def test_secrets_are_never_masked(inspector):
    """A secret is never masked, whatever categories are asked for."""
    document = said("export OPENAI_API_KEY=sk-proj-" + "aB3dE5fG7h" * 5)
    findings = inspector.inspect(document).findings
    assert findings
    assert all(not covered(found.category, ("secret", "contact")) for found in findings)
    assert mask(document, findings, (), pick_with()) is None
    assert not maskable("secret.api_key")


def test_text_that_looks_like_a_pseudonym_survives(inspector):
    """What the user wrote is never taken for a pseudonym: another one is chosen, also instead of one known before."""
    first = masked(inspector, said(f"Correo: {MAIL}"))
    taken = first.entries[0].pseudonym
    document = said(f"Correo: {MAIL}. No lo confundas con {taken} ni con {taken.upper()}.")
    again = masked(inspector, document, known=first.entries)
    assert again.entries[0].pseudonym != taken
    assert PseudonymMapping(again.entries).whole(content(again)) == thaw(document)["messages"][0]["content"]


def test_a_conversation_keeps_its_pseudonyms_and_another_one_has_others(inspector):
    """What was masked is masked alike in later turns, also where inspection would not see it there."""
    first = masked(inspector, said(f"Correo: {MAIL}"), seed=1)
    again = masked(inspector, said(f"Y el otro {PHONE}; {MAIL}"), known=first.entries, seed=2)
    assert first.entries[0] in again.entries
    assert masked(inspector, said(f"Correo: {MAIL}"), seed=3).entries != first.entries
    entry = PseudonymEntry(original="Ana", pseudonym="Persona-K47", category="person.name", code="K47")
    later = mask(said("Ana y Anabel, ANA"), (), (entry,), pick_with(), "es")
    assert content(later) == "Persona-K47 y Anabel, PERSONA-K47"


def named(document, *names: str, category: str = "person.name"):
    """Findings of names, at their first places."""
    for path, text in strings(document):
        for name in names:
            if name in text:
                at = text.index(name)
                yield Finding(
                    detector="ner", category=category, path=path, start=at, end=at + len(name), confidence=1.0
                )


FULL = ("Marta Urrutia", "Pedro Urrutia", "Marta de la Fuente", "Juan Luis Pérez Gil", "marta urrutia")


@pytest.mark.parametrize(
    "text",
    [
        "Marta Urrutia vino. Marta habló con M. Urrutia y URRUTIA, no con su hermana.",
        "Marta Urrutia y Pedro Urrutia. Urrutia no vino, Pedro sí, P. Urrutia tampoco.",
        "Marta de la Fuente. La Sra. de la Fuente dice que Marta no. Fuente, M.",
        "Juan Luis Pérez Gil: J. L. Pérez, J.L. Pérez, Juan Pérez, Luis, Gil.",
        "dile a marta urrutia que marta y urrutia no vengan",
    ],
)
def test_a_known_person_is_masked_by_any_of_the_names(text):
    """Parts and initials of a full name give way too, share its code, and come back as they were written."""
    document = said(text)
    whole = [
        name
        for name in ("Marta Urrutia", "Pedro Urrutia", "Marta de la Fuente", "Juan Luis Pérez Gil", "marta urrutia")
        if name in text
    ]
    result = mask(document, list(named(document, *whole)), (), pick_with(), "es")
    for word in ("marta", "urrutia", "pedro", "fuente", "pérez", "juan", "luis", "gil"):
        assert word not in content(result).lower()
    assert not has_residue(result.document, [entry.original for entry in result.entries], words=result.parts)
    codes = {entry.code[:3] for entry in result.entries}
    assert len(codes) == len(whole)
    assert PseudonymMapping(result.entries).whole(content(result)) == text


def test_a_first_name_that_was_found_too_is_the_same_person():
    """The reader of the masked text sees that Marta is Marta Urrutia."""
    document = said("Marta Urrutia vino. A Marta no le gusta.")
    findings = [*named(document, "Marta Urrutia"), Finding(
        detector="ner", category="person.name", path="$.messages[0].content", start=22, end=27, confidence=1.0
    )]  # fmt: skip
    result = mask(document, findings, (), pick_with(), "es")
    assert len({entry.code[:3] for entry in result.entries}) == 1


def test_others_of_the_same_surname_are_masked_as_others():
    """A relative whom nobody found has a pseudonym too, and it is another one."""
    document = said("Adrián Haddad y Zulema Haddad comparten piso. Zulema no paga a Adrián.")
    result = mask(document, list(named(document, "Adrián Haddad")), (), pick_with(), "es")
    assert "Zulema" not in content(result)
    assert len({entry.code[:3] for entry in result.entries}) == 2


def test_a_surname_that_is_a_word_leaves_the_word_alone():
    """`Green` is masked, green tea is not."""
    document = said("Write to Alice Green about green tea. Green will like it.")
    result = mask(document, list(named(document, "Alice Green")), (), pick_with(), "en")
    assert "about green tea" in content(result)
    assert "Green" not in content(result)
    later = mask(document, list(named(document, "Alice Green")), result.entries, pick_with(2), "en")
    assert content(later) == content(result)


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("La paciente Marta Urrutia está cansada", "Señora-"),
        ("El alumno Marta Urrutia", "Señor-"),
        ("Escribe a don Marta Urrutia", "Señor-"),
        ("Mi compañera Marta Urrutia", "Señora-"),
        ("Confío en Marta Urrutia", "Persona-"),
    ],
)
def test_a_gender_that_the_text_shows_stays(text, noun):
    """In Spanish the pseudonym agrees with the article or noun before the name."""
    document = said(text)
    result = mask(document, list(named(document, "Marta Urrutia")), (), pick_with(), "es")
    assert noun in content(result)


def test_a_short_spanish_text_gets_spanish_pseudonyms():
    """Where the language is not known, letters and words of Spanish say it."""
    document = said("Escribe a Marta Urrutia")
    assert "Persona-" in content(mask(document, list(named(document, "Marta Urrutia")), (), pick_with(), ""))


def test_what_was_put_there_is_no_finding(inspector):
    """A detector that takes a pseudonym for a name finds nobody's data; one that reaches further does."""
    document = said(f"Correo: {MAIL} hoy")
    result = masked(inspector, document)
    at = content(result).index(result.entries[0].pseudonym)
    end = at + len(result.entries[0].pseudonym)
    finding = inspector.inspect(document).findings[0]
    inside = type(finding)(detector="ner", category="person.name", path=finding.path, start=at, end=end, confidence=0.9)
    beyond = type(finding)(
        detector="ner", category="person.name", path=finding.path, start=at, end=end + 4, confidence=0.9
    )
    assert foreign([inside, beyond], result) == (beyond,)


def test_keys_that_would_become_one_are_not_masked(inspector):
    """Two spellings of a key that pseudonyms can't tell apart: no masked document rather than a lost value."""
    document = freeze_object({"model": "auto", "messages": [], "metadata": {MAIL: 1, "other": 2}})
    result = masked(inspector, document)
    assert len(thaw(result.document)["metadata"]) == 2


GENERATORS = [
    getattr(samples, name) for name in dir(samples)
    if name.startswith(("a_", "an_")) and callable(getattr(samples, name))
]  # fmt: skip
CONTEXTS = (
    "{}", "DNI: {}", "pasaporte {}", "tarjeta {} caduca 12/29", "IBAN {}", "llama al {}", "my phone number is {}",
    "email {}", "matrícula {}", "paciente {}, nº de historia", "Dear {}, your account",
    "ssn {}", "NHS number {}", "nuestro expediente {}", '{{"id": "{}"}}', "server {} port 22",
    "number plate {}", "wallet {}", "card {} cvv 123", "NIF {}", "mi cuenta {}", "dirección: {}",
)  # fmt: skip


@SLOW
@given(
    category=st.sampled_from([category for category in CATEGORIES if maskable(category)] + ["person.name", "custom.x"]),
    seed=st.integers(0, 10**6),
    context=st.sampled_from(CONTEXTS),
    name=st.sampled_from(["María García López", "MARÍA", "ana", "Calle Mayor 3, 2º B", "Proyecto Halcón"]),
    language=st.sampled_from(["es", "en"]),
)
def test_tier_0_finds_no_pseudonym(inspector, category, seed, context, name, language):
    """Of any shape, for any category, beside any word that makes numbers look like something.

    (Behind `password:` anything at all is a secret, and secrets stay at home anyway.)
    """
    rng = random.Random(seed)
    value = rng.choice([name, *(generator(rng) for generator in GENERATORS), MAIL, PHONE])
    pseudonym = Pseudonyms((), "", rng.randrange, language).of(value, category).pseudonym
    document = said(context.format(pseudonym))
    left = said(context.format("nothing"))
    assert len(inspector.inspect(document).findings) <= len(inspector.inspect(left).findings), (value, pseudonym)


PIECES = st.lists(
    st.sampled_from([MAIL, MAIL.upper(), PHONE, "612345678", IBAN, DNI, "Persona-K47", "k47@mail.invalid", "6XX", " ",
                     ". ", "\n", "é", "«", "Ana", "XXXX XXXX", "{", '"']),
    max_size=12,
)  # fmt: skip


@SLOW
@given(PIECES, st.integers(0, 1000))
def test_restoring_a_masked_text_gives_the_text(inspector, pieces, seed):
    """Masking and then restoring gives the same text, whatever it looks like."""
    text = " ".join(pieces)
    result = masked(inspector, said(text), seed=seed)
    if result is not None:
        assert PseudonymMapping(result.entries).whole(content(result)) == text


def test_a_document_is_never_changed():
    """Masking leaves the original document as it was."""
    document = said("nothing here")
    result = mask(document, (), (), pick_with())
    assert result.document == document
    assert isinstance(result.document, MappingProxyType)


VALUES = st.sampled_from([MAIL, MAIL.upper(), PHONE, "612345678", "612-345-678", IBAN, DNI, f"a {MAIL}, b {PHONE}."])
PLAIN = st.sampled_from(["", "hola", "Persona-K47", "é", '"', "\\", "{", "[1]", '{"a": 1}', "line\nbreak"])
TEXTS = st.one_of(VALUES, PLAIN, st.tuples(PLAIN, VALUES, PLAIN).map(" ".join))
TREES = st.recursive(
    st.one_of(TEXTS, st.integers(-9, 9), st.none(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(TEXTS, inner, max_size=3),
        st.dictionaries(TEXTS, inner, max_size=3).map(json.dumps),
        st.dictionaries(TEXTS, inner, max_size=3).map(lambda value: json.dumps(value, ensure_ascii=False)),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("behind", [" line break", " to pay now", ".ABC", " 2024"])
def test_words_behind_an_account_number_stay_as_they_are(inspector, behind):
    """Account numbers of other countries are longer, so that four letters behind this one could be a part of it."""
    result = masked(inspector, said(f"Pay {IBAN}{behind}"))
    assert [entry.original for entry in result.entries] == [IBAN]
    assert content(result).endswith(behind)


@pytest.mark.parametrize("value", [IBAN, "DE44500105175407324931", "FR14 2004 1010 0505 0001 3M02 606", DNI])
@pytest.mark.parametrize("lines", ["To:\n{}\nby Friday", "Account: {}\nBIC later", "- {}\n- 2500 kr\n"])
def test_a_value_at_the_end_of_a_line_is_masked_and_comes_back(inspector, value, lines):
    """What stands whole in a line is not also taken for a value that goes on in the next one."""
    text = lines.format(value)
    result = masked(inspector, said(text))
    assert [entry.original for entry in result.entries] == [value]
    assert inspector.inspect(result.document).findings == ()
    assert PseudonymMapping(result.entries).whole(content(result)) == text


def test_a_value_over_two_lines_of_a_json_text_stays_whole(inspector):
    """Line ends inside a value are never taken along, not even one that is written as an escape of JSON inside JSON."""
    nested = json.dumps({MAIL: json.dumps({f"{IBAN[:14]}\n{IBAN[15:]}": "hola"})})
    assert masked(inspector, said("hola", extra=nested)) is None


@SLOW
@example(json.dumps({MAIL: json.dumps({f"Persona-K47 {IBAN} line\nbreak": f"hola {MAIL} "})}), 0)
@given(TREES, st.integers(0, 1000))
def test_no_value_is_left_anywhere_in_a_masked_document(inspector, tree, seed):
    """Values, keys, nested JSON: nothing is found or read again, and every string comes back as it was (as JSON)."""
    document = said("hola", extra=tree)
    result = masked(inspector, document, seed=seed)
    if result is None:
        return
    assert inspector.inspect(result.document).findings == ()
    assert not has_residue(result.document, [MAIL, PHONE, IBAN, DNI])
    mapping = PseudonymMapping(result.entries)
    before, after = [text for _, text in strings(document)], [text for _, text in strings(result.document)]
    assert len(before) == len(after)
    for text, sent in zip(before, after, strict=True):
        assert _read(mapping.whole(sent)) == _read(text)
        assert (_read(sent) is None) is (_read(text) is None), "JSON stays JSON"


def _read(text: str) -> object:
    """The text, or what it means as JSON, down to JSON inside JSON: escapes may be written in another way."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return _deeper(json.loads(text))
    except ValueError:
        return None


def _deeper(value: object) -> object:
    match value:
        case str():
            meant = _read(value)
            return value if meant is None else meant
        case list():
            return [_deeper(item) for item in value]
        case dict():
            return {key: _deeper(item) for key, item in value.items()}
        case _:
            return value


@pytest.mark.parametrize("before", ["\n", "\t", "\r\n", "\u201c", "say:\n\n"])
@pytest.mark.parametrize("value", [MAIL, PHONE, IBAN, DNI])
def test_what_stands_behind_an_escape_comes_back(inspector, before, value):
    """In JSON, and in JSON inside JSON, a value at the beginning of a line is restored like any other."""
    once = json.dumps({"note": before + value})
    document = said("hola", extra=[once, json.dumps({"deep": once})])
    result = masked(inspector, document)
    mapping = PseudonymMapping(result.entries)
    sent = thaw(result.document)["extra"]
    assert value not in "".join(sent)
    assert [_read(mapping.whole(text)) for text in sent] == [_read(text) for text in thaw(document)["extra"]]
