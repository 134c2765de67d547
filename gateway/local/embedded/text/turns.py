"""Turns of a conversation as a template wants them; what it does not show itself is put into words that it shows."""

import json
from collections.abc import Mapping, Sequence

from gateway.core.request import Message
from gateway.local.embedded.text.formats.answer_format import Calls
from gateway.local.embedded.text.formats.probe import Shape
from gateway.local.embedded.text.formats.writer import written

Turn = dict[str, object]
_TOOLS = (
    "You may call functions. Available functions, one JSON description a line:\n<tools>\n{tools}\n</tools>\n"
    "To call one, answer with only this, one block for each call:\n{example}"
)


def turns_of(messages: Sequence[Message], shape: Shape, calls: Calls, thought_keys: Sequence[str]) -> list[Turn]:
    """Return the turns that a template renders. `thought_keys`: the names it knows an earlier thought by."""
    turns: list[Turn] = []
    ids: dict[str, tuple[str, str]] = {}  # id of the client's → id for the template, name
    for message in messages:
        turn = _turn(message, ids, shape, calls, thought_keys)
        last = turns[-1] if turns else None
        if last is not None and turn["role"] == last["role"] == "user" and message.role == "tool":
            last["content"] = f"{last['content']}\n{turn['content']}"
        else:
            turns.append(turn)
    return turns if shape.shows_several or not shape.shows_calls else _one_by_one(turns)


def _one_by_one(turns: list[Turn]) -> list[Turn]:
    """Give each call a turn of its own, with its result behind it: what a template would refuse or leave out."""
    result: list[Turn] = []
    waiting: dict[object, Turn] = {}  # id of a call without its result → its turn
    for turn in turns:
        calls = turn.get("tool_calls")
        if isinstance(calls, list) and len(calls) > 1:
            for place, call in enumerate(calls):
                said = {"role": "assistant", "content": ""} if place else turn
                alone = {**said, "tool_calls": [call]}
                waiting[call["id"]] = alone
                result.append(alone)
        elif (asked := waiting.pop(turn.get("tool_call_id"), None)) is not None:
            result.insert(next(place for place, one in enumerate(result) if one is asked) + 1, turn)
        else:
            result.append(turn)
    return result


def _turn(
    message: Message, ids: dict[str, tuple[str, str]], shape: Shape, calls: Calls, thought_keys: Sequence[str]
) -> Turn:
    role = "system" if message.role == "developer" else message.role
    turn: Turn = {"role": role, "content": message.text}
    if message.name:
        turn["name"] = message.name
    if message.reasoning:
        turn |= dict.fromkeys(thought_keys, message.reasoning)
    if role == "tool":
        _result(turn, message, ids, shape)
    if message.tool_calls and not shape.shows_calls:
        text = written(calls, [(call.name, call.arguments or "{}") for call in message.tool_calls])
        turn["content"] = "\n".join(part for part in (message.text, text) if part)
        return turn
    made = []
    for call in message.tool_calls:
        number = shape.call_id.format(name=call.name, number=len(ids))
        ids[call.id] = number, call.name
        function = {"name": call.name, "arguments": _arguments(call.arguments, shape)}
        made.append({"id": number, "type": "function", "function": function})
    if made:
        turn["tool_calls"] = made
        turn["content"] = turn["content"] or (None if shape.null_content else "")
    return turn


def _result(turn: Turn, message: Message, ids: Mapping[str, tuple[str, str]], shape: Shape) -> None:
    given = message.tool_call_id or ""
    number, name = ids.get(given, (given, message.name or ""))
    if number:
        turn["tool_call_id"] = number
    if name:
        turn["name"] = name
    if not shape.shows_results:
        turn["role"], turn["content"] = "user", f"<tool_response>\n{message.text}\n</tool_response>"


def _arguments(text: str, shape: Shape) -> object:
    """Parse a call's arguments, for most templates expect an object; what is none stays text."""
    if shape.text_arguments:
        return text or "{}"
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def with_tools(turns: list[Turn], tools: Sequence[object], calls: Calls) -> list[Turn]:
    """Add a description of the tools, and of how to call them, to the system turn."""
    lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    example = written(calls, [("<function name>", '{"<argument>": "<value>"}')])
    return _with_system(turns, _TOOLS.format(tools=lines, example=example))


def _with_system(turns: list[Turn], text: str) -> list[Turn]:
    if turns and turns[0]["role"] == "system":
        return [turns[0] | {"content": f"{turns[0]['content']}\n\n{text}"}, *turns[1:]]
    return [{"role": "system", "content": text}, *turns]


def without_system(turns: list[Turn]) -> list[Turn]:
    """Move the text of all system turns to the beginning of the first user turn."""
    text = "\n\n".join(str(turn["content"]) for turn in turns if turn["role"] == "system")
    rest = [turn for turn in turns if turn["role"] != "system"]
    if not text:
        return rest
    for number, turn in enumerate(rest):
        if turn["role"] == "user":
            rest[number] = turn | {"content": f"{text}\n\n{turn['content']}"}
            return rest
    return [{"role": "user", "content": text}, *rest]


def without_thoughts(turns: list[Turn], thought_keys: Sequence[str]) -> list[Turn]:
    """Leave earlier thoughts out."""
    return [{key: value for key, value in turn.items() if key not in thought_keys} for turn in turns]
