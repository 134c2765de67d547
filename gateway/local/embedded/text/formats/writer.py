"""Writer of tool calls in a model's format, for templates that show none themselves."""

import json
from collections.abc import Sequence

from gateway.local.embedded.text.formats.answer_format import ID, NUMBER, Calls, Style


def written(calls: Calls, given: Sequence[tuple[str, str]]) -> str:
    """Return the text of calls; each is a name and the JSON text of its arguments."""
    bodies = [_body(calls, name, arguments) for name, arguments in given]
    if calls.style is Style.PYTHON:
        return calls.call.open + "[" + ", ".join(bodies) + "]" + calls.call.close
    if calls.style is Style.OBJECT and calls.keys.array:
        return calls.section.open + "[" + ", ".join(bodies) + "]" + calls.section.close
    joined = calls.between.join(
        (calls.call.open + body + calls.call.close).replace(NUMBER, str(place)).replace(ID, f"call{place:05d}")
        for place, body in enumerate(bodies)
    )
    return calls.section.open + joined + calls.section.close


def _body(calls: Calls, name: str, arguments: str) -> str:
    match calls.style:
        case Style.OBJECT:
            keys = calls.keys
            if not keys.name:
                return f"{{{_json(name)}: {arguments}}}"
            body = f"{{{_json(keys.name)}: {_json(name)}, {_json(keys.arguments)}: {arguments}}}"
            return f"{{{_json(keys.outer)}: {body}}}" if keys.outer else body
        case Style.NAMED_JSON:
            return name + calls.name_end + arguments
        case Style.TAGS:
            return name + calls.name_end + "".join(_parameter(calls, key, value) for key, value in _items(arguments))
        case Style.PYTHON:
            return f"{name}({', '.join(f'{key}={value!r}' for key, value in _items(arguments))})"
        case Style.GEMMA:
            return name + _gemma(dict(_items(arguments)))


def _parameter(calls: Calls, key: str, value: object) -> str:
    mark = calls.parameter
    text = value if isinstance(value, str) else _json(value)
    return mark.open + key + calls.key_end + text + mark.close.replace("{key}", key)


def _items(arguments: str) -> list[tuple[str, object]]:
    try:
        value = json.loads(arguments)
    except ValueError:
        return []
    return list(value.items()) if isinstance(value, dict) else []


def _gemma(value: object) -> str:
    match value:
        case str():
            return f'<|"|>{value}<|"|>'
        case dict():
            return "{" + ",".join(f"{key}:{_gemma(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_gemma, value)) + "]"
        case _:
            return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
