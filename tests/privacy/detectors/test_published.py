"""Values that documentation publishes are nobody's: they may leave. What stands beside them may not."""

import tomllib
from importlib.resources import files

import pytest

from gateway.privacy import Inspector
from gateway.privacy.categories import CATEGORIES
from gateway.privacy.detectors.registry import DETECTORS

SAMPLES = [
    "aws configure set aws_access_key_id AKIAIOSFODNN7EXAMPLE",
    "curl -H 'Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' http://localhost",
    "In the Adyen sandbox use 5555 3412 4444 1115 and cvc 737, exp 03/30.",
    "Unit test: expect(isValid('GB82WEST12345698765432')).toBe(true)",
    "SSN placeholder 123-45-6789 in the mock form",
    "Ofcom keeps 07700 900123 for films",
    "CPF de exemplo: 111.444.777-35 para testar o validador",
    "NIE Y1234567X de ejemplo, y el DNI 00000000T",
    "numéro fictif 06 39 98 12 34 pour le film",
    "In der Doku: IBAN DE75512108001245126199 als Beispiel",
    "Codice fiscale RSSMRA80A01H501U di esempio",
    "Disque 100, SAMU 192, CVV 188: põe os três num cartaz",
]
BESIDE = [
    ("financial.card", "test cards: 4242 4242 4242 4242, and mine is 4539 1488 0343 6467"),
    ("financial.iban", "ejemplo ES91 2100 0418 4502 0005 1332, la mía ES74 0182 6473 9602 0156 6782"),
    ("id.national", "de ejemplo 12345678Z y el de verdad 53287461A"),
    ("financial.card", "Pay with 4242 4242 4242 4242 and send it to my flat"),
    ("id.national", "Mi DNI es 12345678Z"),
    ("id.national", "Mi DNI es 12345678Z, mándame los docs"),
    ("id.national", "my ssn is 123-45-6789, the doctor wants tests"),
    ("contact.phone", "Me hice la prueba de embarazo, llámame al 999 123 4567"),
    ("contact.phone", "Call me about the film at 999-123-4567"),
    ("contact.phone", "call me at (212) 555-0142 for the test results"),
    ("contact.phone", "La doc está en el ejemplo.\nLlámame al 212-555-0142"),
    ("id.national", "Read the manual first.\n" + "Then " * 20 + "and the DNI 12345678Z"),
    (
        "id.national",
        "He gave me this one: DNI 12345678Z" + ", as he said" * 8 + ", in a test",
    ),
    ("secret.password", "example user Aladdin, and our own login: password = Nieve44!azul"),
]


@pytest.mark.parametrize("text", SAMPLES)
def test_published_sample_may_leave(inspector: Inspector, text: str) -> None:
    """Keys of manuals, test cards, accounts of registries, numbers of films, help lines."""
    inspection = inspector.inspect({"prompt": text})
    assert (inspection.findings, inspection.doubts) == ((), ())


@pytest.mark.parametrize(("category", "text"), BESIDE)
def test_what_stands_beside_a_sample_is_found(inspector: Inspector, category: str, text: str) -> None:
    """A real number beside a sample counts, and so does a sample's number that nobody calls one."""
    assert category in {finding.category for finding in inspector.inspect({"prompt": text}).findings}


def test_every_row_names_its_source() -> None:
    """Whoever reads the table sees where a sample was published, and what it is no find of."""
    rows = tomllib.loads(files("gateway.privacy").joinpath("data/published_samples.toml").read_text("utf-8"))["samples"]
    assert all(row["source"] and (row.get("values") or row.get("ranges")) for row in rows)
    known = {detector.name for detector in DETECTORS} | {
        part for name in CATEGORIES for part in (name, name.split(".")[0])
    }
    assert all(row["silences"] and known.issuperset(row["silences"]) for row in rows)


def test_a_hit_near_the_end_of_a_text_is_looked_at(inspector: Inspector) -> None:
    """Looking for a sample's other letters stops where the text does."""
    text = '{"ana.lopez@clinica-sol.es": "ana.lopez@clinica-sol.es", "ANA.LOPEZ@CLINICA-SOL.ES": "12345678Z"}'
    seen = inspector.inspect({"p": text})
    assert {finding.category for finding in seen.findings} == {"contact.email", "id.national"}
    assert seen.doubts == ()


def test_a_code_of_three_digits_is_a_sample_beside_its_card_alone(inspector: Inspector) -> None:
    """Anybody's card may have the code that a provider's documentation gives to its test cards."""
    seen = inspector.inspect({"p": "my card for PayPal expires 03/30, cvv 737"})
    assert [finding.detector for finding in seen.findings] == ["card_code"]
