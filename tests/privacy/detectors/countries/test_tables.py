"""Numbers of all countries are found with the words that people use; amounts and words that mean more are not."""

# ruff: noqa: E501 - a row in one piece can be read

import random
from pathlib import Path

import pytest
from stdnum.util import get_cc_module

from gateway.core.document import freeze_object
from gateway.privacy import Inspector
from gateway.privacy.detectors.countries import page
from gateway.privacy.detectors.countries.tables import NUMBERS
from gateway.privacy.masking.mask import mask
from tests.privacy.detectors.countries.sentences import sentences, valid_numbers

# Numbers of which python-stdnum has no module: made up, with a right check digit where there is one.
OWN = {
    "bic": "DEUTDEFF500", "bo.ci": "6845213 LP", "br.rg": "24.678.131-4", "br.pis": "12056412545", "br.cns": "898001160660761", "br.titulo": "1234 5678 0191",
    "ca.ohip": "1234-567-890-AB", "ca.ramq": "TREM 8501 1512", "co.cedula": "1.020.345.678", "gt.cui": "2345 67007 0101", "hn.dni": "0801-1990-12345",
    "mx.nss": "1234 5678 903", "mx.clabe": "032180000118359719", "mx.elector": "GMVLMR80070501M100", "ni.cedula": "001-010180-0001A", "pa.cedula": "8-123-4567",
    "py.ci": "4.123.456", "sv.dui": "02345678-3", "us.mbi": "1EG4-TE5-MK73", "uy.ci": "1.234.567-2", "ve.cedula": "V-12.345.678",
    "de.kvnr": "A123456780", "de.rvnr": "15 070649 C 103", "de.ausweis": "L01X00T471", "fr.cni": "880692310285", "gb.sort_code": "20-45-77", "it.tessera": "80380001234567890123",
    "it.cie": "CA31426AB", "pl.dowod": "ABS 123456", "pt.niss": "12345678901", "pt.utente": "123456789", "au.medicare": "2123 45670 1", "hk.hkid": "A123456(3)",
    "ma.cin": "BE123456", "nz.nhi": "ZAC5361", "ph.philsys": "1234-5678-9012", "sg.nric": "S1234567D", "tw.id": "A123456789", "vn.cccd": "001099012345",
    "es.cae": "ES00008V1488Q", "mu.nid": "M2408760300077", "gr.vat": "094259216", "de.stnr": "181/815/08155", "ie.vat": "IE6433435F",
}  # fmt: skip
OWN |= {
    "all.passport": "C01X00T47", "all.licence": "L-123456 7", "all.plate": "AB-123-CD", "all.national": "440514 01359", "all.tax": "12/345/67890", "all.health": "1234-567-890", "all.account": "0012345678",
}  # fmt: skip
DOCUMENTS = (
    "My passport number is 533401234", "Mi pasaporte es AAB123456", "Passeport n° 12AB34567", "Mein Reisepass hat die Nummer C01X00T47",
    "il mio passaporto YA1234567", "O meu passaporte é CB123456", "Reisepassnummer: C01X00T478", "passaport: PAB123456",
    "paspoortnummer NX1234567", "pasaporte mexicano G12345678", "my driver's license is D1234567", "Driver license no. S530-4607-8901",
    "permis de conduire n° 880192310285", "Führerscheinnummer B072RRE2I55", "patente di guida U1X123456Z", "carta de condução L-123456 7",
    "CNH 04512345678", "licencia de conducir 12345678", "permiso de conducción 12345678Z", "brevete Q12345678",
    "rijbewijsnummer 5123456789", "driving licence MORGA657054SM9IJ", "license plate 7ABC123", "my number plate is AB12 CDE",
    "La patente de mi auto es AB 123 CD", "placa ABC-1234", "mi placa es ABC123", "placas ABC-12-34",
    "Targa: AB123CD", "ma plaque AB-123-CD", "immatriculée AB-123-CD", "Kennzeichen B-AB 1234",
    "Mein KFZ-Kennzeichen ist M-XY 987", "matrícula AA-12-BB", "kenteken 12-ABC-3", "patente BBCC-12",
    "placa BRA2E19", "placa P1A-123", "My national ID number is 44051401359", "Health card number 1234-567-890",
    "numéro de compte 00012345678", "Kontonummer 1234567890", "numero di conto 000012345678", "tarjeta sanitaria europea 80724000012345678901",
    "Versichertennummer A123456780", "número de afiliación 281234567840", "social security number: 123456789", "my tax number is 12/345/67890",
    "conta corrente 12345-6", "CLABE 032180000118359719", "transfiere a la cuenta 032180000118359719", "CBU 2850590940090418135201",
    "NSS 1234 5678 903", "PIS 120.56412.54-5", "INE clave de elector GMVLMR80070501M100", "cédula 1.020.345.678",
    "C.C. 1020345678", "mi carnet de identidad es 6845213 LP", "DUI 02345678-3",
)  # fmt: skip
NO_DOCUMENTS = (
    "passport control opened 12/03/2024", "The passport office handled 123456 applications", "Führerschein seit 12.03.2019", "Der Führerschein kostet 2500 Euro, Klasse B196",
    "la placa base AB123CD falla", "Arduino placa UNO123", "plate ABC 1234 for ELISA", "targa commemorativa 1905",
    "patente 1234567 registrada en 1999", "coche de 2019 con 120 CV", "El coche mide 4500 mm", "registration fee 12.50",
    "voiture 2 portes 1600 cm3", "health budget 123456789 euros", "account for 12345 trips", "bank account balance 1.234,56 €",
    "tax number crunching takes 3 hours", "member id field is an INT32", "reg AX BX 1234", "registration opens 2024-01-15",
    "driver's license test has 40 questions", "moto GP 2024 round 15", "tax code section 401 K", "VAT no longer applies in 2024",
    "plates 12 and 24", "identity card law of 2006",
)  # fmt: skip
_SENTENCES = tuple(sentences())
_ROWS = tuple((number, word) for number in NUMBERS if number.words for word in number.words.split("|"))


