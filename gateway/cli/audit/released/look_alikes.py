"""Texts that look like identifiers, secrets or blobs and are none: each has to get out."""

import base64
import gzip
import hashlib
import json
import random
import uuid
from collections.abc import Iterator, Mapping
from itertools import cycle

from gateway.cli.audit.cases import CLEAN, AuditCase, Numbers, released
from gateway.cli.audit.planted.dialects import TALKING, message, response
from gateway.cli.audit.planted.places import CHAT, Place, chat
from gateway.cli.audit.stories import story

GROUP = "released"
_draw = random.Random(2028)  # noqa: S311 - made-up ids, no secret


def _bytes(count: int) -> bytes:
    return _draw.randbytes(count)


def _b64(count: int) -> str:
    return base64.b64encode(_bytes(count)).decode()


def _lines(text: str, width: int = 64) -> str:
    return "\n".join(text[place : place + width] for place in range(0, len(text), width))


def _uuid() -> str:
    return str(uuid.UUID(bytes=_bytes(16), version=4))


def _go_sum() -> str:
    modules = ("golang.org/x/sys v0.27.0", "golang.org/x/text v0.20.0/go.mod", "github.com/spf13/cobra v1.8.1")
    return "\n".join(f"{module} h1:{_b64(32)}" for module in modules)


