"""Every kind of identifier and secret is found as people write it; what only looks like one is not."""

import pytest

from gateway.privacy import CATEGORIES, Inspector
from tests.privacy.samples import IDENTIFIERS, NEAR_MISSES, SECRETS, sentences

CASES = [*sentences(IDENTIFIERS, 11, 8), *sentences(SECRETS, 12, 8)]
PROSE = [
    ("health.personal", "Me han diagnosticado VIH y no sé cómo decírselo a mi familia."),
    ("health.personal", "I was diagnosed with breast cancer last week."),
    ("health.personal", "Remarks: Margaret Holloway, aged 54, was diagnosed with multiple sclerosis."),
    ("health.personal", "La potencia creció un 6 %.\nObservaciones: Pilar Iglesias Cano, de 28 años, padece epilepsia"),
    ("health.personal", "Ana López (43 años), vecina de Soria, en tratamiento por depresión"),
    (
        "health.record",
        "Varón de 53 años con antecedentes de hipertensión, acude por dolor y fiebre; TAC abdominal normal.",
    ),
    ("health.record", "A 45-year-old woman presented with fever and headache; MRI showed a lesion, she was treated."),
    ("health.record", "Nombre: Ana\nApellidos: Gil\nNHC: 123\nFecha de ingreso: 1/2/2020\nMédico: B. Ruiz"),
    ("id.health", "NHC: 2569870."),
    ("legal.case", "Procedimiento 123/2024 del juzgado de lo social."),
    ("legal.confidential", "Aún no se ha anunciado, pero la empresa va a despedir a 200 personas."),
    ("financial.personal", "Mi nómina es de 2.350 euros."),
    ("id.passport", "My passport is PAA123456."),
    ("financial.card", "CVV: 123"),
    ("financial.card", "CVV: 123 2027"),
    ("financial.card", "CVV 123 1225"),
    ("financial.card", "cvc 456 2028 caducidad"),
    ("financial.card", "CVV: 123-2027"),
    ("financial.card", "CVV (exp 12/27): 123"),
    ("financial.card", "CVV123"),
    ("financial.card", "código de segurança: 123 1227"),
    ("financial.card", "cryptogramme visuel : 123"),
    ("financial.card", "Kartenprüfnummer 123"),
    ("financial.card", "7,Ana,4111111111111111,12/27,123"),
    ("financial.card", "name,4111 1111 1111 1111,2027"),
    ("financial.card", "4111-1111-1111-1111,4111111111111111"),
    ("contact.phone", "Ana,600 123 456,Soria"),
    ("secret.password", "el PIN es 4821"),
    ("secret.password", "[la contraseña es Verano2291!]"),
    ("secret.password", "{la contraseña es Verano2291!}"),
    ("contact.address", "Vivo en la Calle Carmen Romero, 23, 28035 Madrid"),
    ("contact.phone", "Please call me at 541-714-1388."),
    ("financial.crypto", "send to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
]


@pytest.mark.parametrize(("name", "category", "value", "text"), CASES)
def test_planted_value_is_found_where_it_stands(
    inspector: Inspector, name: str, category: str, value: str, text: str
) -> None:
    """Its category is reported, with a span that touches the value."""
    findings = inspector.inspect({"messages": ({"role": "user", "content": text},)}).findings
    begin = text.index(value)
    assert any(f.category.startswith(category) and f.start < begin + len(value) and f.end > begin for f in findings), (
        name,
        text,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Stephen Hawking was diagnosed with motor neurone disease at 21.",
        "A quarter of those aged 54 was diagnosed with it.",
        "El pino, de 57 años, padece procesionaria.",
        "Sevilla Fútbol Club, 130 años, sufre otra derrota en casa. Banco de España, 240 años, padece retrasos.",
        "Women aged 50 to 70 are treated for it; Old Town Hall, aged 300, was repaired.",
    ],
)
def test_an_illness_without_a_named_patient_is_nobodys(inspector: Inspector, text: str) -> None:
    """Facts of medicine and history, where no full name stands beside an age, are no finding."""
    findings = inspector.inspect({"messages": ({"role": "user", "content": text},)}).findings
    assert not [finding for finding in findings if finding.category == "health.personal"]


@pytest.mark.parametrize("bank", ["539007547034", "999007547017", "096123456769"])
def test_a_belgian_account_is_found_whoever_its_bank_is(inspector: Inspector, bank: str) -> None:
    """Lists of banks age: a number of a new one is somebody's account like any other."""
    check = 98 - int(f"{bank}111400") % 97
    findings = inspector.inspect({"prompt": f"Huur naar BE{check:02} {bank} voor vrijdag"}).findings
    assert [finding.category for finding in findings] == ["financial.iban"]


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_only_looks_like_it_is_not_reported(inspector: Inspector, text: str) -> None:
    """Wrong check digits, hashes, identifiers in code, placeholders, topics without a person."""
    assert inspector.inspect({"prompt": text}).findings == ()


@pytest.mark.parametrize(("category", "text"), PROSE)
def test_records_and_confidences_are_found_by_context(inspector: Inspector, category: str, text: str) -> None:
    """Records and confidences are found by words about somebody, without any number that has a check digit."""
    assert category in {f.category for f in inspector.inspect({"prompt": text}).findings}


@pytest.mark.parametrize("text", [case[3] for case in CASES] + list(NEAR_MISSES) + [text for _, text in PROSE])
def test_with_and_without_hyperscan_the_findings_are_equal(
    inspector: Inspector, plain_inspector: Inspector, text: str
) -> None:
    """With and without Hyperscan the findings are equal: the fast pass only proposes."""
    document = {"messages": ({"role": "user", "content": text},)}
    fast, plain = inspector.inspect(document), plain_inspector.inspect(document)
    assert (fast.findings, fast.doubts) == (plain.findings, plain.doubts)


def test_every_finding_belongs_to_the_documented_categories(inspector: Inspector) -> None:
    """Policies map these names; one that they don't know would have no label of its own."""
    found = {f.category for case in CASES for f in inspector.inspect({"p": case[3]}).findings}
    assert found <= set(CATEGORIES)
