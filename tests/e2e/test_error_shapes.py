"""Each class of a client's mistake, in each dialect: status, shape and headers, through the running gateway."""

import json
from typing import Any

import httpx2
import pytest

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

_TURN = [{"role": "user", "content": "Say hello."}]
_LONG = [{"role": "user", "content": "word " * 20_000}]
# The path, and the least body that it answers.
OPENAI = ("/v1/chat/completions", {"model": "local", "messages": _TURN, "max_tokens": 2})
ANTHROPIC = ("/v1/messages", {"model": "local", "messages": _TURN, "max_tokens": 2})
OLLAMA = ("/api/chat", {"model": "local", "messages": _TURN, "stream": False})
DIALECTS = {"openai": OPENAI, "anthropic": ANTHROPIC, "ollama": OLLAMA}

# A mistake: what of the request is changed, the status, OpenAI's code, Anthropic's type.
MISTAKES: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "no JSON": ({"content": b"{nope"}, 400, "invalid_json", "invalid_request_error"),
    "an empty body": ({"content": b""}, 400, "invalid_json", "invalid_request_error"),
    "a list": ({"content": b"[]"}, 400, "invalid_json", "invalid_request_error"),
    "a field of another type": ({"json": {"messages": 3}}, 400, "invalid_value", "invalid_request_error"),
    "an unknown role": ({"json": {"messages": [{"role": "king", "content": "x"}]}}, 400, "invalid_value",
                        "invalid_request_error"),
    "too long": ({"json": {"messages": _LONG}}, 400, "context_length_exceeded", "invalid_request_error"),
    "two keys in one header": ({"headers": [("x-aduana-tagz", "health")]}, 400, "unknown_header",
                               "invalid_request_error"),
    "somebody else's page": ({"headers": [("Origin", "https://example.com")]}, 403, "origin_not_allowed",
                             "permission_error"),
    "another host": ({"headers": [("Host", "example.com")]}, 403, "host_not_allowed", "permission_error"),
    "a compressed body": ({"headers": [("Content-Encoding", "gzip")]}, 415, "", "invalid_request_error"),
    "another method": ({"method": "PUT"}, 405, "method_not_allowed", "invalid_request_error"),
    "no such route": ({"path": "/nowhere"}, 404, "route_not_found", "not_found_error"),
    "an unfulfilled expectation": ({"headers": [("Expect", "miracles")]}, 417, "unknown_expectation",
                                   "invalid_request_error"),
    "a WebSocket": ({"method": "GET", "headers": [("Upgrade", "websocket"), ("Connection", "Upgrade")]}, 426,
                    "websocket_not_supported", "invalid_request_error"),
}  # fmt: skip


async def sent(house, dialect: str, change: dict[str, Any]) -> httpx2.Response:
    """Send a dialect's least request with one thing changed."""
    path, body = DIALECTS[dialect]
    content = change.get("content", json.dumps(body | change.get("json", {})).encode())
    headers = [("Content-Type", "application/json"), *change.get("headers", [])]
    async with httpx2.AsyncClient(base_url=house.gateway.url, timeout=120) as client:
        method = change.get("method", "POST")
        return await client.request(method, path + change.get("path", ""), content=content, headers=headers)


def assert_shape(dialect: str, answer: httpx2.Response, code: str, kind: str) -> None:
    """Look at all that a dialect's clients read of an error."""
    body = answer.json()
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-request-id"].startswith("req_")
    assert answer.headers["x-should-retry"] == "false"
    decided = {"aduana"} if "x-aduana-decision" in answer.headers else set()
    match dialect:
        case "openai":
            assert body["error"].keys() == {"message", "type", "param", "code"} | decided
            assert code in ("", body["error"]["code"])
            message = body["error"]["message"]
        case "anthropic":
            assert body.keys() == {"type", "error", "request_id"}
            assert body["type"] == "error"
            assert body["error"].keys() == {"type", "message"} | decided
            assert body["error"]["type"] == kind
            assert body["request_id"] == answer.headers["request-id"]
            message = body["error"]["message"]
        case _:
            assert body.keys() == {"error"} | decided
            message = body["error"]
    assert len(message) > 10


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_has_its_status_shape_and_headers(house, dialect, mistake):
    """Every client reads what went wrong in its own API's words."""
    change, status, code, kind = MISTAKES[mistake]
    answer = await sent(house, dialect, change)
    assert answer.status_code == status, answer.text
    assert_shape(dialect, answer, code, kind)
    if status == 405:
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses",
                                  "/v1/messages", "/api/generate", "/api/tags"])  # fmt: skip
