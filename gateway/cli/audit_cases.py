"""The audit's requests: canaries in every place and encoding, and clean requests that must pass."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from itertools import count
from urllib.parse import quote

import msgspec


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `marker` stands in its body and in no other's."""

    name: str
    sensitive: bool
    path: str
    body: dict[str, object]
    marker: str


_CANARIES = {
    "dni": "DNI 12345678Z",
    "iban": "ES91 2100 0418 4502 0005 1332",
    "card": "4111 1111 1111 1111",
    "e-mail": "maria.lopez@clinica-sol.es",
    "vendor key": "ghp_" + "a8Kd93jfLq02mZx71PwVn5RtYbCs4EuGh6Jo",
    "password": "la contraseña es Verano2291!",
    "diagnosis": "Me han diagnosticado VIH y no lo sabe nadie",
}
_ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "hexadecimal": lambda text: text.encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "entities": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "escapes": lambda text: "".join(f"\\u{ord(character):04x}" for character in text),
    "gzip": lambda text: base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode(),
    "json": lambda text: json.dumps({"value": text}),
    "percent in base64": lambda text: base64.b64encode(quote(text, safe="").encode()).decode(),
    "zero width": "\u200b".join,
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
}
_CLEAN = (
    "What is the capital of Portugal?",
    "Explica la fotosíntesis en dos frases.",
    "Write a Python function that reverses a list.",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b broke the build, why?",
    "¿Qué es la diabetes?",
    "If 12 apples cost 36 euros, how much do 7 cost?",
)


def cases() -> Iterator[Case]:
    """All of them."""
    numbers = count()
    for canary, text in _CANARIES.items():
        for encoding, encode in _ENCODINGS.items():
            yield _chat(f"{canary}, {encoding}, user message", encode(text), "content", next(numbers))
        for place in ("system", "arguments", "tool", "tool result", "key", "metadata", "stop", "user", "unknown"):
            yield _chat(f"{canary}, plain, {place}", text, place, next(numbers))
        for path, field in (("/v1/completions", "prompt"), ("/v1/embeddings", "input")):
            yield _other(f"{canary}, {path}", path, {"model": "auto"}, field, text, next(numbers))
        ranking: dict[str, object] = {"model": "auto", "documents": [{"text": text}]}
        yield _other(f"{canary}, /v1/rerank, query", "/v1/rerank", ranking, "query", text, next(numbers))
        yield _other(f"{canary}, /v1/rerank, text", "/v1/rerank", ranking, "query", "hola", next(numbers))
        message = {"role": "user", "content": text}
        for path, extra in (("/v1/messages", {"max_tokens": 5}), ("/api/chat", {"stream": False})):
            marker = f"Marker{next(numbers)}end"
            body = {"model": "auto", "messages": [{**message, "content": f"{marker} {text}"}], **extra}
            yield Case(name=f"{canary}, {path}", sensitive=True, path=path, body=body, marker=marker)
    for text in _CLEAN:
        yield _chat(f"clean: {text}", text, "content", next(numbers), sensitive=False)
    for path, field in (("/v1/completions", "prompt"), ("/v1/embeddings", "input")):
        case = _other(f"clean: {path}", path, {"model": "auto"}, field, _CLEAN[0], next(numbers))
        yield msgspec.structs.replace(case, sensitive=False)


def _other(name: str, path: str, body: dict[str, object], field: str, text: str, number: int) -> Case:
    marker = f"Marker{number}end"
    return Case(name=name, sensitive=True, path=path, body=body | {field: f"{marker} {text}"}, marker=marker)


def _chat(name: str, text: str, place: str, number: int, *, sensitive: bool = True) -> Case:
    marker = f"Marker{number}end"
    messages: list[dict[str, object]] = [{"role": "user", "content": f"{marker} hola"}]
    body: dict[str, object] = {"model": "auto", "max_tokens": 5, "messages": messages}
    given = json.dumps({"a": text if place == "arguments" else "x"})
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": given}}
    match place:
        case "content":
            messages[0]["content"] = f"{marker} {text}"
        case "system":
            messages.insert(0, {"role": "system", "content": text})
        case "arguments" | "tool result":
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            result = text if place == "tool result" else "done"
            messages.append({"role": "tool", "tool_call_id": "c1", "content": result})
        case "tool":
            function = {"name": "f", "description": text, "parameters": {"type": "object", "properties": {}}}
            body["tools"] = [{"type": "function", "function": function}]
        case "key":
            body["metadata"] = {text[:60]: "x"}
        case "metadata":
            body["metadata"] = {"note": text}
        case "stop":
            body["stop"] = [text]
        case "user":
            body["user"] = text
        case _:
            body["x_never_seen"] = {"deep": [[text]]}
    return Case(name=name, sensitive=sensitive, path="/v1/chat/completions", body=body, marker=marker)
