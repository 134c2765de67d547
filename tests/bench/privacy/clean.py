"""Texts with nothing to protect that look as if they had: numbers, hashes, code, maths, forms that nobody filled in.
Seeded."""

# ruff: noqa: E501 - tables are read by their rows

import base64
import hashlib
import random
import string
import uuid
from collections.abc import Callable, Iterator

from stdnum import luhn
from stdnum.es import dni

from tests.privacy.samples import ALPHANUMERIC, draw, number

HEX = "0123456789abcdef"


def _off_by_one(rng: random.Random) -> str:
    """A number of eight digits with a wrong letter."""
    body = number(rng, 8)
    right = dni.calc_check_digit(body)
    return body + rng.choice([letter for letter in "TRWAGMYFPDXBNJZSQVHLCKE" if letter != right])


def _not_luhn(rng: random.Random) -> str:
    body = "4" + "".join(rng.choice(string.digits) for _ in range(14))
    return body + str((int(luhn.calc_check_digit(body)) + rng.randint(1, 9)) % 10)


def _sha(rng: random.Random) -> str:
    return rng.choice((hashlib.sha1, hashlib.sha256, hashlib.md5))(rng.randbytes(8)).hexdigest()


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _ean(rng: random.Random) -> str:
    return rng.choice(("978", "979", "843", "541")) + "".join(rng.choice(string.digits) for _ in range(10))


def _base64(rng: random.Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def _png(rng: random.Random) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + rng.randbytes(rng.choice((60, 300, 900)))).decode()


def _version(rng: random.Random) -> str:
    return ".".join(str(rng.randint(0, 40)) for _ in range(rng.choice((3, 4))))


