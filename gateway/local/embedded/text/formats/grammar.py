"""Grammars that hold an answer to a model's own format: a call of a tool, or JSON, behind whatever it thinks first.

In llguidance's Lark dialect: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import regex

from gateway.core.document import Json
from gateway.local.embedded.text.formats.answer_format import ID, NUMBER, AnswerFormat, Calls, Style, Tool
from gateway.local.embedded.text.formats.coercion import types_of
from gateway.local.embedded.text.formats.segments import first_marker
from gateway.local.embedded.text.formats.tool_schema import arguments_schema, parameter_schema

_OPTIONS = {"whitespace_flexible": True, "whitespace_pattern": r"[ \n\t]{0,24}"}  # as answers that are only JSON
_ANY_TEXT = "/(?s:.*)/"
_GEMMA_QUOTE = '<|"|>'
_GEMMA_KEY = "GEMMA_KEY: /[A-Za-z_][A-Za-z0-9_]{0,63}/"
_DEEPEST = 16  # levels of a schema that are held to; what is below may be any value


class GrammarWriter:
    """Writer of one grammar. Control tokens aren't text to llguidance, so that literals are cut where one stands."""

    def __init__(self, form: AnswerFormat, controls: Mapping[str, int], prompt: str, *, thinking: bool) -> None:
        """Begin a grammar.

        Args:
            form: of the model.
            controls: ids of the control tokens, by their text.
            prompt: what the answer goes on from.
            thinking: it ends inside a thought.
        """
        self._form = form
        self._controls = controls
        self._prompt = prompt
        self._thinking = thinking
        self._rules: list[str] = []
        self.schemas: list[object] = []  # all that the grammar holds to
        longest = sorted((regex.escape(text) for text in controls), key=len, reverse=True)
        self._cut = regex.compile(f"({'|'.join(longest)})" if longest else "(?!)")

    def json_answer(self, schema: object) -> str:
        """Return the grammar of an answer that is JSON by a schema."""
        content = self._form.content
        body = [self._literal(self._rest(content.open)), self._json(schema), self._literal(content.close)]
        return self._grammar(body)

    def required_call(self, tools: Iterable[Tool]) -> str:
        """Return the grammar of one call of one of the tools."""
        assert self._form.calls is not None
        return self._grammar([self._one_of(self._call(self._form.calls, tool) for tool in tools)])

    def strict_calls(self, tools: Iterable[Tool], strict: frozenset[str]) -> str:
        """Return the grammar of text in which there may be calls; those of `strict` tools follow their schema.

        Empty: in this format it can't be told where text ends and a call begins, so that the answer must be free.
        """
        calls = self._form.calls
        assert calls is not None
        opens = (calls.section.open + calls.call.open).lstrip()
        trigger = first_marker(opens)[0]
        control = next((text for text in self._controls if opens.startswith(text)), "")
        if calls.head or self._form.content.open or self._form.content_begin or not (control or trigger):
            return ""
        trigger = control or trigger
        rest = opens.partition(trigger)[2]
        free: dict[str, Json] = {"type": "object"}
        held = [tool if tool.name in strict else Tool(name=tool.name, parameters=free) for tool in tools]
        bodies = self._one_of(f"{self._literal(rest)} {self._end(calls, tool)}".strip() for tool in held)
        if control:
            text = self._named("FREE", _ANY_TEXT)
            return self._grammar([f"{text} ({self._literal(control)} {bodies} {text})*"])
        self._rules.append(f"upto[suffix={json.dumps(trigger)}]: {_ANY_TEXT}")
        text = self._named("FREE", f"{_ANY_TEXT} & ~/(?s:.*){_regex_of(trigger)}(?s:.*)/")
        return self._grammar([f"(upto {bodies})* {text}"])

    def _grammar(self, body: Iterable[str]) -> str:
        start = " ".join(part for part in [self._thought(), *body] if part)
        return "\n".join([f"start: {start}", *self._rules]) + "\n"

    def _thought(self) -> str:
        thought = self._form.thought
        if not thought.close or not (self._thinking or self._form.thinks):
            return ""
        text = self._until(thought.close)
        blank = self._named("BLANK", r"/[ \n]{0,3}/")
        return f"{text} {blank}" if self._thinking else f"({self._literal(thought.open)} {text} {blank})?"

    def _until(self, end: str) -> str:
        """Return a rule for any text, and the literal that ends it."""
        first = self._cut.match(end)
        if first is not None:
            return f"{self._named('TEXT', _ANY_TEXT)} {self._literal(end)}"
        control = self._cut.search(end)
        plain, rest = (end[: control.start()], end[control.start() :]) if control is not None else (end, "")
        name = f"until_{len(self._rules)}"
        self._rules.append(f"{name}[suffix={json.dumps(plain, ensure_ascii=False)}]: {_ANY_TEXT}")
        return f"{name} {self._literal(rest)}".strip()

    def _call(self, calls: Calls, tool: Tool) -> str:
        opens = self._rest((calls.section.open + calls.call.open).replace("{name}", tool.name))
        return f"{self._literal(opens)} {self._end(calls, tool)}".strip()

    def _end(self, calls: Calls, tool: Tool) -> str:
        """Return the rule of a call from its body on."""
        return f"{self._body(calls, tool)} {self._literal(calls.call.close + calls.section.close)}".strip()

    def _body(self, calls: Calls, tool: Tool) -> str:
        schema = arguments_schema(tool.parameters)
        name = self._literal(tool.name)
        match calls.style:
            case Style.OBJECT:
                return self._object(calls, tool.name, schema)
            case Style.NAMED_JSON:
                return f"{name} {self._literal(calls.name_end)} {self._json(schema)}"
            case Style.TAGS:
                return f"{name} {self._literal(calls.name_end)} {self._parameters(calls, tool)}".strip()
            case Style.PYTHON:
                pairs = [(needed, f"{self._literal(key + '=')} {self._json(one)}") for key, one, needed in _items(tool)]
                return f'"[" {name} "(" {_listed(pairs, ", ")} ")]"'
            case Style.GEMMA:
                return f"{name} {self._gemma({'type': 'object', **tool.parameters}, 0)}"

    def _object(self, calls: Calls, name: str, schema: object) -> str:
        """Return the rule of a call that is a JSON object, with the blanks that templates show."""
        keys = calls.keys
        said = json.dumps(name, ensure_ascii=False)
        if keys.name:
            before = f"{{{_quoted(keys.outer)}: {{" if keys.outer else "{"
            number = f'{_quoted(keys.id)}: "{NUMBER}", ' if keys.id else ""
            before += f"{number}{_quoted(keys.name)}: {said}, {_quoted(keys.arguments)}: "
        else:
            before = f"{{{said}: "
        after = "}}" if keys.outer else "}"
        before, after = (f"[{before}", f"{after}]") if keys.array else (before, after)
        return f"{self._literal(before)} {self._json(schema)} {self._literal(after)}"

    def _parameters(self, calls: Calls, tool: Tool) -> str:
        parts = []
        for key, schema, needed in _items(tool):
            types = types_of(tool.parameters, key)
            close = calls.parameter.close.replace("{key}", key)
            lead = self._literal(calls.parameter.open + key + _key_end(calls, types))
            if types == {"string"} or "{key}" in calls.parameter.close:
                value = self._text_value(schema, close)
            else:
                value = f"{self._json(schema)} {self._literal(close)}"
            parts.append(f"{lead} {value}" if needed else f"({lead} {value})?")
        return " ".join(parts)

    def _text_value(self, schema: object, close: str) -> str:
        choices = schema.get("enum") if isinstance(schema, Mapping) else None
        said = [choice for choice in choices if isinstance(choice, str)] if isinstance(choices, list) else []
        if said:
            return f"{self._one_of(map(self._literal, said))} {self._literal(close)}"
        return self._until(close.lstrip("\n"))  # the value may end in what looks like the tag's own line end

    def _gemma(self, schema: Json, depth: int) -> str:
        """Return the rule of a value in Gemma's braces."""
        kind = schema.get("type") if isinstance(schema, Mapping) and depth < _DEEPEST else None
        match kind:
            case "string":
                return self._gemma_text()
            case "integer" | "number" | "boolean" | "null":
                return self._json(schema)
            case "array" if isinstance(schema, Mapping):
                item = self._gemma(schema.get("items", {}), depth + 1)
                return f'"[" ({item} ("," {item})*)? "]"'
            case "object" if isinstance(schema, Mapping) and schema.get("properties"):
                pairs = [
                    (needed, f"{self._literal(key + ':')} {self._gemma(one, depth + 1)}")
                    for key, one, needed in _items(Tool(name="", parameters=schema))
                ]
                return f'"{{" {_listed(pairs, ",")} "}}"'
            case "object":
                return self._gemma_any("gemma_object")
            case _:
                return self._gemma_any("gemma_any")

    def _gemma_text(self) -> str:
        return f"{self._literal(_GEMMA_QUOTE)} {self._until(_GEMMA_QUOTE)}"

    def _gemma_any(self, rule: str) -> str:
        """Return the rule of any value, or any object."""
        if _GEMMA_KEY not in self._rules:
            self._rules.append(_GEMMA_KEY)
            scalar = self._json({"type": ["number", "boolean", "null"]})
            self._named("gemma_pair", 'GEMMA_KEY ":" gemma_any')
            self._named("gemma_object", '"{" (gemma_pair ("," gemma_pair)*)? "}"')
            self._named("gemma_list", '"[" (gemma_any ("," gemma_any)*)? "]"')
            self._named("gemma_any", f"{self._gemma_text()} | gemma_object | gemma_list | {scalar}")
        return rule

    def _json(self, schema: object) -> str:
        rule = f"json_{len(self._rules)}"
        self.schemas.append(schema)
        whole = {**schema, "x-guidance": _OPTIONS} if isinstance(schema, dict) else schema
        self._rules.append(f"{rule}: %json {json.dumps(whole, ensure_ascii=False)}")
        return rule

    def _named(self, name: str, body: str) -> str:
        if (line := f"{name}: {body}") not in self._rules:
            self._rules.append(line)
        return name

    def _literal(self, text: str) -> str:
        """Return a literal: strings, and control tokens by their ids."""
        parts = []
        for part in self._cut.split(text):
            if part in self._controls:
                parts.append(f"<[{self._controls[part]}]>")
            elif part:
                parts += _strings(part)
        return " ".join(parts)

    def _rest(self, text: str) -> str:
        """Return a literal without the beginning that the prompt ends with."""
        long = next((count for count in range(len(text), 0, -1) if self._prompt.endswith(text[:count])), 0)
        return text[long:] if not self._thinking else text

    @staticmethod
    def _one_of(bodies: Iterable[str]) -> str:
        several = list(bodies)
        return several[0] if len(several) == 1 else "(" + " | ".join(several) + ")"


