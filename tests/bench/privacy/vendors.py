"""Texts with one secret each: keys of many vendors, of vendors that nobody knows, passwords, keys, connections. Seeded.

The formats are the issuers' published ones; none of the values was ever valid.
"""

# ruff: noqa: E501 - tables are read by their rows

import base64
import json
import random
import string
from collections.abc import Callable, Iterator

from tests.privacy.samples import ALPHANUMERIC, draw, number

Make = Callable[[random.Random], str]
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
URL_SAFE = ALPHANUMERIC + "-_"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def _of(prefix: str, alphabet: str, length: int) -> Make:
    return lambda rng: prefix + draw(rng, alphabet, length)


def _base64(rng: random.Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


KNOWN: dict[str, Make] = {
    "openai": lambda r: "sk-proj-" + draw(r, URL_SAFE, 74) + "T3BlbkFJ" + draw(r, URL_SAFE, 74),
    "openai old": _of("sk-", ALPHANUMERIC, 48), "anthropic": lambda r: "sk-ant-api03-" + draw(r, URL_SAFE, 93) + "AA",
    "openrouter": _of("sk-or-v1-", HEX, 64), "groq": _of("gsk_", ALPHANUMERIC, 52), "xai": _of("xai-", ALPHANUMERIC, 80),
    "hugging face": _of("hf_", string.ascii_letters, 34), "replicate": _of("r8_", ALPHANUMERIC, 37), "perplexity": _of("pplx-", ALPHANUMERIC, 48),
    "aws id": _of("AKIA", BASE32, 16), "google": _of("AIza", URL_SAFE, 35), "google client": _of("GOCSPX-", URL_SAFE, 28),
    "github": _of("ghp_", ALPHANUMERIC, 36), "github fine": lambda r: "github_pat_" + draw(r, ALPHANUMERIC, 22) + "_" + draw(r, ALPHANUMERIC, 59),
    "github server": _of("ghs_", ALPHANUMERIC, 36), "gitlab": _of("glpat-", URL_SAFE, 20), "gitlab runner": _of("glrt-", URL_SAFE, 20),
    "slack bot": lambda r: f"xoxb-{number(r, 12)}-{number(r, 13)}-{draw(r, ALPHANUMERIC, 24)}",
    "slack app": lambda r: f"xapp-1-A{draw(r, UPPER, 10)}-{number(r, 13)}-{draw(r, HEX, 64)}",
    "slack hook": lambda r: f"https://hooks.slack.com/services/T{draw(r, UPPER, 8)}/B{draw(r, UPPER, 10)}/{draw(r, ALPHANUMERIC, 24)}",
    "stripe": _of("sk_live_", ALPHANUMERIC, 24), "stripe restricted": _of("rk_live_", ALPHANUMERIC, 24), "stripe hook": _of("whsec_", ALPHANUMERIC, 32),
    "sendgrid": lambda r: f"SG.{draw(r, URL_SAFE, 22)}.{draw(r, URL_SAFE, 43)}", "mailgun": _of("key-", HEX, 32),
    "mailchimp": lambda r: draw(r, HEX, 32) + "-us" + str(r.randint(1, 21)), "twilio": _of("SK", HEX, 32), "npm": _of("npm_", ALPHANUMERIC, 36),
    "pypi": _of("pypi-AgEIcHlwaS5vcmc", URL_SAFE, 80), "docker": _of("dckr_pat_", URL_SAFE, 27), "digitalocean": _of("dop_v1_", HEX, 64),
    "shopify": _of("shpat_", HEX, 32), "square": _of("sq0atp-", URL_SAFE, 22), "databricks": _of("dapi", HEX, 32), "postman": lambda r: f"PMAK-{draw(r, HEX, 24)}-{draw(r, HEX, 34)}",
    "linear": _of("lin_api_", ALPHANUMERIC, 40), "notion": _of("ntn_", ALPHANUMERIC, 46), "telegram": lambda r: f"{number(r, 10)}:AA{draw(r, URL_SAFE, 33)}",
    "discord hook": lambda r: f"https://discord.com/api/webhooks/{number(r, 18)}/{draw(r, URL_SAFE, 68)}", "vault": _of("hvs.", URL_SAFE, 92),
    "terraform": lambda r: f"{draw(r, ALPHANUMERIC, 14)}.atlasv1.{draw(r, URL_SAFE, 64)}", "grafana": lambda r: f"glsa_{draw(r, ALPHANUMERIC, 32)}_{draw(r, HEX, 8)}",
    "new relic": _of("NRAK-", UPPER, 27), "sentry": lambda r: f"sntrys_eyJpYXQiOjE3{draw(r, ALPHANUMERIC, 60)}_{draw(r, ALPHANUMERIC, 43)}",
    "dynatrace": lambda r: f"dt0c01.{draw(r, BASE32, 24)}.{draw(r, BASE32, 64)}", "doppler": _of("dp.pt.", ALPHANUMERIC, 43), "planetscale": _of("pscale_tkn_", URL_SAFE, 43),
    "supabase": _of("sbp_", HEX, 40), "tailscale": lambda r: f"tskey-auth-{draw(r, ALPHANUMERIC, 12)}-{draw(r, ALPHANUMERIC, 32)}", "figma": _of("figd_", URL_SAFE, 40),
    "airtable": lambda r: f"pat{draw(r, ALPHANUMERIC, 14)}.{draw(r, HEX, 64)}", "atlassian": _of("ATATT3xFfGF0", URL_SAFE, 180), "fly": _of("fo1_", URL_SAFE, 43),
    "1password": _of("ops_eyJ", ALPHANUMERIC, 250), "age": _of("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58), "facebook": _of("EAA", ALPHANUMERIC, 120),
    "jwt": lambda r: f"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIx{draw(r, ALPHANUMERIC, 30)}.{draw(r, URL_SAFE, 43)}",
}  # fmt: skip


def _word(rng: random.Random) -> str:
    return rng.choice(
        [
            "acme",
            "zeta",
            "nube",
            "lumen",
            "orbit",
            "kiwi",
            "fjord",
            "tango",
            "vela",
            "brisa",
            "pixel",
            "quark",
            "boreal",
            "cobalt",
        ]
    )


UNKNOWN: dict[str, Make] = {
    "prefix_random": lambda r: f"{_word(r)}_{draw(r, ALPHANUMERIC, r.choice((24, 32, 40)))}",
    "prefix_live_random": lambda r: (
        f"{_word(r)[:3]}_{r.choice(('live', 'prod', 'test'))}_{draw(r, ALPHANUMERIC, r.choice((20, 24, 32)))}"
    ),
    "prefix-random": lambda r: f"{_word(r)[:4]}-{draw(r, ALPHANUMERIC, r.choice((24, 32, 48)))}",
    "prefix_hex": lambda r: f"{_word(r)}_sk_{draw(r, HEX, r.choice((32, 40, 64)))}",
    "mixed": lambda r: draw(r, ALPHANUMERIC, r.choice((24, 32, 40, 64))),
    "url-safe": lambda r: draw(r, URL_SAFE, r.choice((32, 43, 64))),
    "dotted": lambda r: f"{draw(r, ALPHANUMERIC, 24)}.{draw(r, ALPHANUMERIC, 6)}.{draw(r, URL_SAFE, 27)}",
    "base64": lambda r: _base64(r, r.choice((24, 32, 48))),
}
ONLY_NAMED: dict[str, Make] = {
    "hex": lambda r: draw(r, HEX, r.choice((32, 40, 64))), "upper": lambda r: draw(r, UPPER, r.choice((20, 32))), "lower": lambda r: draw(r, LOWER, r.choice((24, 32))),
    "uuid": lambda r: "-".join(draw(r, HEX, n) for n in (8, 4, 4, 4, 12)), "base32": lambda r: draw(r, BASE32, 32), "short": lambda r: draw(r, ALPHANUMERIC, r.choice((12, 16, 20))),
}  # fmt: skip
"""Looks like any hash or number: what it is, only the name beside it says."""


def password(rng: random.Random) -> str:
    word = rng.choice(
        ("Perro", "verano", "Madrid", "sunshine", "Tr0ub4dor", "qwerty", "Camaleon", "hunter", "Winter", "miGato")
    )
    tail = rng.choice(("!", "", "#", "$", "*", "@", "?"))
    return rng.choice((f"{word}{number(rng, 4)}{tail}", f"{word}-{number(rng, 3)}{tail}", draw(rng, ALPHANUMERIC, 10) + tail,
                       draw(rng, ALPHANUMERIC + "!#%*+=?", 14) + number(rng, 1)))  # fmt: skip


NAMES = ("API_KEY", "SECRET_KEY", "ACCESS_TOKEN", "ACME_API_KEY", "CLIENT_SECRET", "AUTH_TOKEN", "apiKey", "secretKey", "accessToken", "private_token",
         "SERVICE_TOKEN", "x-api-key", "signing_secret", "WEBHOOK_SECRET", "encryption_key")  # fmt: skip
NAMED = (
    "{n}={v}", "export {n}={v}", 'export {n}="{v}"', '{{"{n}": "{v}"}}', '{{"config": {{"{n}":"{v}","region":"eu"}}}}', "{n}: {v}", "  {n}: '{v}'",
    '{n} = "{v}"', "const {n} = '{v}';", "client = Client({n}='{v}')", "os.environ['{n}'] = '{v}'", "curl -H '{n}: {v}' https://api.acme.io/v1",
    "https://api.acme.io/v1/items?{n}={v}&page=2", "--{n} {v}", "--{n}={v}", "docker run -e {n}={v} acme/app", "ENV {n} {v}", "<{n}>{v}</{n}>",
    "[default]\n{n} = {v}", "headers = {{'{n}': '{v}'}}", "$env:{n} = '{v}'", "setx {n} {v}", "var {n} string = \"{v}\"", "{n}=>'{v}'", "final String {n} = \"{v}\";",
    "mi {n} es {v}", "the {n} is {v}", "here's the {n}: {v}", "| {n} | {v} |",
)  # fmt: skip
LOOSE = ("{v}", "use this one: {v}", "me han dado {v} para entrar", "It fails with 401 when I send {v} , why?", "'{v}'", "print('{v}')", "`{v}`", "¿Por qué no funciona {v}?")  # fmt: skip
PASSWORDS = (
    "password = '{v}'", "la contraseña es {v}", "Contraseña: {v}", "my password is {v}", '{{"passwd": "{v}"}}', "clave: {v}", "PWD={v}", "DB_PASSWORD={v}",
    "usuario: admin / contraseña: {v}", "user admin, pass {v}", "login: pepe\npassword: {v}", "la clave del wifi es {v}", "The wifi password is {v}", "psk=\"{v}\"",
    "mysql -u root -p{v} shop", "sshpass -p '{v}' ssh root@10.0.0.4", "curl -u admin:{v} https://nas.lan/x", "machine ftp.acme.io login ana password {v}",
    "contraseña del correo: {v}", "pass: {v}", "spring.datasource.password={v}", "password: \"{v}\"", "PGPASSWORD={v} psql -h db", "the root password on the NAS is {v}",
    "redis-cli -a {v} ping", "cambié la contraseña a {v}", "I changed my password to {v} yesterday", "ALTER USER app WITH PASSWORD '{v}';", "IDENTIFIED BY '{v}'",
    "net use Z: \\\\nas\\datos /user:ana {v}", "openssl enc -aes-256-cbc -pass pass:{v} -in a", "ansible_become_pass: {v}", "entra con ana y {v} como contraseña",
)  # fmt: skip
CONNECTIONS = (
    "postgres://app:{v}@db.acme.io:5432/x", "DATABASE_URL=mysql://root:{v}@10.0.0.5/shop", "mongodb+srv://ana:{v}@cluster0.ab1cd.mongodb.net/test", "redis://:{v}@cache:6379/0",
    "amqp://guest1:{v}@mq.acme.io/", "jdbc:postgresql://db/x?user=app&password={v}", "jdbc:sqlserver://db:1433;user=sa;password={v};encrypt=true",
    "Server=tcp:db.acme.io,1433;User ID=app;Password={v};", "Data Source=db;Initial Catalog=x;uid=sa;pwd={v}", "sqlalchemy.url = postgresql+psycopg://app:{v}@localhost/x",
    "https://ana:{v}@git.acme.io/repo.git", "ftp://web:{v}@ftp.acme.io/www", "smtp://info:{v}@mail.acme.io:587", "host=db user=app password={v} dbname=x",
    "db.acme.io:5432:shop:app:{v}  # ~/.pgpass", "ldap://cn=admin:{v}@ldap.acme.io",
)  # fmt: skip


def _connection_value(rng: random.Random) -> str:
    return draw(rng, ALPHANUMERIC, rng.choice((8, 12, 16, 20)))


def structure(rng: random.Random) -> str:
    """Secrets whose surroundings say what they are."""
    lines = "\n".join(_base64(rng, 48) for _ in range(rng.choice((3, 12))))
    kind = rng.choice(("RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED ", "DSA "))
    pair = base64.b64encode(f"ana:{password(rng)}".encode()).decode()
    return rng.choice((
        f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----",
        json.dumps({"type": "service_account", "private_key": f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n"}),
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{lines}\n-----END PGP PRIVATE KEY BLOCK-----", f"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{_base64(rng, 36)}",
        f"Authorization: Basic {pair}", f"Authorization: Bearer {draw(rng, ALPHANUMERIC, 40)}", f"authorization: Token {draw(rng, HEX, 40)}", f'{{"auths": {{"hub.acme.io": {{"auth": "{pair}"}}}}}}',
        f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={_base64(rng, 64)};EndpointSuffix=core.windows.net",
        f"https://acme.blob.core.windows.net/x?sv=2022-11-02&se=2025-01-01&sp=r&sig={_base64(rng, 32).replace('+', '%2B').replace('/', '%2F').replace('=', '%3D')}",
        f"otpauth://totp/Acme:ana?secret={draw(rng, BASE32, 32)}&issuer=Acme", f"aws_secret_access_key = {_base64(rng, 30)}", f"Cookie: sessionid={draw(rng, LOWER, 32)}; theme=dark",
        f"[Interface]\nPrivateKey = {_base64(rng, 32)}\nAddress = 10.8.0.2/24", f"wg set wg0 private-key {_base64(rng, 32)}",
        f"kind: Secret\ndata:\n  password: {base64.b64encode(password(rng).encode()).decode()}", f"//registry.npmjs.org/:_authToken={'-'.join(draw(rng, HEX, n) for n in (8, 4, 4, 4, 12))}",
        f"https://s3.amazonaws.com/b/k?X-Amz-Credential=AKIA{draw(rng, BASE32, 16)}%2F20240501&X-Amz-Signature={draw(rng, HEX, 64)}", f"Set-Cookie: session={draw(rng, URL_SAFE, 48)}; HttpOnly",
        f"PIN: {number(rng, 4)}", f"el PIN de la tarjeta es {number(rng, 4)}", f"private key 0x{draw(rng, HEX, 64)}", f"recovery codes: {' '.join(draw(rng, HEX, 4) + '-' + draw(rng, HEX, 4) for _ in range(6))}",
    ))  # fmt: skip


def texts(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """Kind and text: known vendors 2 of each, and `each` of every other kind."""
    rng = random.Random(seed)
    for make in KNOWN.values():
        for _ in range(max(2, each // 20)):
            yield "known vendors", _put(rng, rng.choice((*NAMED, *LOOSE)), make(rng))
    for kind, table, shapes in (
        ("unknown vendors, loose", UNKNOWN, LOOSE),
        ("unknown vendors, named", UNKNOWN | ONLY_NAMED, NAMED),
    ):
        for number_ in range(2 * each):
            yield kind, _put(rng, rng.choice(shapes), list(table.values())[number_ % len(table)](rng))
    for _ in range(each):
        yield "passwords", _put(rng, rng.choice(PASSWORDS), password(rng))
        yield "connection strings", _put(rng, rng.choice(CONNECTIONS), _connection_value(rng))
        yield "keys, headers, cookies", structure(rng)


def _put(rng: random.Random, shape: str, value: str) -> str:
    return shape.format(n=rng.choice(NAMES), v=value)
