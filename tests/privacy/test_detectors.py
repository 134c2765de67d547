"""What is found, and what is not, in plain text."""

import random

import pytest
from stdnum import luhn
from stdnum.es import dni, nie

from gateway.core.document import freeze_object
from gateway.privacy import CATEGORIES, Inspector

INSPECTOR = Inspector()
LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def found(text: str) -> set[str]:
    """Categories in a one-message conversation."""
    document = freeze_object({"model": "auto", "messages": [{"role": "user", "content": text}]})
    inspection = INSPECTOR.inspect(document)
    assert not inspection.doubts
    return {finding.category for finding in inspection.findings}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Mi DNI es 12345678Z, gracias", "id.national"),
        ("dni: 12.345.678-Z", "id.national"),
        ("NIE X1234567L", "id.national"),
        ("el CIF de la empresa es A58818501", "id.tax"),
        ("My SSN is 536-90-4399.", "id.national"),
        ("NINO: AB 12 34 56 C", "id.national"),
        ("NHS number 943 476 5919", "id.health"),
        ("pasaporte AAA123456", "id.passport"),
        ("matrícula 1234 BCD", "id.plate"),
        ("Transfer to ES91 2100 0418 4502 0005 1332 today", "financial.iban"),
        ("GB82WEST12345698765432", "financial.iban"),
        ("tarjeta 4111 1111 1111 1111", "financial.card"),
        ("amex 378282246310005", "financial.card"),
        ("write to maria.garcia@hospital.es", "contact.email"),
        ("Llámame al 612 34 56 78", "contact.phone"),
        ("call +34 912 345 678", "contact.phone"),
        ("call me on (212) 555-2368", "contact.phone"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "secret.private_key"),
        ("key sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7", "secret.api_key"),
        ("ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5", "secret.api_key"),
        ("AKIAIOSFODNN7EXAMPLE", "secret.api_key"),
        ("postgres://app:s3cr3tPw@db.internal:5432/app", "secret.connection_string"),
        ("password = hunter2-Blue!", "secret.password"),
        ("la contraseña es Mar1posa-Azul", "secret.password"),
        ("Authorization: Bearer abc123def456ghi789jkl0mn", "secret.token"),
        ("X-Acme-Thing: q8Zr2LmX9vTn4KcW7yHd3Bf6", "secret.shaped"),
        (
            "Nombre: Ana. Apellidos: Ruiz. NHC: 123. Fecha de ingreso: 1/2/2020. Diagnóstico: neumonía. Tratamiento.",
            "health.record",
        ),
    ],
)
def test_is_found(text, category):
    """Identifiers with a right checksum, secrets, contact data, clinical records."""
    assert category in found(text)
    assert category in CATEGORIES


@pytest.mark.parametrize(
    "text",
    [
        "12345678A is not a DNI, its letter is wrong",
        "order 4111 1111 1111 1112 has no valid check digit",
        "ES91 2100 0418 4502 0005 1333",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "uuid 550e8400-e29b-41d4-a716-446655440000",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "In 2024 the company sold 1,234,567 units at 12.50 each, 3.14159 times more.",
        "password = os.environ['DB_PASSWORD']",
        'api_key="YOUR_API_KEY"',
        "token: <your token here>",
        "The password is stored hashed.",
        "https://user@example.com/path and http://localhost:8080",
        "Janet has 16 eggs and sells 9 at 2 dollars. How much does she make in 365 days?",
        "phone numbers have 9 digits in Spain: how is 123456789 written?",
        "self.get_secret_value_from_the_environment_or_raise()",
        "10.0.0.1, 192.168.1.254:8080 and 2001:db8::1",
        "The meeting is on 2024-11-23 at 12:30, room 4.05.",
    ],
)
def test_is_not_found(text):
    """Near misses and everyday text, numbers and code."""
    assert found(text) == set()


def test_made_identifiers_are_found_and_one_digit_off_is_not():
    """Two hundred random DNI, NIE and cards; the same with a wrong check character are left alone."""
    draw = random.Random(7)
    for _ in range(200):
        number = draw.randrange(10_000_000, 100_000_000)
        letter = LETTERS[number % 23]
        wrong = LETTERS[(number + 1) % 23]
        assert dni.is_valid(f"{number}{letter}")
        assert "id.national" in found(f"El paciente con DNI {number}{letter} llegó")
        assert "id.national" not in found(f"El pedido {number}{wrong} llegó")
        foreign = f"Y{number % 10**7:07}"
        foreign += LETTERS[int("1" + foreign[1:]) % 23]
        assert nie.is_valid(foreign)
        assert "id.national" in found(f"NIE: {foreign}")
        card = "4" + "".join(draw.choices("0123456789", k=14))
        card += luhn.calc_check_digit(card)
        assert "financial.card" in found(f"Visa {card[:4]} {card[4:8]} {card[8:12]} {card[12:]}")
