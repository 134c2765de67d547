"""Made-up values with valid check digits, by seeded generators, in sentences as people write them."""

import random
import string
from collections.abc import Callable, Iterator

from stdnum import luhn
from stdnum.es import cif, dni, nie
from stdnum.es.ccc import calc_check_digits
from stdnum.gb import nhs
from stdnum.iso7064 import mod_97_10

ALPHANUMERIC = string.ascii_letters + string.digits


def number(rng: random.Random, length: int) -> str:
    """Digits, the first not zero."""
    return str(rng.randint(1, 9)) + "".join(rng.choice(string.digits) for _ in range(length - 1))


def a_dni(rng: random.Random) -> str:
    body = number(rng, 8)
    letter = dni.calc_check_digit(body)
    return rng.choice(
        (f"{body}{letter}", f"{body}-{letter}", f"{body[:2]}.{body[2:5]}.{body[5:]}-{letter}", f"{body} {letter}")
    )


def a_nie(rng: random.Random) -> str:
    body = rng.choice("XYZ") + number(rng, 7)
    letter = nie.calc_check_digit(body)
    return rng.choice((f"{body}{letter}", f"{body[0]}-{body[1:]}-{letter}"))


def a_cif(rng: random.Random) -> str:
    body = rng.choice("ABEH") + number(rng, 7)
    return body + next(str(c) for c in string.digits + string.ascii_uppercase if cif.is_valid(body + c))


def a_nss(rng: random.Random) -> str:
    province, serial = f"{rng.randint(1, 52):02d}", number(rng, 8)
    control = f"{int(province + serial) % 97:02d}"
    return rng.choice(
        (f"{province}/{serial}/{control}", f"{province}{serial}{control}", f"{province} {serial} {control}")
    )


def a_ccc(rng: random.Random) -> str:
    bank, office, account = number(rng, 4), number(rng, 4), number(rng, 10)
    check = calc_check_digits(f"{bank}{office}00{account}")
    return rng.choice(
        (f"{bank}{office}{check}{account}", f"{bank} {office} {check} {account}", f"{bank}-{office}-{check}-{account}")
    )


def an_iban(rng: random.Random) -> str:
    bank, office, account = number(rng, 4), number(rng, 4), number(rng, 10)
    bban = f"{bank}{office}{calc_check_digits(f'{bank}{office}00{account}')}{account}"
    full = "ES" + f"{98 - mod_97_10.checksum(bban + 'ES00'):02d}" + bban
    return rng.choice((full, " ".join(full[i : i + 4] for i in range(0, 24, 4))))


def a_card(rng: random.Random) -> str:
    body = rng.choice(("4", "51", "55", "37"))
    length = 14 if body == "37" else 15
    body += "".join(rng.choice(string.digits) for _ in range(length - len(body)))
    full = body + luhn.calc_check_digit(body)
    return rng.choice((full, " ".join(full[i : i + 4] for i in range(0, 16, 4)))) if length == 15 else full


def a_mobile(rng: random.Random) -> str:
    digits = rng.choice("67") + number(rng, 8)
    if digits.startswith("7"):
        digits = "71" + digits[2:]
    shape = rng.choice(("{0} {1} {2}", "+34 {0} {1} {2}", "+34{0}{1}{2}", "0034 {0}{1}{2}"))
    return shape.format(digits[:3], digits[3:6], digits[6:])


def an_ssn(rng: random.Random) -> str:
    return f"{rng.randint(101, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"


def a_nino(rng: random.Random) -> str:
    return f"{rng.choice(('AB', 'JK', 'PX'))} {number(rng, 2)} {number(rng, 2)} {number(rng, 2)} {rng.choice('ABCD')}"


def an_nhs(rng: random.Random) -> str:
    while True:
        candidate = number(rng, 10)
        if nhs.is_valid(candidate):
            return f"{candidate[:3]} {candidate[3:6]} {candidate[6:]}"


def an_email(rng: random.Random) -> str:
    name, host = rng.choice(("ana", "j.perez", "luis+news")), rng.choice(("gmail.com", "clinica-sol.es", "uni.ac.uk"))
    return f"{name}{number(rng, 2)}@{host}"


