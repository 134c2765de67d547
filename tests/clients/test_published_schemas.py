"""What the gateway answers in OpenAI's dialect fits OpenAI's published description, whole and streamed."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.clients.published_schemas import problems
from tests.clients.suites import open_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOOL = {
    "name": "look",
    "description": "Look.",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
}
TURNS = [{"role": "user", "content": "Say exactly: alpha beta gamma"}]
THOUGHT = [{"role": "user", "content": "What is 17 * 3? Think it through, then answer."}]
CHATS: dict[str, dict[str, Any]] = {
    "plain": {"messages": TURNS},
    "cut": {"messages": TURNS, "max_tokens": 1},
    "two choices": {"messages": TURNS, "n": 2},
    "logprobs": {"messages": TURNS, "logprobs": True},
    "thought": {"messages": THOUGHT},
    "tool": {"messages": TURNS, "tools": [{"type": "function", "function": TOOL}]},
    "schema": {
        "messages": TURNS,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": TOOL["parameters"]}},
    },
}
RESPONSES: dict[str, dict[str, Any]] = {
    "plain": {"input": "Say exactly: alpha beta gamma", "instructions": "Be brief.", "metadata": {"a": "b"}},
    "cut": {"input": "Say exactly: alpha beta gamma", "max_output_tokens": 1},
    "logprobs": {"input": "Say exactly: alpha", "include": ["message.output_text.logprobs"]},
    "thought": {"input": THOUGHT[0]["content"], "reasoning": {"effort": "high"}},
    "tool": {"input": "Look.", "tools": [{"type": "function", **TOOL}], "tool_choice": "required"},
    "custom tool": {"input": "Look.", "tools": [{"type": "custom", "name": "run"}], "tool_choice": "required"},
    "built-in tool": {"input": "Look.", "tools": [{"type": "web_search"}]},
    "schema": {
        "input": "Look.",
        "text": {"format": {"type": "json_schema", "name": "x", "schema": TOOL["parameters"]}, "verbosity": "low"},
    },
}
WHOLE: list[tuple[str, str, dict[str, Any], str]] = [
    *(("chat, " + name, "/v1/chat/completions", body, "CreateChatCompletionResponse") for name, body in CHATS.items()),
    *(("response, " + name, "/v1/responses", body, "Response") for name, body in RESPONSES.items()),
    ("completion", "/v1/completions", {"prompt": "The capital of France is"}, "CreateCompletionResponse"),
    ("completion, logprobs", "/v1/completions", {"prompt": "x", "logprobs": 1}, "CreateCompletionResponse"),
    ("embedding", "/v1/embeddings", {"input": ["a", "b"]}, "CreateEmbeddingResponse"),
    ("moderation", "/v1/moderations", {"input": "Hello."}, "CreateModerationResponse"),
    ("count", "/v1/responses/input_tokens", {"input": "Hello."}, "TokenCountsResource"),
    ("summary", "/v1/responses/compact", {"input": "Hello."}, "CompactResource"),
    ("conversation", "/v1/conversations", {"metadata": {"a": "b"}}, "ConversationResource"),
]
STREAMED: list[tuple[str, str, dict[str, Any], str]] = [
    *(
        ("chat, " + name, "/v1/chat/completions", body, "CreateChatCompletionStreamResponse")
        for name, body in CHATS.items()
    ),
    *(("response, " + name, "/v1/responses", body, "ResponseStreamEvent") for name, body in RESPONSES.items()),
]  # (of streamed completions the description has no form)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory) -> AsyncIterator[aiohttp.ClientSession]:
    """Start a gateway before a stand-in that fills forms, and return a client of it."""
    async with (
        open_gateway(tmp_path_factory.mktemp("published")) as gateway,
        aiohttp.ClientSession(gateway.url) as session,
    ):
        yield session


async def asked(client: aiohttp.ClientSession, method: str, path: str, **sent: Any) -> Any:
    """Return what is answered."""
    async with client.request(method, path, **sent) as answer:
        body = await answer.read()
        assert answer.status == 200, body
        return json.loads(body)


@pytest.mark.parametrize(("path", "body", "schema"), [case[1:] for case in WHOLE], ids=[case[0] for case in WHOLE])
async def test_a_whole_answer_fits(client, path, body, schema):
    """A whole answer has every field that OpenAI's has, each of its kind."""
    answer = await asked(client, "POST", path, json={"model": "auto", **body})
    assert problems(schema, answer) == []


@pytest.mark.parametrize(
    ("path", "body", "schema"), [case[1:] for case in STREAMED], ids=[case[0] for case in STREAMED]
)
async def test_every_piece_of_a_stream_fits(client, path, body, schema):
    """Each event of a stream is one of OpenAI's, with its fields."""
    body = {"model": "auto", "stream": True, **body}
    if schema != "ResponseStreamEvent":
        body["stream_options"] = {"include_usage": True}
    async with client.post(path, json=body) as answer:
        text = (await answer.read()).decode()
    events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    found = [problem for event in events if event != "[DONE]" for problem in problems(schema, json.loads(event))]
    assert len(events) > 2
    assert found == []


async def test_what_is_stored_fits(client):
    """Models, files, batches, stored responses and conversations are OpenAI's objects, alone, listed and deleted."""
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": TURNS}}
    form = aiohttp.FormData({"purpose": "batch"})
    form.add_field("file", json.dumps(line).encode(), filename="lines.jsonl")
    file = await asked(client, "POST", "/v1/files", data=form)
    wanted = {"input_file_id": file["id"], "completion_window": "24h", "endpoint": line["url"]}
    batch = await asked(client, "POST", "/v1/batches", json=wanted)
    response = await asked(client, "POST", "/v1/responses", json={"model": "auto", "input": "Hello."})
    items = {"items": [{"type": "message", "role": "user", "content": "Hello."}]}
    conversation = await asked(client, "POST", "/v1/conversations", json=items)
    read = {
        "/v1/models": "ListModelsResponse",
        "/v1/models/auto": "Model",
        "/v1/files": "ListFilesResponse",
        f"/v1/files/{file['id']}": "OpenAIFile",
        "/v1/batches": "ListBatchesResponse",
        f"/v1/batches/{batch['id']}": "Batch",
        f"/v1/responses/{response['id']}": "Response",
        f"/v1/responses/{response['id']}/input_items": "ResponseItemList",
        f"/v1/conversations/{conversation['id']}": "ConversationResource",
        f"/v1/conversations/{conversation['id']}/items": "ConversationItemList",
    }
    found = {path: problems(schema, await asked(client, "GET", path)) for path, schema in read.items()}
    deleted = {
        f"/v1/files/{file['id']}": "DeleteFileResponse",
        f"/v1/conversations/{conversation['id']}": "DeletedConversationResource",
    }
    found |= {path: problems(schema, await asked(client, "DELETE", path)) for path, schema in deleted.items()}
    assert {path: told for path, told in found.items() if told} == {}


async def test_an_error_fits(client):
    """An error has OpenAI's shape."""
    async with client.post("/v1/chat/completions", json={"model": "auto", "messages": "x"}) as answer:
        assert problems("ErrorResponse", await answer.json()) == []
