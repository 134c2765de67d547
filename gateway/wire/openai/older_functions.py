"""Serve the older `functions` of OpenAI's API, which became `tools`: bodies to the newer form, answers back. Pure.

The newer form is what is inspected, decided on and sent. The older one knows one call at a time.
"""

from types import MappingProxyType
from typing import Any

from gateway.core.document import Json, JsonObject, freeze_object, thaw
from gateway.wire.body_fields import Fields, bad_field

_MOST = 1024
_MOST_MESSAGES = 100_000


def is_older(document: JsonObject) -> bool:
    """Say whether a body speaks of functions in the older way."""
    if document.get("functions") or document.get("function_call") is not None:
        return True
    messages = document.get("messages")
    for one in messages if isinstance(messages, tuple) else ():
        if type(one) is MappingProxyType and (one.get("role") == "function" or one.get("function_call") is not None):
            return True
    return False


def modern(document: JsonObject) -> JsonObject:
    """Return a body that says the same with `tools`.

    Raises:
        BadRequest: It has both forms, or a field is not as it must be.
    """
    for name in ("tools", "tool_choice"):
        if document.get(name) and is_older(document):
            raise bad_field(name, "can't stand beside 'functions' or 'function_call'. Use 'tools' alone.")
    body = Fields(document)
    fields: dict[str, Any] = {
        name: thaw(value) for name, value in document.items() if name not in ("functions", "function_call")
    }
    functions = [one.document for one in body.objects("functions", _MOST)]
    if functions:
        fields["tools"] = [{"type": "function", "function": thaw(one)} for one in functions]
        fields["parallel_tool_calls"] = False
        choice = document.get("function_call")
        if choice is not None:
            fields["tool_choice"] = _choice(choice)
    fields["messages"] = _messages(body)
    return freeze_object(fields)


def _choice(given: Json) -> Any:
    if isinstance(given, str):
        return given
    name = Fields.inside(given, "function_call").required_string("name", longest=256)
    return {"type": "function", "function": {"name": name}}


def _messages(body: Fields) -> list[Any]:
    messages: list[Any] = []
    last = "call_0"
    for number, one in enumerate(body.objects("messages", _MOST_MESSAGES)):
        message: Any = thaw(one.document)
        call = one.mapping("function_call")
        if call is not None:
            last = f"call_{number}"
            function = {"name": call.required_string("name", longest=256), "arguments": call.string("arguments") or ""}
            message["tool_calls"] = [{"id": last, "type": "function", "function": function}]
        message.pop("function_call", None)
        if one.document.get("role") == "function":
            message |= {"role": "tool", "tool_call_id": last}
        messages.append(message)
    return messages
