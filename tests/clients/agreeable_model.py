"""A model that does whatever the form of a request asks for, as a capable one behind a good server would.

For suites that look at forms. It counts what it reads and says, knows a prompt's beginning again, stops where it is
told to, and gives as many choices and logprobs as are wanted.
"""

import json
import re
from collections.abc import Iterator
from itertools import chain, takewhile
from typing import Any

from aiohttp import web

from tests.clients.capable_answers import Said, answer, continued, prompt_of, text_of
from tests.clients.filled_forms import instance
from tests.standins.cloud import StandInCloud

Document = dict[str, Any]
_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_CONTENT = re.compile(r"content exactly:\n(.+)", re.DOTALL)
_PICTURE = (  # a PNG of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
_REMEMBERED = 64  # prompts
_LETTERS = 4  # a token, about
_BLOCK = 16  # tokens that are kept together, as in vLLM: a shorter beginning is read again


class AgreeableModel(StandInCloud):
    """Calls the tools that are wanted, fills the schema that is given, else says what is right or one sentence."""

    def __init__(self) -> None:
        super().__init__()
        self._read: list[str] = []

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        document = await self._keep(request)
        usage = self._count(prompt_of(document))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for index in range(document.get("n") or 1):
            for choice in self._choice(document, usage):
                await response.write(_event("chat.completion.chunk", document, [{"index": index, **choice}]))
        tail = _event("chat.completion.chunk", document, [], usage=_reported(usage))
        await response.write(tail + b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _anything(self, request: web.Request) -> web.Response:
        if request.path.startswith("/v1/images/"):
            self.bodies.append(await request.read())
            return web.json_response({"created": 1, "data": [{"b64_json": _PICTURE}]})
        if request.path != "/v1/completions":
            return await super()._anything(request)
        document = await self._keep(request)
        prompts = document["prompt"] if isinstance(document["prompt"], list) else [document["prompt"]]
        usage = self._count(json.dumps(prompts))
        events = b""
        for index, prompt in enumerate([one for one in prompts for _ in range(document.get("n") or 1)]):
            tokens, finish, _ = _cut(_tokens(continued(str(prompt), self.answer)), document)
            usage["completion"] += len(tokens)
            logprobs = _older_logprobs(tokens) if document.get("logprobs") is not None else None
            choice = {"index": index, "text": "".join(tokens), "finish_reason": finish, "logprobs": logprobs}
            events += _event("text_completion", document, [choice])
        events += _event("text_completion", document, [], usage=_reported(usage)) + b"data: [DONE]\n\n"
        return web.Response(body=events, content_type="text/event-stream")

    async def _embed(self, request: web.Request) -> web.Response:
        document = await self._keep(request)
        inputs = document["input"] if isinstance(document["input"], list) else [document["input"]]
        vector = [1.0] + [0.0] * (document.get("dimensions", 8) - 1)
        data = [{"object": "embedding", "index": place, "embedding": vector} for place, _ in enumerate(inputs)]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return web.json_response({"object": "list", "model": document["model"], "data": data, "usage": usage})

    def _choice(self, document: Document, usage: dict[str, int]) -> Iterator[Document]:
        """Yield a choice in pieces, and count its tokens."""
        if calls := list(_calls(document)):
            usage["completion"] += len(calls)
            yield from ({"delta": {"tool_calls": [call]}, "finish_reason": None} for call in calls)
            yield {"delta": {}, "finish_reason": "tool_calls"}
            return
        said = self._said(document)
        thoughts = _tokens(said.thought)
        kept, finish, stop = _cut(thoughts + _tokens(said.text), document, after=len(thoughts))
        usage["completion"] += len(kept)
        usage["thought"] += min(len(thoughts), len(kept))
        for number, token in enumerate(kept):
            field = "reasoning_content" if number < len(thoughts) else "content"
            logprobs = {"logprobs": {"content": [_logprob(token)]}} if document.get("logprobs") else {}
            yield {"delta": {field: token}, "finish_reason": None, **logprobs}
        yield {"delta": {}, "finish_reason": finish, "stop_reason": stop}  # vLLM's field for the text that stopped it

    def _said(self, document: Document) -> Said:
        wanted = document.get("response_format") or {}
        said = answer(document, self.answer)
        if schema := wanted.get("json_schema", {}).get("schema"):
            return Said(thought=said.thought, text=json.dumps(instance(schema, schema, _word(document))))
        if wanted.get("type") == "json_object":
            return Said(thought=said.thought, text='{"answer": "hello"}')
        return said

    def _count(self, prompt: str) -> dict[str, int]:
        """Return how many tokens a prompt has, and how many of them began an earlier one too."""
        shared = max((_alike(prompt, one) for one in self._read), default=0)
        self._read = [prompt, *self._read][:_REMEMBERED]
        whole = len(prompt) // _LETTERS + 1
        cached = min(shared // _LETTERS, whole - 1) // _BLOCK * _BLOCK
        return {"prompt": whole, "cached": cached, "completion": 0, "thought": 0}


def _alike(first: str, second: str) -> int:
    """Return how many letters two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _event(kind: str, document: Document, choices: list[Document], **more: Any) -> bytes:
    head = {"id": "standin", "object": kind, "created": 1, "model": document.get("model")}
    return b"data: " + json.dumps(head | {"choices": choices} | more).encode() + b"\n\n"


def _reported(usage: dict[str, int]) -> Document:
    return {
        "prompt_tokens": usage["prompt"],
        "completion_tokens": usage["completion"],
        "total_tokens": usage["prompt"] + usage["completion"],
        "prompt_tokens_details": {"cached_tokens": usage["cached"]},
        "completion_tokens_details": {"reasoning_tokens": usage["thought"]},
    }


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _cut(tokens: list[str], document: Document, *, after: int = 0) -> tuple[list[str], str, str | None]:
    """Return the tokens up to the end of the answer, why it ended, and the text that stopped it.

    Args:
        tokens: All of them.
        document: What was asked, with its limit and its stops.
        after: How many of the first ones no stop can end.
    """
    most = document.get("max_completion_tokens") or document.get("max_tokens") or len(tokens)
    kept, finish = tokens[:most], "length" if most < len(tokens) else "stop"
    stops = document.get("stop") or []
    said = "".join(kept[after:])
    for stop in [stops] if isinstance(stops, str) else stops:
        if stop in said:
            return [*kept[:after], *_tokens(said[: said.index(stop)])], "stop", stop
    return kept, finish, None


def _logprob(token: str) -> Document:
    return {"token": token, "logprob": -0.25, "bytes": list(token.encode()), "top_logprobs": []}


def _older_logprobs(tokens: list[str]) -> Document:
    offsets = [len("".join(tokens[:place])) for place in range(len(tokens))]
    values = [-0.25] * len(tokens)
    alternatives = [{token: -0.25} for token in tokens]
    return {"tokens": tokens, "token_logprobs": values, "top_logprobs": alternatives, "text_offset": offsets}


def _calls(document: Document) -> Iterator[Document]:
    """Yield the calls of the wanted tools, each as its head and then its arguments in pieces."""
    for place, tool in enumerate(_wanted_tools(document)):
        schema = tool.get("parameters") or {}
        arguments = json.dumps(instance(schema, schema, _word(document)))
        name = f"call_{len(document['messages'])}_{place}"
        head = {"index": place, "id": name, "type": "function", "function": {"name": tool["name"], "arguments": ""}}
        rest = ({"index": place, "function": {"arguments": piece}} for piece in re.findall(r"(?s).{1,16}", arguments))
        yield from chain([head], rest)


def _wanted_tools(document: Document) -> list[Document]:
    """Return the tools to call: the one that is named, or until there is a result those that the prompt speaks of."""
    tools = [tool["function"] for tool in document.get("tools") or () if "function" in tool]
    choice = document.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        name = choice.get("function", {}).get("name")
        return [tool for tool in tools if tool["name"] == name]
    last = document["messages"][-1]
    if choice == "none" or last["role"] == "tool" or not tools:
        return []
    asked = text_of(last.get("content"))
    both = "both tools" in asked and document.get("parallel_tool_calls") is not False
    spoken_of = [tool for tool in tools if tool["name"].rpartition("_")[2] in asked]
    return spoken_of if both and spoken_of else tools[:1]


def _word(document: Document) -> str:
    """Return what texts are filled with: what the person asked for, or wrote in another script, else a greeting."""
    said = text_of(document["messages"][-1].get("content"))
    if wanted := _CONTENT.search(said):
        return wanted.group(1)
    found = _FOREIGN.search(said)
    return found.group() if found else "hello"