NUMBERS: tuple[Callable[[random.Random], str], ...] = (
    lambda r: f"El pedido {_off_by_one(r)} llega mañana por la tarde.", lambda r: f"Referencia de catálogo {r.choice('XYZ')}{number(r, 7)}{r.choice('IOU')}.",
    lambda r: f"Order #{number(r, 8)}-{number(r, 4)} was shipped.", lambda r: f"Tracking 1Z{draw(r, string.ascii_uppercase + string.digits, 16)}",
    lambda r: f"ISBN {_ean(r)[:3]}-{number(r, 1)}-{number(r, 4)}-{number(r, 4)}-{number(r, 1)}", lambda r: f"EAN {_ean(r)}", lambda r: f"Sample {_not_luhn(r)} fails the Luhn test: why?",
    lambda r: f"Compute {number(r, 8)} * {number(r, 8)} without a calculator.", lambda r: f"What is {number(r, 12)} in hexadecimal?", lambda r: f"¿Es primo {number(r, 9)}?",
    lambda r: f"seed={number(r, 10)}, steps={number(r, 6)}", lambda r: f"{number(r, 4)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}T{r.randint(0, 23):02d}:15:{r.randint(0, 59):02d}.{number(r, 6)}Z ok",
    lambda r: f"lat {r.uniform(-90, 90):.6f}, lon {r.uniform(-180, 180):.6f}", lambda r: f"{r.random() * 1e6:.10f} {r.random():.15f} {r.random() * 1e3:.8f}", lambda r: f"version {_version(r)} released, upgrade from {_version(r)}",
    lambda r: f"Factura {r.randint(2015, 2026)}/{number(r, 6)} por {r.randint(1, 9)}.{number(r, 3)},{number(r, 2)} €", lambda r: f"SKU {draw(r, string.ascii_uppercase, 3)}-{number(r, 5)}-{draw(r, string.ascii_uppercase, 2)}",
    lambda r: f"unix time {number(r, 10)} and {number(r, 13)} ms", lambda r: f"The population was {number(r, 1)},{number(r, 3)},{number(r, 3)} in 1990.", lambda r: f"Expediente interno {r.randint(2010, 2026)}-{number(r, 5)} de la obra",
    lambda r: f"a = {number(r, 6)}; b = {number(r, 9)}; gcd(a, b)?", lambda r: f"vuelo IB{number(r, 4)} puerta {r.choice('ABCD')}{r.randint(1, 80)}", lambda r: f"DOI 10.{number(r, 4)}/s{number(r, 5)}-0{number(r, 2)}-{number(r, 5)}-{r.randint(0, 9)}",
    lambda r: f"arXiv:{r.randint(10, 25)}{r.randint(1, 12):02d}.{number(r, 5)}", lambda r: f"CAS {number(r, 5)}-{number(r, 2)}-{number(r, 1)}, boiling point {r.randint(30, 300)} °C", lambda r: f"chip {draw(r, string.ascii_uppercase, 3)}{number(r, 4)}{draw(r, string.ascii_uppercase, 2)} datasheet",
)  # fmt: skip
CODE: tuple[Callable[[random.Random], str], ...] = (
    lambda r: f"git checkout {_sha(r)[:40]}", lambda r: f"commit {_sha(r)}\nAuthor: nobody\n\n    fix build", lambda r: f"fixes {_sha(r)[:7]} and {_sha(r)[:12]}", lambda r: f"sha256:{hashlib.sha256(r.randbytes(4)).hexdigest()}",
    lambda r: f"image: nginx@sha256:{hashlib.sha256(r.randbytes(4)).hexdigest()}", lambda r: f'"integrity": "sha512-{_base64(r, 64)}"', lambda r: f"id: {_uuid(r)}", lambda r: f"trace {_uuid(r)} took {r.randint(2, 900)} ms", lambda r: f"GET /api/v2/orders/{_uuid(r)}?page=2 200",
    lambda r: f"numpy=={_version(r)} torch=={_version(r)} --hash=sha256:{hashlib.sha256(r.randbytes(4)).hexdigest()}", lambda r: f'<img src="data:image/png;base64,{_png(r)}">', lambda r: f"ETag: \"{draw(r, HEX, 32)}\"", lambda r: f"md5sum a.iso: {draw(r, HEX, 32)}",
    lambda r: f"call_{draw(r, ALPHANUMERIC, 24)}", lambda r: f'{{"id": "chatcmpl-{draw(r, ALPHANUMERIC, 29)}", "object": "chat.completion"}}', lambda r: f"toolu_01{draw(r, '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz', 22)}", lambda r: f'{{"tool_call_id": "call_{draw(r, ALPHANUMERIC, 24)}", "content": "42"}}',
    lambda r: f"color: #{draw(r, HEX, 6)}; background: #{draw(r, HEX, 8)}", lambda r: "\n".join(f"{i:08x}  {' '.join(draw(r, HEX, 2) for _ in range(16))}" for i in range(0, 64, 16)), lambda r: f"0x{draw(r, HEX, 16)} in free() at malloc.c:{r.randint(100, 5000)}",
    lambda r: f"-----BEGIN CERTIFICATE-----\n{chr(10).join(_base64(r, 48) for _ in range(8))}\n-----END CERTIFICATE-----", lambda r: f"-----BEGIN PUBLIC KEY-----\n{_base64(r, 48)}\n{_base64(r, 48)}\n-----END PUBLIC KEY-----", lambda r: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_base64(r, 31)} build",
    lambda r: f"def hash_password(password: str, rounds: int = {r.randint(8, 14)}) -> str:\n    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds))", lambda r: "token = request.headers['Authorization'].split()[1]", lambda r: "api_key = os.environ['API_KEY']\nclient = Client(api_key=api_key)",
    lambda r: "password: ${{ secrets.DB_PASSWORD }}", lambda r: "SECRET_KEY=<your-secret-key>", lambda r: "export TOKEN=$(cat token.txt)", lambda r: "const { password, passwordConfirm } = req.body;", lambda r: "if user.password != form.password2.data: raise ValidationError", lambda r: "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
    lambda r: f"max_tokens={r.randint(10, 4000)}, token_limit: {r.randint(1000, 9999)}", lambda r: "http://localhost:8080/health and http://127.0.0.1:5000", lambda r: "ping 192.168.1.1; default via 192.168.0.1 dev eth0", lambda r: f"listen 0.0.0.0:{r.randint(1024, 9999)}; server 203.0.113.{r.randint(1, 250)}",
    lambda r: "10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 are private", lambda r: "self.local = threading.local(); app.internal.state = None", lambda r: f"docker run -p 5432:5432 -v data:/var/lib postgres:{r.randint(12, 17)}", lambda r: "postgres://user:password@localhost:5432/db", lambda r: "mysql://root:<password>@db/shop",
    lambda r: f"SELECT id, password_hash FROM users WHERE id = {number(r, 6)};", lambda r: f"std::vector<uint64_t> v{{0x{draw(r, HEX, 16)}ULL}};", lambda r: f"key={r.choice(('Enter', 'ArrowLeft', 'Escape'))} keyCode={r.randint(8, 200)}", lambda r: f"/var/lib/docker/overlay2/{draw(r, HEX, 64)}/merged", lambda r: f"s3://models/{_uuid(r)}/weights-{r.randint(1, 9):05d}.bin",
    lambda r: f"app-7d9f{draw(r, HEX, 6)}-{draw(r, 'bcdfghjklmnpqrstvwxz2456789', 5)}   1/1 Running", lambda r: f"https://github.com/a/b/blob/{draw(r, HEX, 40)}/src/x.py#L{r.randint(1, 99)}", lambda r: f"https://www.youtube.com/watch?v={draw(r, ALPHANUMERIC, 11)}", lambda r: f"main.{draw(r, HEX, 20)}.js 148 kB", lambda r: f"torch.Size([{r.randint(1, 64)}, {r.randint(100, 999)}, {r.randint(100, 999)}])",
)  # fmt: skip
PROSE = (
    "What is a national identity number, and why does the Spanish one end in a letter?", "Escribe una plantilla de contrato con huecos: nombre, DNI, domicilio.", "Explain how IBAN check digits are computed.", "Write a regular expression that matches e-mail addresses.",
    "Nombre: ____________ Apellidos: ____________ DNI: ____________", "Name: [your name]\nAddress: [your address]\nPhone: [your phone]", "My name is a palindrome; can you guess it?", "Me llamo la atención cuando me distraigo.", "¿Cómo se cambia la contraseña en Windows 11?", "How do I reset my password on Ubuntu 22.04?",
    "The password must be 8-12 characters long and contain at least 1 digit.", "La contraseña debe tener entre 8 y 16 caracteres.", "¿Qué es un token JWT y para qué sirve?", "Summarise the history of Calle Mayor in Madrid.", "What is at 10 Downing Street?", "Why is Dr. Martin Luther King remembered?", "Who was Mr. Sherlock Holmes?",
    "Mr. Brown has 12 apples and gives 5 to Mrs. Green. How many are left?", "Marie Curie was born on 7 November 1867 in Warsaw.", "Write a biography of a scientist born in 1955.", "Describe the symptoms of influenza for a school poster.", "¿Qué diferencia hay entre un virus y una bacteria?", "Translate 'the patient waits' into Spanish.",
    "What does a cardiologist do?", "Explain what a VIN is.", "Generate a random UUID in Python.", "What is the postal code system of Spain?", "Compare IPv4 with IPv6.", "¿Cuál es la capital de Mongolia?", "Explain the Luhn algorithm with an example.", "A train leaves at 09:15 and arrives at 14:40; how long does it take?", "Traduce: the key to success is patience.",
    "The secret to good bread is time.", "What is the token economy in psychology?", "La clave del éxito es la paciencia.", "Explica la ley de la oferta y la demanda.", "El paciente inglés es una película de 1996.", "Doctor Zhivago or Mr. Darcy: who is the better hero?", "What is a MAC address?", "Is .local a valid top-level domain?", "Rewrite: please call me back when you can.",
    "How many seconds are there in 365 days?", "If x^2 + 5x + 6 = 0, find x.", "Let f(n) = 3n + 7; compute f(1234567).", "\\int_0^{2\\pi} \\sin^2(x)\\,dx = \\pi", "ACGTACGTTAGCCGATATCGGCTAAGCTTACG is a DNA strand; find its complement.", "1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 4. Ba4 Nf6", "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.",
)  # fmt: skip


def texts(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """Kind and text; `each` of every kind but prose, which there is as it stands."""
    rng = random.Random(seed)
    for turn in range(each):
        yield "near-miss numbers", NUMBERS[turn % len(NUMBERS)](rng)
        yield "code, hashes, ids", CODE[turn % len(CODE)](rng)
    for text in PROSE:
        yield "questions", text
