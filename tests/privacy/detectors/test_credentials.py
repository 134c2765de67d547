"""Secrets are found as developers and people in offices write them; names of secrets, and placeholders, are not."""

import pytest

from gateway.privacy import Inspector
from tests.bench.privacy.written import CLEAN, SECRETS

MISSED = ("casa de la playa", "verde ola mesa")  # sentences as passwords
FURTHER = [
    "DATABASE_PASS: tomate-verde-77",
    "'db_pass' => 'tomate77verde',",
    "COHERE_KEY=Zk4pQ7mX2vB9nT6wR1yH8sD3",
    "password for the door of the archive: 48213",
    "o código do cofre é 77120",
    "il codice dell'allarme è 40417",
    "der Code für die Haustür lautet 4410#",
    "mot de passe : Lapin44vert",
    "Kennwort: Tinte77blau",
    "log in with maria / Girasole81",
    "usuario maria clave Girasole81",
    "echo 'maria:nieve44azul' | sudo chpasswd",
    "set PASSWORD FOR 'app' = PASSWORD('nieve44azul');",
    "root pw: snowfall44",
    "use snowfall44 as the password",
    "il pin del bancomat è 7391",
    "le digicode est 45A78",
    "GRANT ALL ON *.* TO 'maria'@'%' IDENTIFIED BY 'girasole81'",
]
NO_SECRETS = [
    "secret_file: /etc/app/secret_1",
    "apiKeyHeader: X-Api-Key-3",
    "DB_PASSWORD: '${DB_PASSWORD_2}'",
    "STRIPE_KEY=pk_test_1234",
    "TOKEN=\nTOKEN_URL=https://a.example/t1",
    "the password is bcrypt-12 hashed",
    "código postal 28013, código de error 50012",
    "trespass: 44aa55",
    "PASS tests/unit/app2.test.js",
    "pwd=/home/app1",
    "clave: valor1",
]


@pytest.mark.parametrize("text", [*(s for s in SECRETS if not any(m in s for m in MISSED)), *FURTHER])
def test_secret_is_found_as_people_write_it(inspector: Inspector, text: str) -> None:
    """Environments, files, commands, and sentences in eight languages."""
    assert any(f.category.startswith("secret.") for f in inspector.inspect({"prompt": text}).findings)


@pytest.mark.parametrize("text", [*CLEAN, *NO_SECRETS])
def test_what_stands_for_a_secret_is_none(inspector: Inspector, text: str) -> None:
    """Empty variables, names of variables and files, headers, placeholders, sums of modules, prose."""
    assert inspector.inspect({"prompt": text}).findings == ()