async def test_doubled_versions_say_what_to_change(house, path):
    """An app with /v1 once too often in its base URL is told to take it off."""
    async with httpx2.AsyncClient(base_url=house.gateway.url) as client:
        answer = await client.post("/v1" + path, json={})
    assert answer.status_code == 404
    assert "base URL" in answer.text
    assert "'/v1' off" in answer.text


@pytest.mark.parametrize("version", ["2099-01-01", "banana", "2023-06-01,2023-06-01"])
async def test_unknown_versions_of_an_api_are_refused(house, version):
    """What a version that nobody knows means can't be guessed; the answer names those that are known."""
    answer = await sent(house, "anthropic", {"headers": [("anthropic-version", version)]})
    assert answer.status_code == 400
    assert_shape("anthropic", answer, "", "invalid_request_error")
    assert "2023-06-01" in answer.json()["error"]["message"]
    for known in ("2023-06-01", "2026-10-21"):
        assert (await sent(house, "anthropic", {"headers": [("anthropic-version", known)]})).status_code == 200


async def test_a_model_exists_wherever_its_chat_is_answered(house):
    """Apps look a model up before they chat: each name that is answered is found, in every dialect's list."""
    async with httpx2.AsyncClient(base_url=house.gateway.url) as client:
        for name in ("auto", "local", "gpt-9", "claude-opus-5[1m]", "vendor/model:free", "año"):
            found = await client.get(f"/v1/models/{name}")
            assert (found.status_code, found.json().get("id")) == (200, name)
            assert (await client.post("/api/show", json={"model": name})).status_code == 200
        local = (await client.get("/v1/models/local")).json()
        listed = (await client.get("/v1/models")).json()["data"]
        assert local in listed
        assert local["context_length"] == 2048
        assert not local["capabilities"]["image_input"]["supported"]


async def test_ollama_pulls_what_is_there_and_changes_nothing(house):
    """A pull of a model that is there succeeds at once; whatever would change models is refused in Ollama's shape."""
    async with httpx2.AsyncClient(base_url=house.gateway.url) as client:
        pulled = await client.post("/api/pull", json={"model": "local:latest"})
        assert json.loads(pulled.text.splitlines()[-1]) == {"status": "success"}
        for path, status in (("pull", 404), ("create", 403), ("copy", 403), ("push", 403), ("blobs/sha256:00", 403)):
            answer = await client.post(f"/api/{path}", json={"model": "somebody/else"})
            assert answer.status_code == status
            assert_shape("ollama", answer, "", "")
        removed = await client.request("DELETE", "/api/delete", json={"model": "local"})
        assert removed.status_code == 403
        assert "local" in (await client.get("/api/tags")).text


async def test_forms_are_heeded_wherever_they_stand(house):
    """A grammar or a schema holds the answer in both endpoints, under the names of OpenAI, llama-server and vLLM."""
    schema = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"],
              "additionalProperties": False}  # fmt: skip
    chat, text = {"messages": _TURN, "max_tokens": 60}, {"prompt": "The JSON object:", "max_tokens": 60}
    forms = [{"json_schema": schema}, {"guided_json": schema},
             {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}]  # fmt: skip
    async with httpx2.AsyncClient(base_url=house.gateway.url, timeout=120) as client:
        for form in forms:
            for path, body in (("/v1/chat/completions", chat), ("/v1/completions", text)):
                answer = await client.post(path, json={"model": "local", "temperature": 0, **body, **form})
                [choice] = answer.json()["choices"]
                said = choice["message"]["content"] if "message" in choice else choice["text"]
                assert json.loads(said)["a"] in (1, 2)
        foreign = {"model": "local", **chat, "guided_choice": ["a", "b"]}
        refused = await client.post("/v1/chat/completions", json=foreign)
        assert refused.status_code == 400
        assert "guided_choice" in refused.json()["error"]["message"]
        grammar = {"model": "big", **chat, "grammar": 'root ::= "yes"'}
        answer = await client.post("/v1/chat/completions", json=grammar, headers={"x-aduana-tags": "public"})
        assert answer.headers["x-aduana-target"] == "home"  # the cloud would not heed it
        assert answer.json()["choices"][0]["message"]["content"] == "yes"