def a_plate(rng: random.Random) -> str:
    return number(rng, 4) + rng.choice(("", " ", "-")) + "".join(rng.choice("BCDFGHJKLMNPRSTVWXYZ") for _ in range(3))


def draw(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(length))


Generator = Callable[[random.Random], str]

IDENTIFIERS: dict[str, tuple[str, Generator, tuple[str, ...]]] = {
    "dni": ("id.national", a_dni, ("Mi DNI es {}.", "Titular {} según el contrato", "{}", "dni:{}")),
    "nie": ("id.national", a_nie, ("El NIE del arrendatario es {}.", "{}", "documento {} en vigor")),
    "cif": ("id.tax", a_cif, ("Factura a nombre de la empresa con CIF {}.", "NIF: {}", "{}")),
    "nss": ("id.health", a_nss, ("Número de la Seguridad Social {}.", "NSS: {}", "afiliación {}")),
    "ccc": ("financial.account", a_ccc, ("Ingresa en la cuenta {} del banco.", "CCC {}")),
    "iban": ("financial.iban", an_iban, ("Haz la transferencia a {} hoy.", "IBAN {}", "{}")),
    "card": ("financial.card", a_card, ("Paga con {} por favor.", "tarjeta {}", "{}")),
    "mobile": ("contact.phone", a_mobile, ("Llámame al {}.", "Mi móvil: {}", "Quedamos, te escribo al {}")),
    "ssn": ("id.national", an_ssn, ("My SSN is {}.", "{}")),
    "nino": ("id.national", a_nino, ("National Insurance {}.", "{}")),
    "nhs": ("id.health", an_nhs, ("NHS number {}.", "her NHS no: {}")),
    "email": ("contact.email", an_email, ("Escribe a {}.", "mail {} please", "{}")),
    "plate": ("id.plate", a_plate, ("El coche con matrícula {} es suyo.", "vehículo {}")),
}

