"""Whether a conversation stays sensitive: later requests hold nothing that a detector knows, only what was said before.

The first turn is sensitive by a canary in a field beside the conversation (`metadata`), which later requests leave out.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

from gateway.cli.audit.cases import AuditCase, Numbers
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.encodings import CANARIES
from gateway.cli.audit.recorder import ANSWER, Mode

_STORY = (
    "Since the week before last the whole team has been waiting for the letter from the north, and nobody dares to "
    "ask when it will come. The plan is to move to the old house in spring, before the others hear of it, and to tell "
    "them only when the contract is signed. {marker} is the word that we use for it among ourselves."
)
_LATER = (
    "a new turn",
    "a summary of the same beginning",
    "the story in a transcript",
    "the story quoted with >",
    "the story in other words around",
    "a part of the story",
    "the answer in a new conversation",
    "the answer in a tool result",
    "the story as a raw prompt",
    "the story for embedding",
    "the story for ranking",
    "the story through Responses",
    "the story through Anthropic",
    "the story through Ollama",
    "an earlier answer by its id",
    "the story in a system prompt",
    "the story in a prediction",
    "the story in a tool's description",
    "the story in a schema",
    "the story in an unknown field",
    "the story as base64",
    "the story clause by clause",
    "the story in pieces for embedding",
    "one sentence of the story",
    "a new turn behind another system prompt",
)


def memory(asking: AuditClient, numbers: Numbers, *, restart: Callable[[], AuditClient]) -> list[Result]:
    """Tell the story at home; then send all later requests, before and after the gateway was killed."""
    first, story = _told(numbers)
    results = asking.ask([first])
    answer = _answer(first.marker)
    results += asking.ask(_later("memory", story, answer, numbers))
    cut, cut_story = _told(numbers, stream=True)
    results += [asking.judge(cut, 0), *_cut_off(asking, cut, cut_story, numbers)]
    asking = restart()
    return results + asking.ask(_later("memory after a crash", story, answer, numbers))


def _told(numbers: Numbers, *, stream: bool = False) -> tuple[AuditCase, str]:
    marker = numbers.marker()
    story = _STORY.format(marker=marker.replace("Marker", "Word").replace("end", ""))
    body = _chat(marker, [{"role": "user", "content": f"{marker} {story}"}]) | {"stream": stream}
    body["metadata"] = {"note": CANARIES[0].text}
    return _case("memory", "the first turn", "/v1/chat/completions", body, marker), f"{marker} {story}"


def _answer(marker: str) -> str:
    return ANSWER.format(marker=marker.replace("Marker", "R").replace("end", ""))


def _chat(marker: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"model": "auto", "max_tokens": 60, "messages": messages}


def _case(group: str, name: str, path: str, body: dict[str, Any], marker: str) -> AuditCase:
    values = (CANARIES[0].text,)
    return AuditCase(group=group, name=name, sensitive=True, path=path, body=body, marker=marker, values=values)


def _later(group: str, story: str, answer: str, numbers: Numbers) -> list[AuditCase]:
    told = _without_marker(story)
    cases = []
    for name in _LATER:
        marker = numbers.marker()
        path, body = _request(name, marker, story, told, answer)
        cases.append(_case(group, name, path, body, marker))
    return cases


def _without_marker(story: str) -> str:
    return story.split(" ", 1)[1]


def _request(name: str, marker: str, story: str, told: str, answer: str) -> tuple[str, dict[str, Any]]:
    said = {"role": "user", "content": story}
    chat = "/v1/chat/completions"
    match name:
        case "a new turn":
            turns = [said, {"role": "assistant", "content": answer}, {"role": "user", "content": f"{marker} and then?"}]
            return chat, _chat(marker, turns)
        case "a summary of the same beginning":
            return chat, _chat(marker, [said, {"role": "user", "content": f"{marker} Summarise this in five words."}])
        case "the story in a transcript":
            text = f"{marker} Write a title for this conversation:\nUser: {told}\nAssistant: {answer[:80]}"
            return chat, _chat(marker, [{"role": "user", "content": text}])
        case "the story quoted with >":
            quoted = "\n".join(f"> {line}" for line in told.split(". "))
            return chat, _chat(marker, [{"role": "user", "content": f"{marker} What does she mean?\n{quoted}"}])
        case "the story in other words around":
            return chat, _chat(marker, [{"role": "user", "content": f"{marker} Look: «{told}» What now?"}])
        case "a part of the story":
            return chat, _chat(marker, [{"role": "user", "content": f"{marker} {told[: 4 * len(told) // 5]}"}])
        case "the answer in a new conversation":
            return chat, _chat(marker, [{"role": "user", "content": f"{marker} What about this?\n\n{answer}"}])
        case "the answer in a tool result":
            call = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}
            return chat, _chat(
                marker,
                [
                    {"role": "user", "content": f"{marker} read the note"},
                    {"role": "assistant", "content": None, "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": "c", "content": json.dumps({"note": answer})},
                ],
            )
        case "the story as a raw prompt":
            return "/v1/completions", {"model": "auto", "prompt": f"{marker} {told}\n\nAnd so"}
        case "the story for embedding":
            return "/v1/embeddings", {"model": "auto", "input": [f"{marker} hola", told]}
        case "the story for ranking":
            return "/v1/rerank", {"model": "auto", "query": f"{marker} who moves?", "documents": [told, "x"]}
        case "the story through Responses":
            return "/v1/responses", {"model": "auto", "input": f"{marker} {told}"}
        case "the story through Anthropic":
            turns = [{"role": "user", "content": f"{marker} {told}"}]
            return "/v1/messages", {"model": "auto", "max_tokens": 60, "messages": turns}
        case "the story through Ollama":
            return "/api/generate", {"model": "auto", "prompt": f"{marker} {told}", "stream": False}
        case "an earlier answer by its id":
            return "/v1/responses", {"model": "auto", "input": f"{marker} go on", "previous_response_id": "resp_1"}
        case _:
            return _elsewhere(name, marker, story, told, answer)


def _elsewhere(name: str, marker: str, story: str, told: str, answer: str) -> tuple[str, dict[str, Any]]:
    """Return a request that has the story in another place than a turn, in another form, or only its conversation."""
    chat = "/v1/chat/completions"
    hello = {"role": "user", "content": f"{marker} hello"}
    clauses = [clause.strip() for clause in told.replace(".", ",").split(",") if clause.strip()]
    match name:
        case "the story in a system prompt":
            return chat, _chat(marker, [{"role": "system", "content": f"You know this: {told}"}, hello])
        case "the story in a prediction":
            return chat, _chat(marker, [hello]) | {"prediction": {"type": "content", "content": told}}
        case "the story in a tool's description":
            return chat, _chat(marker, [hello]) | _tool(description=told)
        case "the story in a schema":
            schema = {"type": "object", "properties": {"x": {"type": "string", "description": told}}}
            return chat, _chat(marker, [hello]) | _tool(parameters=schema)
        case "the story in an unknown field":
            return chat, _chat(marker, [hello]) | {"notes": {"of": [told]}}
        case "the story as base64":
            encoded = base64.b64encode(told.encode()).decode()
            return chat, _chat(marker, [{"role": "user", "content": f"{marker} What is {encoded}?"}])
        case "the story clause by clause":
            turns = [{"role": role, "content": text} for text in clauses for role, text in _told_back(text)]
            return chat, _chat(marker, [*turns, hello])
        case "the story in pieces for embedding":
            return "/v1/embeddings", {"model": "auto", "input": [f"{marker} hola", *clauses]}
        case "one sentence of the story":
            sentence = told.split(". ")[1]
            return chat, _chat(marker, [{"role": "user", "content": f"{marker} what is this?\n{sentence}."}])
        case _:
            turns = [{"role": "system", "content": f"Another clock. {marker}"}, {"role": "user", "content": story}]
            turns += [{"role": "assistant", "content": answer}, {"role": "user", "content": "and then?"}]
            return chat, _chat(marker, turns)


def _told_back(text: str) -> tuple[tuple[str, str], ...]:
    return ("user", text), ("assistant", "I see.")


def _tool(**function: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "f", **function}}]}


def _cut_off(asking: AuditClient, first: AuditCase, story: str, numbers: Numbers) -> list[Result]:
    """Go away in the middle of the local answer, and come back with what the client has of it."""
    asking.home.behave(Mode.SLOW)
    try:
        came = asking.leave(first, after=8000, seconds=10)
    finally:
        asking.home.behave(Mode.OK)
    words = _words(came)
    if not words:
        return []
    marker = numbers.marker()
    turns = [{"role": "user", "content": f"{marker} Somebody wrote this. Go on:\n\n{words}"}]
    cases = [_case("memory", "an answer that was cut off", "/v1/chat/completions", _chat(marker, turns), marker)]
    marker = numbers.marker()
    turns = [{"role": "user", "content": story}, {"role": "assistant", "content": words}]
    turns.append({"role": "user", "content": f"{marker} go on"})
    cases.append(_case("memory", "a turn behind it", "/v1/chat/completions", _chat(marker, turns), marker))
    return asking.ask(cases)


def _words(stream: str) -> str:
    """Return the text of the whole events in a piece of a stream."""
    text = ""
    for line in stream.split("\n")[:-1]:
        if line.startswith("data: {"):
            try:
                choices = json.loads(line[6:])["choices"]
            except ValueError:
                break
            text += "".join(choice["delta"].get("content") or "" for choice in choices)
    return text.strip()
