"""Names, addresses and networks that patterns can know; and what looks like them and is nobody's."""

import pytest

from gateway.privacy import Inspector

FOUND = [
    ("person.name", "Paciente: Begoña Ruiz Cano"),
    ("person.name", "Nombre y apellidos: José Luis de la Fuente Pérez"),
    ("person.name", "My name is Margaret O'Sullivan and I need a letter."),
    ("person.name", "Me llamo Iker Etxeberria."),
    ("person.name", "Comparece D. Manuel Ortega Soler, mayor de edad, vecino de Lugo."),
    ("person.name", "Fdo.: Carmen Vázquez Núñez"),
    ("person.name", "The tenant, Mrs. Nora Whitfield, signed the contract."),
    ("person.birth_date", "Fecha de nacimiento: 03/04/1981"),
    ("person.birth_date", "DOB: 1979-05-21"),
    ("person.birth_date", "I was born on March 4, 1990."),
    ("contact.address", "Vivo en la calle Mayor 12, 3º B"),
    ("contact.address", "con domicilio en Avda. de la Constitución, nº 4, bajo"),
    ("contact.address", "My address is 221 Old Mill Road"),
    ("contact.address", "C/ Mayor 12, 3º B, 28013 Madrid"),
    ("contact.address", "Postcode: SW1A 2AA"),
    ("contact.email", "correo:ana.gil@hotmail.es"),
    ("network.address", "El NAS está en 192.168.1.37"),
    ("network.address", "ssh root@10.20.3.4"),
    ("network.address", "inet6 fd12:3456:789a:1::25"),
    ("network.host", "https://git.acme.corp/team/repo"),
    ("network.host", "ping nas-salon.lan"),
    ("network.mac", "wlan0 3c:22:fb:9a:10:7e"),
    ("id.property", "Ref. catastral 9872023VH5797S0001WX"),
    ("id.health", "Tarjeta sanitaria: CANO 1 790312 004"),
]
NOT_FOUND = [
    "Why is Dr. Martin Luther King remembered?",
    "Mr. Brown has 12 apples and gives 5 to Mrs. Green.",
    "Marie Curie was born on 7 November 1867 in Warsaw.",
    "Nombre: ____ Apellidos: ____",
    "Name: [your full name]",
    "What is at 10 Downing Street?",
    "Summarise the history of Calle Mayor.",
    "Server 127.0.0.1, mask 255.255.255.0, router 192.168.1.1",
    "Example: 192.0.2.17, 198.51.100.3, 2001:db8::1",
    "10.0.0.0/8 and 172.16.0.0/12 are private.",
    "self.local = threading.local()",
    "http://host.docker.internal:11434",
    "00:11:22:33:44:55 is a made-up address",
    "noreply@citi.com sent it",
]
PUBLIC = [
    '{"role": "tool", "tool_call_id": "call_9pw1qnYScqvGrCH58HWCvFH6", "content": "42"}',
    '{"id": "chatcmpl-9nYScqvGrCH58HWCvFH6abcd"}',
    "-----BEGIN CERTIFICATE-----\necinvpXvM5fMXi9sz2rbEY/m7Foa1yYR8eUmqL2ZRnGMxQ0FZ/8EKjB5\n-----END CERTIFICATE-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAInwxhGB9D2TivHVNmnS20O8jRuX4zASdzzq29YCMowA build",
    "uint64_t v = 0x976f7deb6f28d60cULL;",
]
SECRET = [
    "entra con ana y Tr0ub4dor-971 como contraseña",
    "I changed my password to sunshine1676$ yesterday",
    "ALTER USER app WITH PASSWORD 'K6ueckQlRWshev7';",
    "Cookie: sessionid=8wfuoao4buz43mhddycvtshpct10b153; theme=dark",
    "Server=tcp:db,1433;User ID=app;Password=fgAjhqnf;",
    "db.acme.io:5432:shop:app:wI7gSYjR",
    "recovery codes: 4320-32ba c7e1-81e1",
    "seed phrase: abandon ability able about above absent absorb abstract absurd abuse access accident",
    "https://x.blob.core.windows.net/y?sv=2022&sig=FqAMNoD0a0GCOfbpYBA%2F5SzNJC14xo%2Bom9JQq3xcoeE%3D",
    "ENV ACME_API_KEY 7hyqruyooo2ddezjchi42zmz6wxdu3dp",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\ntoken: f3Qx8Kd02mZpL7vR1tYw5NcB",
]


@pytest.mark.parametrize(("category", "text"), FOUND)
def test_what_words_and_shapes_tell(inspector: Inspector, category: str, text: str) -> None:
    """Names, addresses and networks that words or shapes give away are found without any model."""
    assert category in {finding.category for finding in inspector.inspect({"p": text}).findings}


@pytest.mark.parametrize("text", NOT_FOUND)
def test_everybodys_names_places_and_networks(inspector: Inspector, text: str) -> None:
    """History, arithmetic, empty forms and documentation are nobody's data."""
    assert inspector.inspect({"p": text}).findings == ()


@pytest.mark.parametrize("text", PUBLIC)
def test_random_strings_that_are_public(inspector: Inspector, text: str) -> None:
    """Ids of an API's objects, certificates, public keys and constants are no secrets."""
    assert not [f for f in inspector.inspect({"p": text}).findings if f.category.startswith("secret")]


@pytest.mark.parametrize("text", SECRET)
def test_secrets_without_a_sign_of_assignment(inspector: Inspector, text: str) -> None:
    """Secrets are found when said in a sentence, in options, cookies and connections, also behind something public."""
    assert [f for f in inspector.inspect({"p": text}).findings if f.category.startswith("secret")]


@pytest.mark.parametrize("text", [text for _, text in FOUND] + NOT_FOUND + PUBLIC + SECRET)
def test_without_hyperscan_the_same(inspector: Inspector, plain_inspector: Inspector, text: str) -> None:
    """Without Hyperscan the same is found: the fast pass only proposes."""
    assert inspector.inspect({"p": text}).findings == plain_inspector.inspect({"p": text}).findings