# Made for this: nobody has its private key.
_CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBpzCCAU2gAwIBAgIUKyyo00nUV2zqhdZkPcpKLOy8DSQwCgYIKoZIzj0EAwIw\n"
    "KTEVMBMGA1UEAwwMdGVzdC5pbnZhbGlkMRAwDgYDVQQKDAdQcnVlYmFzMB4XDTI2\n"
    "MTEyODEyMDgzNVoXDTI3MTEyODEyMDgzNVowKTEVMBMGA1UEAwwMdGVzdC5pbnZh\n"
    "bGlkMRAwDgYDVQQKDAdQcnVlYmFzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
    "n+to47eM76y2SlWT9iHN8iDrKNzPz596ngY3car8/2fq54c5DV0ksrHgiY7s6ga9\n"
    "GIGRUKDPaq2y+OkExztjLqNTMFEwHQYDVR0OBBYEFHIzx2kzPYFQfJCVGg5/mtMn\n"
    "81A1MB8GA1UdIwQYMBaAFHIzx2kzPYFQfJCVGg5/mtMn81A1MA8GA1UdEwEB/wQF\n"
    "MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAI9vbiLFsDaNOz/uU/t1SOnNEcrozIf+\n"
    "PgQHOC7AljuJAiB6/BxefwV0PKX2xtioVhCr3DWWYBN0wqJUiS7oq4zVyg==\n"
    "-----END CERTIFICATE-----\n"
)
_PUBLIC_KEY = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEn+to47eM76y2SlWT9iHN8iDrKNzP\n"
    "z596ngY3car8/2fq54c5DV0ksrHgiY7s6ga9GIGRUKDPaq2y+OkExztjLg==\n"
    "-----END PUBLIC KEY-----\n"
)
_PGP = base64.b64encode(bytes.fromhex("89013304000108001d162104") + _bytes(298)).decode()
_MINIFIED = (
    '!function(e,t){"object"==typeof exports?module.exports=t():e.app=t()}(this,function(){var n=0x1f,r=[0,1,3,7,15];'
    'function i(e){return e<<3^e>>>29}for(var o=0;o<r.length;o++)n=i(n^r[o])&4294967295;return{v:n,f:i,k:"a1b2"}});'
)
_CIRCLE = "M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2zm0 18c-4.41 0-8-3.59-8-8s3.59-8 8-8"
_SOURCE_MAP = {"mappings": "AAAA,SAASA,EAAIC,GACX,OAAOA,EAAI,CACb,CAACC,QAAQC,IAAIH,EAAI", "names": ["a"], "version": 3}
_TABLE = "\n".join(f"| {1995 + row} | {row * 7919} | {row * 1.7:.2f} % |" for row in range(25))
# Texts that look like much and are nobody's, by kind.
_LOOKS: Mapping[str, tuple[str, ...]] = {
    "ids": (
        f"The job {_uuid()} waits for {_uuid()}.",
        f"trace-id: 00-{_bytes(16).hex()}-{_bytes(8).hex()}-01",
        f"Which of these is a version 4 UUID: {_uuid().upper()} or {_uuid()}?",
        f"call_{_b64(18).replace('/', 'a').replace('+', 'b')} returned nothing.",
        f"arn:aws:s3:::bucket-of-tests/{_uuid()}/part-0001.parquet",
        "ISBN 978-0-13-468599-1, DOI 10.1145/3368089.3409741, ORCID pages, RFC 9110.",
        f"kubectl get pod web-{_bytes(4).hex()}-x7k2p -o yaml",
        f"{{\"request_id\": \"req_{_bytes(12).hex()}\", \"etag\": \"W/\\\"{_bytes(10).hex()}\\\"\"}}",
    ),
    "hashes": (
        f"git revert {_bytes(20).hex()} and then cherry-pick {_bytes(20).hex()[:12]}",
        f"sha256:{_bytes(32).hex()} is the digest of the image.",
        f"{_bytes(16).hex()}  backup.tar.gz\n{_bytes(16).hex()}  notes.txt",
        f"index {_bytes(4).hex()[:7]}..{_bytes(4).hex()[:7]} 100644\n--- a/main.py\n+++ b/main.py",
        _go_sum(),
        f"\"integrity\": \"sha512-{_b64(64)}\"",
        f"pip install foo==1.2 --hash=sha256:{_bytes(32).hex()}",
        f"SRI: <script src=a.js integrity=\"sha384-{_b64(48)}\"></script>",
        f"checksum = \"{_bytes(32).hex()}\"\nname = \"serde\"\nversion = \"1.0.203\"",
        hashlib.sha512(b"audit").hexdigest(),
    ),
    "certificates and public keys": (
        _CERTIFICATE,
        f"Is this certificate still valid?\n{_CERTIFICATE}",
        _PUBLIC_KEY,
        f"{_CERTIFICATE}Why does a%20b stand in the log behind it?",
        "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + _bytes(32)).decode() + " build@host",
        "ssh-rsa " + base64.b64encode(b"\0\0\0\x07ssh-rsa\0\0\0\x03\1\0\1\0\0\1\1\0" + _bytes(256)).decode(),
        f"SHA256:{_b64(32).rstrip('=')} is the fingerprint that ssh shows.",
        f"-----BEGIN PGP SIGNATURE-----\n\n{_lines(_PGP)}\n=Ab3d\n-----END PGP SIGNATURE-----",
    ),
    "code": (
        f"What does this do? {_MINIFIED}",
        f"{_MINIFIED * 6}\n//# sourceMappingURL=app.min.js.map",
        ".a{color:#ff8800;background:#0a0a0a80}.b>*{margin:0 0 0 -4px}@media(max-width:600px){.a{display:none}}",
        _CIRCLE,
        "mov eax, 0x7fffffff; shl rax, 0x20; xor r8, 0x9e3779b97f4a7c15; ret",
        "0000000: 7f45 4c46 0201 0100 0000 0000 0000 0000\n0000010: 0300 3e00 0100 0000 c05d 0000 0000 0000",
        "^(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)$ explain this expression",
        "\\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2} \\approx 0.886226925452758",
        json.dumps(_SOURCE_MAP),
        "const T=[0x00000000,0x77073096,0xee0e612c,0x990951ba,0x076dc419,0x706af48f,0xe963a535,0x9e6495a3];",
    ),
    "numbers": (
        "\n".join(f"{row},{row * 37 % 101},{row * row * 7},{row / 7:.4f}" for row in range(1, 30)),
        f"| year | units | margin |\n|---|---|---|\n{_TABLE}",
        json.dumps([[round(_draw.uniform(-1, 1), 6) for _ in range(16)] for _ in range(4)]),
        json.dumps([_draw.randrange(1000) for _ in range(200)]),
        json.dumps({"rows": [{"x": n, "y": n * n, "t": 1790000000 + 60 * n} for n in range(30)]}),
        "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899",
        "40.416775, -3.703790; 41.385064, 2.173403; 37.389092, -5.984459",
        "2027-01-02T03:04:05.678Z INFO took 1234567 ns\n2027-01-02T03:04:06.001Z INFO took 7654321 ns",
        "192 168 0 1 are the four numbers of an address; 255 255 255 0 those of a mask.",
        "Fibonacci: 1 1 2 3 5 8 13 21 34 55 89 144 233 377 610 987 1597 2584 4181 6765 10946 17711 28657",
    ),
    "encoded": (
        base64.b64encode(story("harmless, base64").encode()).decode(),
        base64.b64encode("Mañana habrá niebla en el río, y después saldrá el sol.".encode("cp1252")).decode(),
        base64.b64encode(story("harmless, UTF-16").encode("utf-16-le")).decode(),
        base64.b64encode(gzip.compress(story("harmless, gzip").encode(), mtime=0)).decode(),
        json.dumps(list(story("harmless, bytes", 1).encode())),
        "https://example.org/search?q=caf%C3%A9%20con%20leche&lang=es&page=2#results",
        "Ma=C3=B1ana habr=C3=A1 niebla en el r=C3=ADo.",
        "&lt;p&gt;caf&eacute; &amp; t&eacute;&lt;/p&gt;",
        "\\u00bfQu\\u00e9 hora es?",
        "data:text/plain;base64,SG9sYSwgbXVuZG8u",
        story("harmless, hexadecimal", 1).encode().hex(),
    ),
}  # fmt: skip
_SEALED: Mapping[str, Place] = {
    "encrypted reasoning": response(
        lambda body, text: body["input"].append(
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAA" + text}
        )
    ),
    "signed thinking": message(
        lambda body, text: body["messages"].extend(
            [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Let me see.", "signature": "Er8C" + text},
                        {"type": "text", "text": "Yes."},
                    ],
                },
                {"role": "user", "content": "Thanks, and why?"},
            ]
        )
    ),
    "a thought's signature": chat(
        lambda body, text: body["messages"].extend(
            [
                {"role": "assistant", "content": "Yes.", "extra_content": {"google": {"thought_signature": text}}},
                {"role": "user", "content": "Thanks, and why?"},
            ]
        )
    ),
}


def look_alikes(numbers: Numbers) -> Iterator[AuditCase]:
    """Yield what looks like an identifier, a secret or a blob and is none, said in turn in every dialect and place."""
    turn = cycle((*TALKING.values(), CHAT["tool result"], CHAT["system"], CHAT["tool call"]))
    for kind, texts in _LOOKS.items():
        for number, text in enumerate(texts, 1):
            for place in (CHAT["user"], next(turn)):
                yield released(
                    f"{GROUP}: {kind}", f"{kind} {number}, {place.path}", place, numbers.marker(), f"\n{text}"
                )
    for name, place in _SEALED.items():
        for size in (96, 700, 4000):
            yield released(f"{GROUP}: sealed by a provider", f"{name}, {size}", place, numbers.marker(), _b64(size))


def asked_last(numbers: Numbers) -> list[AuditCase]:
    """Return clean requests that are asked after everything else."""
    return [
        released(f"{GROUP}: asked last", text[:48], place, numbers.marker(), text)
        for text, place in zip(CLEAN, cycle(TALKING.values()), strict=False)
    ]
