"""Hidden is not safe: whatever encoding, look-alike or break a value wears, at whatever place, it is found."""

import base64
import gzip
import html
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.document import freeze_object
from gateway.privacy import Inspector

Encoding = Callable[[str], str]


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text)


ENCODINGS: dict[str, Encoding] = {
    "base64": lambda t: base64.b64encode(t.encode()).decode(),
    "base64url": lambda t: base64.urlsafe_b64encode(t.encode()).decode().rstrip("="),
    "base64 of UTF-16": lambda t: base64.b64encode(t.encode("utf-16-le")).decode(),
    "hex": lambda t: t.encode().hex(),
    "hex pairs": lambda t: t.encode().hex(":"),
    "quoted printable": lambda t: "".join(f"={b:02X}" for b in t.encode()),
    "bytes": lambda t: "".join(f"\\x{b:02x}" for b in t.encode()),
    "percent": lambda t: quote(t, safe="") if quote(t, safe="") != t else "".join(f"%{b:02X}" for b in t.encode()),
    "entities": lambda t: "".join(f"&#{ord(c)};" for c in t),
    "named": html.escape,
    "unicode": escaped,
    "gzip": lambda t: base64.b64encode(gzip.compress(t.encode(), mtime=0)).decode(),
    "zlib": lambda t: base64.b64encode(zlib.compress(t.encode())).decode(),
    "json": lambda t: json.dumps({"value": t}),
}
SECRETS = [
    ("id.national", "DNI 12345678Z"),
    ("financial.iban", "ES9121000418450200051332"),
    ("financial.card", "4111 1111 1111 1111"),
    ("secret", "ghp_a8Kd93jfLq02mZx71PwVn5RtYbCs4EuGh6Jo"),
    ("contact.email", "maria.lopez@clinica-sol.es"),
]
PLACES = ("content", "system", "arguments", "tool", "key", "metadata", "stop", "schema", "unknown")


def document(place: str, text: str) -> dict[str, object]:
    """A request that holds the text at that place."""
    body: dict[str, object] = {"model": "auto", "messages": [{"role": "user", "content": "hola"}]}
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": text})}}
    match place:
        case "content":
            body["messages"] = [{"role": "user", "content": f"mira esto {text} gracias"}]
        case "system":
            body["messages"] = [{"role": "system", "content": text}, {"role": "user", "content": "hola"}]
        case "arguments":
            body["messages"] = [{"role": "assistant", "content": None, "tool_calls": [call]}]
        case "tool":
            body["messages"] = [{"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": text}]}]
        case "key":
            body["metadata"] = {text: "x"}
        case "metadata":
            body["metadata"] = {"note": text}
        case "stop":
            body["stop"] = [text]
        case "schema":
            body["tools"] = [{"type": "function", "function": {"name": "f", "parameters": {"description": text}}}]
        case _:
            body["never_seen_field"] = [[{"deep": [text]}]]
    return body


@given(
    secret=st.sampled_from(SECRETS),
    place=st.sampled_from(PLACES),
    layers=st.lists(st.sampled_from(sorted(ENCODINGS)), max_size=3),
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_secret_at_any_place_under_any_encodings_is_found(
    inspector: Inspector, secret: tuple[str, str], place: str, layers: list[str]
) -> None:
    """A secret at any place under any encodings is found by its category, never merely as a doubt."""
    category, text = secret
    for layer in layers:
        text = ENCODINGS[layer](text)
    inspection = inspector.inspect(freeze_object(document(place, text)))
    assert any(f.category.startswith(category) for f in inspection.findings), (layers, text)


@pytest.mark.parametrize(
    ("category", "text"),
    [
        ("id.national", "１２３４５６７８Ｚ"),
        ("id.national", "12345678\u200bZ"),
        ("id.national", "1\u200d2\u200d3\u200d4\u200d5\u200d6\u200d7\u200d8\u200dZ"),
        ("id.national", "١٢٣٤٥٦٧٨Z"),
        ("id.national", "1 2 3 4 5 6 7 8 Z"),
        ("id.national", "1-2-3-4-5-6-7-8-Z"),
        ("id.national", "el DNI 1234\n5678Z"),
        ("id.national", "𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖Z"),
        ("financial.card", "4111–1111–1111–1111"),
        ("financial.card", "tarjeta 4111 1111\n1111 1111"),
        ("financial.iban", "ЕS91 2100 0418 4502 0005 1332"),
        ("financial.iban", "ES91 2100 0418\n4502 0005 1332"),
        ("secret", "ghp_a8Kd93jfLq02mZx71P\nwVn5RtYbCs4EuGh6Jo"),
        ("secret", "ｇｈｐ_a8Kd93jfLq02mZx71PwVn5RtYbCs4EuGh6Jo"),
        ("contact.email", "maria.lopez＠clinica-sol.es"),
        ("contact.email", "m a r i a . l o p e z @ c l i n i c a . e s"),
    ],
)
def test_a_disguise_that_a_person_sees_through_does_not_hide(inspector: Inspector, category: str, text: str) -> None:
    """Values are found through other digits, invisible characters, look-alikes, gaps and line breaks."""
    assert any(f.category.startswith(category) for f in inspector.inspect({"prompt": text}).findings)


@pytest.mark.parametrize(("first", "second"), [("mi DNI es 1234", "5678Z, apunta"), ("ES9121000418", "450200051332")])
def test_a_value_split_over_neighbouring_messages_is_found(inspector: Inspector, first: str, second: str) -> None:
    """A value is found when it is split over two messages of which neither holds one alone."""
    messages = ({"role": "user", "content": first}, {"role": "user", "content": second})
    assert inspector.inspect({"messages": messages}).findings
    assert not inspector.inspect({"messages": messages[:1]}).findings


def test_a_place_in_a_view_is_told_in_the_clients_own_text(inspector: Inspector) -> None:
    """The span covers the encoded piece in the client's text, and nothing before or behind it."""
    blob = base64.b64encode(b"mi DNI es 12345678Z").decode()
    text = f"antes %41 {blob} y después"
    spans = {(f.start, f.end) for f in inspector.inspect({"p": text}).findings}
    assert spans == {(text.index(blob), text.index(blob) + len(blob))}
    shifted = "ｈｏｌａ &amp; 12345678\u200bZ fin"
    spans = {shifted[f.start : f.end] for f in inspector.inspect({"p": shifted}).findings}
    assert spans == {"12345678\u200bZ"}


WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)


@given(before=WORDS, after=WORDS, secret=st.sampled_from(SECRETS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_adding_text_around_never_removes_a_category(
    inspector: Inspector, before: str, after: str, secret: tuple[str, str]
) -> None:
    """What is found stays found, whatever text stands beside it in words of its own."""
    category, text = secret
    inspection = inspector.inspect({"p": f"{before}\n\n {text} \n\n{after}"})
    assert inspection.doubts or any(f.category.startswith(category) for f in inspection.findings)


@given(text=st.text(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hyperscan_and_the_fallback_agree_on_anything(
    inspector: Inspector, plain_inspector: Inspector, text: str
) -> None:
    """With and without Hyperscan the findings are the same, also in nonsense."""
    fast, plain = inspector.inspect({"p": text}), plain_inspector.inspect({"p": text})
    assert (fast.findings, fast.doubts) == (plain.findings, plain.doubts)
