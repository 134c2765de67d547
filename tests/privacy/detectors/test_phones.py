"""Telephones are found as people write them in each country; amounts, dates and scores are none."""

# ruff: noqa: E501 - a table is read by its rows

from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from gateway.privacy import Inspector

SAID = {
    "es": ("Llámame al {}", "Mi cel es {}", "Tel.: {}", "mándame un wsp al {}", "celular {}", "Fono: {}"),
    "en": ("Call me at {} please.", "My cell is {}", "Tel: {}", "Mobile {}", "Ph: {}"),
    "fr": ("Appelez-moi au {}", "Tél. {}", "Mon portable : {}", "mon numéro c'est le {}"),
    "de": ("Rufen Sie mich unter {} an.", "Tel. {}", "Handy: {}", "Fon {}", "meine Nummer ist {}"),
    "pt": ("Ligue para mim no {}", "meu zap é {}", "Celular: {}", "Telemóvel {}"),
    "it": ("Chiamami al {}", "cell. {}", "il mio numero è {}"),
    "ca": ("Truca'm al {}", "mòbil: {}"),
    "nl": ("Bel me op {}", "mobiel: {}"),
}
REGIONS = {
    "es": "ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY PR",
    "en": "US GB CA AU IE NZ IN ZA SG",
    "fr": "FR BE CH MA SN CI TN DZ LU",
    "de": "DE AT CH",
    "pt": "PT BR AO MZ",
    "it": "IT CH",
    "ca": "ES",
    "nl": "NL BE",
}
WRITTEN = (
    "Appelez-moi au +33 6 12 34 56 78", "+33 1 23 45 67 89", "+31 6 12345678", "+32 2 123 45 67", "+353 1 234 5678", "+51 1 1234567", "+56 2 2123 4567",
    "+212 6 50 12 34 56", "+54 9 11 2345-6789", "+61 2 1234 5678", "+81 3-1234-5678", "(+34) 91 234 56 78", "(+44) 20 7946 0958", "(+1) 415 555 2671",
    "+33 (0)6 12 34 56 78", "Telf: 91/2345678", "Móvil 612/345678", "Tél. 06 12 34 56 78", "+52 1 55 1234 5678", "+55 (11) 98765-4321", "+1 (809) 555-1234",
    "Mi número es el 8834-7712", "Handy 0171 1234567", "Tel +49 (0)30 123456", "GSM 0475/12.34.56", "06-12-34-56-78 c'est mon tél", "T: +44 20 7946 0958",
    "07 81 92 63 74", '{"telefono": "912345678"}', "(011) 4321-9876 llámame", "Contact no. 98765 43210",
)  # fmt: skip
NO_PHONE = (
    "Le PIB est de 7 701 139 124 euros", "phones sold: 12,345,678", "cell voltage 784 260 352 mV", "Loto : 07 12 23 34 45", "numéro 123 du 12/5/1999",
    "Tel Aviv 1909, 460 613 inhabitants", "Llámame el 12/03/2024", "call stack depth 83640021 frames", "Decimal('+35236450.6')", "+100 000 000 pesos",
    "Se vendieron 12 345 678 teléfonos", "celular 2019 - 2024", "+34 600 units",
)  # fmt: skip


def examples() -> Iterator[tuple[str, str]]:
    """Yield telephones of libphonenumber's own examples: the country, and a text that holds one."""
    for language, regions in REGIONS.items():
        for turn, region in enumerate(regions.split()):
            for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
                number = phonenumbers.example_number_for_type(region, kind)
                abroad = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
                code, _, rest = abroad.partition(" ")
                yield region, abroad
                yield region, f"({code}) {rest}"
                yield region, f"escribe a {phonenumbers.format_number(number, PhoneNumberFormat.E164)} hoy"
                said = SAID[language][turn % len(SAID[language])]
                at_home = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
                yield region, said.format(at_home)
                yield region, said.format("".join(filter(str.isdecimal, at_home)))


def kinds(inspector: Inspector, text: str) -> set[str]:
    """Return the categories that are found."""
    return {finding.category for finding in inspector.inspect({"prompt": text}).findings}


@pytest.mark.parametrize(("region", "text"), tuple(examples()))
def test_a_telephone_of_each_country_is_found(inspector: Inspector, region: str, text: str) -> None:
    """With the country's code in any form, and without it behind a word of the country's language."""
    assert "contact.phone" in kinds(inspector, text), (region, text)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_telephone_is_found_as_people_write_it(inspector: Inspector, text: str) -> None:
    """Groups of one digit, brackets anywhere, slashes, abbreviations."""
    assert "contact.phone" in kinds(inspector, text)


@pytest.mark.parametrize("text", NO_PHONE)
def test_amounts_dates_and_draws_are_no_telephone(inspector: Inspector, text: str) -> None:
    """Over-blocking is a fault as well."""
    assert "contact.phone" not in kinds(inspector, text)
