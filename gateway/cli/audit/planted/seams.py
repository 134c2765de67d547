"""Values cut between neighbouring strings: parts, messages, inputs, prompts, pages of tool results, arrays."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gateway.cli.audit.planted.encodings import CANARIES, Canary
from gateway.cli.audit.planted.places import CHAT, Body, Place, beside

Seam = Callable[[Sequence[str]], tuple[str, Callable[[str], Body]]]


def _chat(change: Callable[[Body, Sequence[str]], object]) -> Callable[[Sequence[str]], Place]:
    def place(pieces: Sequence[str]) -> Place:
        def body(marker: str, _: str) -> Body:
            made: Body = {"model": "auto", "messages": [{"role": "user", "content": f"{marker} hola"}]}
            change(made, pieces)
            return made

        return Place(path=CHAT["user"].path, body=body)

    return place


def _other(
    path: str, base: Callable[[str], Body], change: Callable[[Body, Sequence[str]], object]
) -> Callable[[Sequence[str]], Place]:
    return lambda pieces: beside(path, base, lambda body, _: change(body, pieces), left_out=False)


def _messages(*roles: str, between: str = "") -> Callable[[Body, Sequence[str]], None]:
    """Return a change that adds each piece as a message, with a sentence of the assistant between them or nothing."""

    def change(body: Body, pieces: Sequence[str]) -> None:
        for number, piece in enumerate(pieces):
            if number and between:
                body["messages"].append({"role": "assistant", "content": between})
            body["messages"].append({"role": roles[number % len(roles)], "content": piece})

    return change


def _pages(between: str) -> Callable[[Body, Sequence[str]], None]:
    """Return a change that adds each piece as a page that a tool returned, with what the assistant said between."""

    def change(body: Body, pieces: Sequence[str]) -> None:
        for number, piece in enumerate(pieces):
            call = {"id": f"c{number}", "type": "function", "function": {"name": "page", "arguments": f"[{number}]"}}
            body["messages"] += [
                {"role": "assistant", "content": between or None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": f"c{number}", "content": piece},
            ]

    return change


def _numbers(pieces: Sequence[str]) -> list[Any]:
    """Return the pieces, as numbers where they can be written so."""
    return [int(piece) if piece == piece.lstrip("0") and piece.isdigit() else piece for piece in pieces]


def _with(**fields: Callable[[Sequence[str]], object]) -> Callable[[Body, Sequence[str]], None]:
    return lambda body, pieces: body.update({name: make(pieces) for name, make in fields.items()})


def _tool_result(make: Callable[[Sequence[str]], str]) -> Callable[[Body, Sequence[str]], None]:
    return lambda body, pieces: _pages("")(body, [make(pieces)])


_EMBEDDED: Callable[[str], Body] = lambda said: {"input": [said]}  # noqa: E731 - a base among lambdas
SEAMS: Mapping[str, Callable[[Sequence[str]], Place]] = {
    "text parts": _chat(
        lambda body, pieces: body["messages"].append(
            {"role": "user", "content": [{"type": "text", "text": piece} for piece in pieces]}
        )
    ),
    "messages": _chat(_messages("user")),
    "messages, an answer between": _chat(_messages("user", between="Sigue, por favor.")),
    "messages of two": _chat(_messages("user", "assistant")),
    "system and developer": _chat(_messages("system", "developer")),
    "pages of a tool": _chat(_pages("")),
    "pages of a tool, a sentence between": _chat(_pages("Voy a leer la página siguiente.")),
    "lists of strings": _chat(_with(x_rows=list)),
    "lists of numbers": _chat(_with(x_rows=_numbers)),
    "columns": _chat(_with(x_rows=lambda pieces: [{"v": piece} for piece in pieces])),
    "rows": _chat(_with(x_rows=lambda pieces: [[piece] for piece in pieces])),
    "fields": _chat(_with(x_row=lambda pieces: {f"part{number}": piece for number, piece in enumerate(pieces)})),
    "stops": _chat(_with(stop=list)),
    "strings in a call's arguments": _chat(
        lambda body, pieces: body["messages"].append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps([*pieces])}}
                ],
            }
        )
    ),
    "strings in a tool's result": _chat(_tool_result(lambda pieces: json.dumps({"rows": [*pieces]}))),
    "numbers in a tool's result": _chat(_tool_result(lambda pieces: json.dumps({"rows": _numbers(pieces)}))),
    "strings in a text": _chat(_tool_result(lambda pieces: f"El resultado es {json.dumps([*pieces])} y nada más.")),
    "cells of a table": _chat(_tool_result(lambda pieces: f"| a | b |\n|---|---|\n| {' | '.join(pieces)} |")),
    "lines of a list": _chat(_tool_result(lambda pieces: "\n".join(f"- {piece}" for piece in pieces))),
    "prompts": _other(
        "/v1/completions", lambda said: {"prompt": [said]}, lambda body, pieces: body["prompt"].extend(pieces)
    ),
    "inputs": _other("/v1/embeddings", _EMBEDDED, lambda body, pieces: body["input"].extend(pieces)),
    "inputs, Ollama": _other("/api/embed", _EMBEDDED, lambda body, pieces: body["input"].extend(pieces)),
    "items, Responses": _other(
        "/v1/responses",
        lambda said: {"input": [{"role": "user", "content": said}]},
        lambda body, pieces: body["input"].extend({"role": "user", "content": piece} for piece in pieces),
    ),
    "outputs, Responses": _other(
        "/v1/responses",
        lambda said: {"input": [{"role": "user", "content": said}]},
        lambda body, pieces: body["input"].extend(_outputs(pieces)),
    ),
    "blocks, Anthropic": _other(
        "/v1/messages",
        lambda said: {"max_tokens": 5, "messages": [{"role": "user", "content": said}]},
        lambda body, pieces: body["messages"].append(
            {"role": "user", "content": [{"type": "text", "text": piece} for piece in pieces]}
        ),
    ),
    "system blocks, Anthropic": _other(
        "/v1/messages",
        lambda said: {"max_tokens": 5, "messages": [{"role": "user", "content": said}]},
        lambda body, pieces: body.update(system=[{"type": "text", "text": piece} for piece in pieces]),
    ),
    "messages, Ollama": _other(
        "/api/chat",
        lambda said: {"stream": False, "messages": [{"role": "user", "content": said}]},
        lambda body, pieces: body["messages"].extend({"role": "user", "content": piece} for piece in pieces),
    ),
}


def _outputs(pieces: Sequence[str]) -> Iterator[Body]:
    for number, piece in enumerate(pieces):
        yield {"type": "function_call", "call_id": f"c{number}", "name": "page", "arguments": "{}"}
        yield {"type": "function_call_output", "call_id": f"c{number}", "output": piece}


_CUTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "card": (("4111", "1111", "1111", "1111"), ("4111 1111", "1111 1111")),
    "iban": (("ES91 2100", "0418 4502 0005 1332"), ("ES91", "2100", "0418", "4502", "0005", "1332")),
    "dni": (("DNI 1234", "5678Z"), ("DNI 12345678", "Z")),
}
_LONG: Mapping[str, tuple[str, str]] = {
    "a line before": ("Éste es el comienzo de la lista: ", ""),
    "a line behind": ("", " es el final, y no hay más."),
}


def seams(*, full: bool = False) -> Iterator[tuple[Canary, str, Place, str]]:
    """Yield values cut in two or more: canary, name, place and the value as one (full: with words around, too)."""
    for canary in CANARIES:
        for number, pieces in enumerate(_CUTS.get(canary.name, ())):
            for name, seam in SEAMS.items():
                yield canary, f"{name}, in {len(pieces)}", seam(pieces), canary.text
                if full and not number:
                    for around, (before, behind) in _LONG.items():
                        told = (before + pieces[0], *pieces[1:-1], pieces[-1] + behind)
                        yield canary, f"{name}, {around}", seam(told), canary.text
