"""Secrets are found as developers and people in offices write them; names of secrets, and placeholders, are not."""

import pytest

from gateway.accounts.secrets import new_secret
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
    "Guarda las palabras de la cartera: ábaco fogata lince tobillo museo pepino rígido vela carbón nuca bozal yegua",
    "su código para autorizar la transferencia de 2.350 EUR es 480913. No lo comparta",
    "771 204 is your login code",
    "entra sin clave: https://app.example/login/magic?u=carmen&t=8H7KpghCWZTjOhHQEten2BFLfko3VlxJZ",
    "https://app.example/reset/8H7KpghCWZTjOhHQEten2BFL",
    "patient's locker code, the blue one: 6150",
    "GRANT ALL ON *.* TO 'maria'@'%' IDENTIFIED BY 'girasole81'",
]
OF_WORDS_FOR_PLACEHOLDERS = [
    "password: Enterprise2024!",
    "postgres://app:Hidden7Valley@db.local/x",
    "curl -u admin:Wrong4Reason! https://x.y/z",
    "mysql -u root -p'$ummer2024!'",
    "password: Change2Win!9",
    "contraseña: TodoMal2024!",
    "la clave del wifi es Office365Xk!",
    "password: Python3Rocks!",
    "senha: Http2Forever!",
    "password: requiredX92kq",
    "password: ref+Xk29!z8",
    "password: self.Summer2024!",
    "password: $uperS3cret!",
    "PASSWORD=required4All!77",
]
NAMED_LIKE_OTHER_THINGS = [
    "DB_PASSWORD=Winter2024Manager",
    "password: Tr0ub4dor[3]",
    "JWT_SECRET=jwt-secret-8k2j9x",
    "password: X-K29-fjQ-pw83",
    "password: MY_SECRET_9X8K7",
    "password_hint: Xk29fjQpw83",
    "passkey: Xk29fjQpw83",
    "map_key=9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c",
    "keyword: password=Xk29fjQpw83",
    "password:\nHunter2Xk29fjQ= and more",
    "arn:aws:iam::123456789012:user/bob:secret:Xk29fjQpw83",
    "my secret key is 7RiverStone4MountainSky9x2",
]
NO_SECRETS = [
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=120s",
    "https://shop.example/p?id=4711&color=red&hash=overview-of-all-products-2024",
    "5 minutes is your limit, 404 is the error code",
    "1200 is the postal code of the town, 200 is the status code",
    "def f(password: Sha256Token, key: X509Certificate, token: OAuth2Token)",
    "API_KEY=sk-your-key-here1234",
    "OPENAI_API_KEY=your_openai_api_key_here",
    "password: vault:secret/data/app1#password2",
    "password: %(DB_PASS2)s",
    "token = request.headers['X-Auth-Token2']",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbC12f",
    "SECRET_KEY=insecure-change-me-123",
    "password=my-secret-password1",
    "secret: k8s-secret-2",
    "password=testpassword123",
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


@pytest.mark.parametrize("text", ["use {} for the API", "ADUANA_KEY={}", "curl -H 'x-api-key: {}' http://localhost/v1"])
def test_a_key_of_this_gateway_is_known_as_one(inspector: Inspector, text: str) -> None:
    """What `aduana keys` has made is found as an API key, whatever stands around it."""
    found = inspector.inspect({"prompt": text.format(new_secret())}).findings
    assert "secret.api_key" in {finding.category for finding in found}


@pytest.mark.parametrize("text", [*OF_WORDS_FOR_PLACEHOLDERS, *NAMED_LIKE_OTHER_THINGS])
def test_no_beginning_and_no_name_exempts_a_password(inspector: Inspector, text: str) -> None:
    """A password may begin as a placeholder does, end as a type does, or stand behind the name of something else."""
    assert any(f.category.startswith("secret.") for f in inspector.inspect({"prompt": text}).findings)


@pytest.mark.parametrize("text", [*CLEAN, *NO_SECRETS])
def test_what_stands_for_a_secret_is_none(inspector: Inspector, text: str) -> None:
    """Empty variables, names of variables and files, headers, placeholders, sums of modules, prose."""
    assert inspector.inspect({"prompt": text}).findings == ()
