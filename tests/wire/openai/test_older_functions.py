"""The older `functions` of OpenAI's API are served: asked and answered in the client's own form."""

import json
from typing import Any

import pytest

from gateway.core.delta import Delta, Finish, FinishReason, ToolCallPart, UsageReport
from gateway.core.document import thaw
from gateway.core.errors import BadRequest
from gateway.core.usage import Usage
from gateway.wire import openai

FUNCTION = {"name": "look", "parameters": {"type": "object"}}
DELTAS: tuple[Delta, ...] = (
    ToolCallPart(call=0, id="c", name="look", arguments='{"a"'),
    ToolCallPart(call=0, arguments=":1}"),
    Finish(reason=FinishReason.TOOL_CALLS),
    UsageReport(usage=Usage(input=1, output=1)),
)


def parse(**fields: Any) -> Any:
    body = {"model": "m", "messages": [{"role": "user", "content": "go"}], "functions": [FUNCTION]} | fields
    return openai.parse_chat(json.dumps(body).encode())


def test_functions_become_tools() -> None:
    """What is inspected and sent is the newer form, with the history's calls and results."""
    call = {"name": "look", "arguments": "{}"}
    messages = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "look", "content": "seen"},
    ]
    request = parse(messages=messages, function_call={"name": "look"})
    document: Any = thaw(request.document)
    assert document["tools"] == [{"type": "function", "function": FUNCTION}]
    assert document["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert document["messages"][1]["tool_calls"] == [{"id": "call_1", "type": "function", "function": call}]
    assert document["messages"][2] == {"role": "tool", "name": "look", "content": "seen", "tool_call_id": "call_1"}
    assert not {"functions", "function_call"} & set(document)


def test_calls_are_answered_in_the_older_form() -> None:
    """A client that asked with `functions` gets `function_call`, whole and streamed."""
    request = parse()
    whole, stream = openai.assembly(request, id="x", created=1), openai.stream(request, id="x", created=1)
    frames = b""
    for delta in DELTAS:
        whole.add(delta)
        frames += stream.encode(delta)
    choice = json.loads(whole.body())["choices"][0]
    assert choice["message"]["function_call"] == {"name": "look", "arguments": '{"a":1}'}
    assert choice["finish_reason"] == "function_call"
    chunks = [json.loads(line[6:])["choices"][0] for line in frames.splitlines() if line]
    assert "".join(chunk["delta"].get("function_call", {}).get("arguments", "") for chunk in chunks) == '{"a":1}'
    assert chunks[-1]["finish_reason"] == "function_call"


@pytest.mark.parametrize("fields", [{"functions": []}, {"functions": None}, {"function_call": None, "functions": []}])
def test_no_functions_are_nothing(fields: dict[str, Any]) -> None:
    """Empty fields of the older form change nothing."""
    request = parse(**fields)
    assert not request.older_functions
    assert "functions" not in request.document


def test_both_forms_at_once_are_refused() -> None:
    """A body with functions and tools would mean two things."""
    with pytest.raises(BadRequest, match="can't stand beside"):
        parse(tools=[{"type": "function", "function": FUNCTION}])