def found(inspector: Inspector, text: str, value: str) -> set[str]:
    """Return the categories that are found where the value stands."""
    begin = text.index(value)
    findings = inspector.inspect({"messages": ({"role": "user", "content": text},)}).findings
    return {finding.category for finding in findings if finding.start < begin + len(value) and finding.end > begin}


def sample(module: str) -> str:
    """Return a valid number of a row."""
    if module in OWN:
        return OWN[module]
    country, _, name = module.partition(".")
    numbers = valid_numbers(get_cc_module(country, name))
    return numbers[0] if module != "de.vat" else "DE136695976"


@pytest.mark.parametrize(("module", "number", "text"), _SENTENCES)
def test_a_number_is_found_in_peoples_sentences(inspector: Inspector, module: str, number: str, text: str) -> None:
    """Whatever it counts as, the request stays at home."""
    if (module, number) in {("de.vat", "DE 136,695 976"), ("is_.vsk", "IS 00621")} or "documento: 20" in text:
        pytest.skip("a comma in a number, a number of five digits, and a bare 'documento' mean other things more often")
    assert found(inspector, text, number), text


@pytest.mark.parametrize(("number", "word"), _ROWS, ids=lambda value: getattr(value, "module", value))
def test_each_word_of_a_row_finds_its_number(inspector: Inspector, number: object, word: str) -> None:
    """The table promises it: this word, then this number, is the row's category or one that is as strict."""
    value = sample(number.module)  # type: ignore[attr-defined]
    categories = found(inspector, f"{word.removesuffix('!')}: {value}", value)
    assert any(name.split(".")[0] in ("id", "financial") for name in categories), (word, value, categories)


@pytest.mark.parametrize("number", [row for row in NUMBERS if not row.words], ids=lambda row: row.module)
def test_a_row_without_words_finds_its_number_alone(inspector: Inspector, number: object) -> None:
    """Its form is like nothing else's."""
    for value in ("K1234567L", "L7654321J", "M3456789G"):
        assert number.category in found(inspector, f"NIF {value} y punto", value)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("category", "value"),
    [
        ("id.tax", "20-05536168-2"), ("id.national", "390.533.447-05"), ("id.tax", "16.727.230/0001-97"), ("id.national", "12.531.909-2"), ("id.tax", "213.123.432-1"),
        ("id.national", "BOXW310820HNERXN09"), ("id.tax", "VACE460910SX6"), ("id.national", "001-1391820-5"), ("id.tax", "V-11470283-4"), ("id.health", "2 95 10 99 126 111 93"),
        ("id.health", "756.9217.0769.85"), ("id.tax", "RCCMNL83S18D969H"), ("id.national", "131052-308T"), ("id.national", "85.07.30-033.28"), ("id.national", "360426199101010071"),
        ("id.national", "971013-9019902"), ("id.tax", "27AAPFU0939F1ZV"), ("id.national", "151086 95088"),
    ],
)  # fmt: skip
def test_a_form_that_nothing_else_has_needs_no_word(inspector: Inspector, category: str, value: str) -> None:
    """A table of customers has no words beside its numbers."""
    assert category in found(inspector, f"A. Díaz | {value} | Quito", value)


@pytest.mark.parametrize(
    "text",
    [
        "VAT is 21% on 230616858 units", "TVA 20% sur 588 282 394", "uid=191109150 gid=230241756", "UID 957581378 in /etc/passwd", "Le PIB est de 8 048 552 420 euros",
        "math.sin 123456782", "pan de 500 g, lote 123456782", "nif file, 445986840 bytes", "chip 520319531 on board", "La población pasó de 3.199.032 a 44.796.902 habitantes",
        "Documento 2024-01-15 revisado", "DNI caducado el 12/03/2024", "CI run 48291034 failed", "ARABIC LETTER LAM ISOLATED FORM", "CPF 390.533.447-06 inválido", "CURP BOXW310820HNERXN08",
    ],
)  # fmt: skip
def test_amounts_and_words_that_mean_more_are_no_number(inspector: Inspector, text: str) -> None:
    """Over-blocking is a fault as well."""
    assert inspector.inspect({"prompt": text}).findings == ()


@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_document_is_found_behind_its_name(inspector: Inspector, text: str) -> None:
    """Passports, licences, plates and cards, in eight languages."""
    assert inspector.inspect({"prompt": text}).findings


@pytest.mark.parametrize("text", NO_DOCUMENTS)
def test_what_is_said_about_documents_is_none(inspector: Inspector, text: str) -> None:
    """Dates, amounts, boards and laws."""
    assert inspector.inspect({"prompt": text}).findings == ()


@pytest.mark.parametrize(("module", "number", "text"), _SENTENCES)
def test_a_masked_number_is_found_no_more(inspector: Inspector, module: str, number: str, text: str) -> None:
    """What stands for a number looks like one to a person, and like none to inspection."""
    document = freeze_object({"messages": [{"role": "user", "content": text}]})
    result = mask(document, inspector.inspect(document).findings, (), random.Random(3).randrange, "es")
    assert result is not None
    assert inspector.inspect(result.document).findings == ()


def test_the_page_is_current() -> None:
    """Made again by `python -m gateway.privacy.detectors.countries.page > docs/identifiers.md`."""
    root = Path(page.__file__).parents[4]
    assert (root / "docs" / "identifiers.md").read_text("utf-8") == page.page()