def _strings(text: str) -> list[str]:
    parts = []
    for part in regex.split(f"([{ID}{NUMBER}])", text):
        if part == ID:
            parts.append("/[a-zA-Z0-9]{9}/")
        elif part == NUMBER:
            parts.append("/[0-9]{1,3}/")
        elif part:
            parts.append(json.dumps(part, ensure_ascii=False))
    return parts


def _regex_of(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\/.+*?()|[]{}^$" else letter for letter in text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _items(tool: Tool) -> list[tuple[str, Any, bool]]:
    """Return each parameter with its schema and whether it must be there; those that must come first."""
    properties, required = tool.parameters.get("properties"), tool.parameters.get("required")
    if not isinstance(properties, Mapping):
        return []
    needed = frozenset(required) if isinstance(required, tuple) else frozenset()
    items = [(key, parameter_schema(tool.parameters, key), key in needed) for key in properties]
    return sorted(items, key=lambda item: not item[2])


def _listed(pairs: list[tuple[bool, str]], comma: str) -> str:
    """Return the rule of a list of which some members must be there; those come first."""
    needed = [body for must, body in pairs if must]
    others = [body for must, body in pairs if not must]
    between = json.dumps(comma)
    if needed:
        return f" {between} ".join(needed) + "".join(f" ({between} {body})?" for body in others)
    rule = ""
    for body in reversed(others):  # the first that is there begins the list
        rest = "".join(f" ({between} {other})?" for other in others[others.index(body) + 1 :])
        rule = f"({body}{rest} | {rule})" if rule else f"({body}{rest})"
    return f"{rule}?" if rule else ""


def _key_end(calls: Calls, types: frozenset[str]) -> str:
    """Return what stands between key and value, where it says of what type the value is."""
    if not calls.key or types == {"string"}:
        return calls.key_end
    if '"true"' in calls.key_end:
        return calls.key_end.replace('"true"', '"false"')
    kind = next(iter(types), "object")
    return calls.key_end.replace('"string"', json.dumps("number" if kind == "integer" else kind))
