"""Secrets as arguments of calls, in rows of SQL, in codes of Wi-Fi and in sentences of eight languages are found."""

import pytest

from gateway.privacy import Inspector

SECRETS = [
    "$link = mysqli_connect('db.example.net', 'shop', 'Otter!44rain', 'shop');",
    'conn = psycopg2.connect("dbname=x", user="app", password_="x", key="tide77Otter")',
    'server.login("robot@firm.example", "Otter44!rain")',
    'await client.signIn("marta.gil", "lluna44Verda");',
    '$p = ConvertTo-SecureString -String "Otter!44rain" -AsPlainText -Force',
    "INSERT INTO members (id, mail, password, role) VALUES (4, 'a', 'otter44', 'user');",
    "auth-user-pass /etc/vpn/login.txt\n\n# login.txt\nrobot3\nOtter&Rain44\n",
    "WIFI:S:Seminar;T:WPA;P:Otter&Rain44;;",
    "el wifi és CanPuig_Hostes i la contrasenya és taronges",
    "réseau Livebox-77, clé wifi 9Hk2LmPq4RsT, à mettre sur l'affiche",
    "WLAN-Name Bergblick, Schlüssel 40918273645501928374",
    "identifiant compta, mot de passe Loutre83",
    "Das Passwort lautet Regen-im-Garten",
    "login: pau.vidal / formatgefresc",
    "the till login is just the word otterpond",
    "and the drawer code is 4471",
    "The 12 words of my wallet: river apple stone candle window garden planet copper silver forest market button",
    "Mis códigos de recuperación:\n5512 9034\n8841 2207",
    "Codes de secours : 482 913\n774 201",
]
NO_SECRETS = [
    "mysqli_connect($host, $user, $password, $database);",
    'client.login("user@example.com", "password")',
    "widget.connect('clicked', 'on_clicked')",
    "INSERT INTO users (id, name, password_hash) VALUES (1, 'ana', '$2b$12$abcdefghijklmnopqrstuv');",
    "INSERT INTO users (id, password) VALUES (1, ?);",
    "auth-user-pass /etc/vpn/login.txt\nremote vpn.example.net 1194\n",
    "El usuario es correcto pero la contraseña es incorrecta",
    "Username is required, password is optional.",
    "Le mot de passe est obligatoire",
    "Das Passwort ist falsch",
    "my wallet was stolen: the police came and they have written down all that was said about it today",
    "The wifi password is wrong",
    "If the size is not known, pass force_zip64 to the writer",
    "the answer to seven across is just the word marmalade",
    "What are recovery codes and where do I keep them?",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secret_is_found_where_it_is_told(inspector: Inspector, text: str) -> None:
    """Positional arguments, columns, files of two lines, networks, wallets, recovery codes, plain words."""
    assert any(f.category.startswith("secret.") for f in inspector.inspect({"prompt": text}).findings)


@pytest.mark.parametrize("text", NO_SECRETS)
def test_talk_about_secrets_is_none(inspector: Inspector, text: str) -> None:
    """Variables, hashes, placeholders, and what is said about a password without saying it."""
    assert [f for f in inspector.inspect({"prompt": text}).findings if f.category.startswith("secret.")] == []
