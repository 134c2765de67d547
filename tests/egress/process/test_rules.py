"""The second look: whatever the provider would read of a body is looked at, however the body is written."""

import hashlib
import os
from pathlib import Path

import pytest

from gateway.core.labels import Label
from gateway.core.request import Endpoint
from gateway.egress.messages import Claims
from gateway.egress.process.checking import NotSealed
from gateway.egress.process.rules import check_news
from gateway.privacy.inspection.quick import QuickLook
from gateway.privacy.settings import InspectionSettings

IBAN = b"ES91 2100 0418 4502 0005 1332"
JSON, FORM = "application/json", "multipart/form-data; boundary=b"
FILE = b'Content-Disposition: form-data; name="file"; filename="audio.wav"\r\nContent-Type: audio/wav'
FIELD = b'Content-Disposition: form-data; name="prompt"'


def form(head: bytes, content: bytes) -> bytes:
    return b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n--b--\r\n"


@pytest.fixture(scope="module")
def look() -> QuickLook:
    """The search, with the patterns that the whole run shares."""
    return QuickLook(InspectionSettings(), cache_dir=Path(os.environ["XDG_CACHE_HOME"]))


BODIES = {
    "a document": (JSON, b'{"a":"hello"}', ""),
    "news": (JSON, b'{"a":"%b"}' % IBAN, "new:financial.iban"),
    "one name twice": (JSON, b'{"a":"%b","a":"hello"}' % IBAN, "unreadable"),
    "one name twice, inside": (JSON, b'{"a":[{"b":"%b","b":1}]}' % IBAN, "unreadable"),
    "words behind the document": (JSON, b'{"a":"hello"} %b' % IBAN, "unreadable"),
    "a field": (FORM, form(FIELD, b"hello"), ""),
    "news in a field": (FORM, form(FIELD, IBAN), "new:financial.iban"),
    "news in a field's name": (FORM, form(FIELD.replace(b"prompt", IBAN), b"hello"), "new:financial.iban"),
    "news in a file's name": (FORM, form(FILE.replace(b"audio.wav", IBAN), b"hello"), "new:financial.iban"),
    "news in front of the parts": (FORM, IBAN + form(FIELD, b"hello"), "new:financial.iban"),
    "a file that is text": (FORM, form(FILE, IBAN), "new:financial.iban"),
    "a file that is sound": (FORM, form(FILE, b"RIFF\0\0\0\0" + IBAN), ""),
    "a file that is no text": (FORM, form(FILE, b"\xff\xfb" + IBAN), ""),
}


@pytest.mark.parametrize(("content_type", "body", "reason"), BODIES.values(), ids=BODIES)
def test_every_text_of_a_body_is_looked_at(content_type: str, body: bytes, reason: str, look: QuickLook) -> None:
    """The bytes of sounds and pictures are not: inspection has read them, or has said that nobody can."""
    claims = Claims(
        life=b"", nonce=b"", expires=0.0, request_id="r", target="big", label=Label.PUBLIC, endpoint=Endpoint.CHAT,
        policy="", known=(), prefix="", path="/chat/completions", content_type=content_type, size=len(body),
        digest=hashlib.sha256(body).digest(), most_bytes=1,
    )  # fmt: skip
    try:
        check_news(claims, body, look)
        found = ""
    except NotSealed as refused:
        found = refused.reason
    assert found == reason