SECRETS: dict[str, tuple[str, Generator, tuple[str, ...]]] = {
    "openai": (
        "secret.api_key",
        lambda rng: "sk-proj-" + draw(rng, ALPHANUMERIC, 48),
        ("{}", "use {} here", 'key="{}"'),
    ),
    "github": ("secret", lambda rng: "ghp_" + draw(rng, ALPHANUMERIC, 36), ("git clone with {}", "{}")),
    "aws": (
        "secret.api_key",
        lambda rng: "AKIA" + draw(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
        ("aws {} ok", "{}"),
    ),
    "slack": (
        "secret",
        lambda rng: f"xoxb-{number(rng, 12)}-{number(rng, 12)}-{draw(rng, ALPHANUMERIC, 24)}",
        ("bot {}",),
    ),
    "stripe": ("secret", lambda rng: "sk_live_" + draw(rng, ALPHANUMERIC, 24), ("stripe.api_key = '{}'", "{}")),
    "google": ("secret", lambda rng: "AIza" + draw(rng, ALPHANUMERIC, 35), ("maps?key={}", "{}")),
    "jwt": (
        "secret",
        lambda rng: f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx{draw(rng, ALPHANUMERIC, 20)}.{draw(rng, ALPHANUMERIC, 43)}",
        ("{}", "Authorization: Bearer {}"),
    ),
    "bearer": (
        "secret",
        lambda rng: draw(rng, ALPHANUMERIC, 40),
        ("Authorization: Bearer {}", "curl -H 'authorization: bearer {}'"),
    ),
    "connection": (
        "secret.connection_string",
        lambda rng: f"postgres://app:{draw(rng, ALPHANUMERIC, 12)}@db.internal:5432/x",
        ("DATABASE_URL={}", "conecta a {}"),
    ),
    "private": (
        "secret.private_key",
        lambda rng: f"-----BEGIN RSA PRIVATE KEY-----\n{draw(rng, ALPHANUMERIC, 64)}",
        ("{}",),
    ),
    "password": (
        "secret",
        lambda rng: rng.choice(("Perro", "verano", "Madrid")) + number(rng, 4) + rng.choice(("!", "", "#")),
        (
            "password = '{}'",
            "la contraseña es {}",
            "Contraseña: {}",
            "my password is {}",
            '{{"passwd": "{}"}}',
            "clave: {}",
            "PWD={}",
        ),
    ),
    "unknown": (
        "secret",
        lambda rng: draw(rng, ALPHANUMERIC, rng.choice((24, 32, 40))),
        (
            "ACME_API_KEY={}",
            "token: {}",
            'secret = "{}"',
            "x-api-key: {}",
            "mi clave de acceso es {}",
            "use this one: {}",
        ),
    ),
    "hex": (
        "secret",
        lambda rng: draw(rng, "0123456789abcdef", 32),
        ("api_key = '{}'", "client_secret: {}", "TOKEN={}"),
    ),
}


def sentences(
    table: dict[str, tuple[str, Generator, tuple[str, ...]]], seed: int, each: int
) -> Iterator[tuple[str, str, str, str]]:
    """Name, category, value and sentence: `each` values of every kind, the sentences in turn."""
    rng = random.Random(seed)
    for name, (category, make, shapes) in table.items():
        for turn in range(each):
            value = make(rng)
            yield name, category, value, shapes[turn % len(shapes)].format(value)


NEAR_MISSES: tuple[str, ...] = (
    "El pedido 12345678A llega mañana.",
    "Referencia X1234567A del catálogo.",
    "Tarjeta de prueba inventada 4111 1111 1111 1112, no sirve.",
    "The IBAN ES12 3456 7890 1234 5678 9012 is only an illustration of the format.",
    "git commit 3f786850e387550fdab836ed7e6dc881de23001b fixes it",
    "id: 550e8400-e29b-41d4-a716-446655440000",
    "sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "md5 d41d8cd98f00b204e9800998ecf8427e",
    "pi = 3.14159265358979323846264338327950288",
    "took 3.4111111111111111 s, and 2.5500000000000004 s before",
    "1790000000000,1790000060000,1790000120000",
    '{"a": "\\nTWHxYW5hIGhhYnLhIG5pZWJsYSBlbiBlbCBy7W8sIHkgZGVzcHXpcyBzYWxkcuEgZWwgc29sLg=="}',
    '{"a": "\\ncall_Yq2t9Wc41LkZ0aPq7RsTuV8x returned nothing"}',
    "00000001 00000010 00000100 00001000 00010000 00100000 01000000 10000000",
    "El teorema 612345678 veces repetido",
    "password = os.environ['DB_PASSWORD']",
    "password: <your password>",
    "token = base64.b64decode(secret, validate=True)",
    "key = row.tokens[0]",
    "token = get_token(request)",
    "api_key = config.api_key",
    "const apiKey = process.env.OPENAI_API_KEY;",
    "The password is incorrect, please try again.",
    "La contraseña es obligatoria.",
    "What is diabetes and how is it treated?",
    "¿Qué es un tumor benigno?",
    "getElementsByClassNameAndAttributeValue2",
    "AbstractSingletonProxyFactoryBeanV2Test",
    "VGhpcyBpcyBqdXN0IHBsYWluIHRleHQsIG5vdGhpbmcgbW9yZS4=",
    "version 1.2.3.4 of 2024-05-06 12:30:45",
    "2026-11-23T14:00:43.123456789Z",
    "Invoice 2024/000123 for 1.234.567,89 EUR",
    "ISBN 978-3-16-148410-0",
    "Coordinates 40.416775, -3.703790",
    "1234567890123456789",
    "0000 0000 0000 0000",
    "user@example.com",
    "scikit-learn==1.4.2 numpy==2.0.1 torch==2.3.0",
    "https://github.com/psf/requests/blob/main/src/requests/models.py#L123",
    "integrity sha512-oRc9b1dJ3yq0Hk6r7pLx2M8s5tWvZu4aNf3gYhQjKeBiDcAoEmXnUlTpRwSzVq1H2G3F4D5S6A7P8O9I0U==",
    "The year 1984 and 12345678 people",
    "assert token_type == 'bearer'",
    "def test_password_hash_roundtrip_v2(): pass",
)
