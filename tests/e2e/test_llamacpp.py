"""llama-server's own API through the running gateway: as llama.vim, Zed and scripts use it, and the same guarantee."""

import json

import httpx2
import pytest

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

IBAN = "ES91 2100 0418 4502 0005 1332"
LONG = "The committee met again and spoke of the harbour, the weather and the price of bread. " * 40
PUBLIC = {"x-aduana-tags": "public"}


@pytest.fixture
def client(house):
    """Return a client of the gateway as llama-server."""
    return httpx2.AsyncClient(base_url=house.gateway.url, timeout=300)


async def test_a_conversation_by_hand(client):
    """An app renders a conversation, completes it as raw text, and gets the answer that a chat would have had."""
    turns = [{"role": "user", "content": "Say hello."}]
    async with client:
        prompt = (await client.post("/apply-template", json={"messages": turns})).json()["prompt"]
        assert prompt.endswith("<|im_start|>assistant\n")
        wanted = {"prompt": prompt, "n_predict": 8, "temperature": 0}
        answer = (await client.post("/completion", json=wanted)).json()
        chat = {"model": "local", "messages": turns, "max_tokens": 8, "temperature": 0}
        said = (await client.post("/v1/chat/completions", json=chat)).json()
        assert answer["content"] == said["choices"][0]["message"]["content"]
        assert answer["tokens_evaluated"] == said["usage"]["prompt_tokens"]
        async with client.stream("POST", "/completion", json=wanted | {"stream": True}) as events:
            lines = [json.loads(line[6:]) async for line in events.aiter_lines() if line.startswith("data: ")]
        assert "".join(line["content"] for line in lines) == answer["content"]
        assert [line["stop"] for line in lines] == [False] * (len(lines) - 1) + [True]


async def test_several_prompts_at_once(client):
    """Texts and token numbers in one request get an answer each, the same as alone."""
    async with client:
        tokens = (await client.post("/tokenize", json={"content": "Once upon a time"})).json()["tokens"]
        wanted = {"n_predict": 4, "temperature": 0}
        both = (await client.post("/completion", json=wanted | {"prompt": ["Once upon a time", tokens]})).json()
        alone = (await client.post("/completion", json=wanted | {"prompt": "Once upon a time"})).json()
        assert [one["content"] for one in both] == [alone["content"]] * 2


async def test_texts_and_tokens(client):
    """Tokens become the text again that they were made of; a model without tokens for a hole says so."""
    text = "Grüße, 世界 <|im_end|>"
    async with client:
        tokens = (await client.post("/tokenize", json={"content": text})).json()["tokens"]
        assert (await client.post("/detokenize", json={"tokens": tokens})).json() == {"content": text}
        spelled = (await client.post("/tokenize", json={"content": text, "parse_special": False})).json()["tokens"]
        assert len(spelled) > len(tokens)
        infill = await client.post("/infill", json={"input_prefix": "a", "input_suffix": "b"})
        assert (infill.status_code, infill.json()["error"]["type"]) == (400, "not_supported_error")


async def test_embeddings_in_both_dialects(client):
    """One address gives OpenAI's clients their object and llama.cpp's their array, with the same vector."""
    async with client:
        ours = (await client.post("/embeddings", json={"content": [{"prompt_string": "a cat"}]})).json()
        theirs = (await client.post("/embeddings", json={"input": "a cat"})).json()
        assert ours[0]["embedding"][0] == pytest.approx(theirs["data"][0]["embedding"])


async def test_what_it_says_of_itself(client):
    """Health, properties and slots, of the model that is named."""
    async with client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        await client.post("/tokenize", json={"content": "so that the vocabulary is open"})
        props = (await client.get("/props", params={"model": "local"})).json()
        assert props["default_generation_settings"]["n_ctx"] == 2048
        assert "im_start" in props["chat_template"]
        assert len((await client.get("/slots")).json()) == props["total_slots"] == 8


async def test_a_cloud_gets_completions_that_may_leave_and_nothing_else(house, client):
    """What is sensitive stays; a text to tokenise never goes to a cloud, be it public."""
    async with client:
        for path, fields in (
            ("/tokenize", {"content": f"tokenmarker {LONG}"}),
            ("/apply-template", {"messages": [{"role": "user", "content": f"templatemarker {LONG}"}]}),
        ):
            answer = await client.post(path, json={"model": "auto", **fields}, headers=PUBLIC)
            assert (answer.status_code, answer.headers["x-aduana-zone"]) == (200, "local")
        for path, fields in (
            ("/completion", {"prompt": f"promptmarker {IBAN} {LONG}"}),
            ("/infill", {"input_prefix": LONG, "input_suffix": "b", "input_extra": [{"text": f"extramarker {IBAN}"}]}),
        ):
            answer = await client.post(path, json={"n_predict": 2, **fields}, headers=PUBLIC)
            assert answer.headers.get("x-aduana-zone", "local") == "local"
        labelled = await client.post("/tokenize", json={"content": f"an account: {IBAN}"}, headers=PUBLIC)
        assert labelled.headers["x-aduana-label"] == "sensitive"
    for marker in ("tokenmarker", "templatemarker", "promptmarker", "extramarker"):
        assert marker not in house.cloud.arrived


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/completion", b"{nope", 400, "invalid_request_error"),
        ("POST", "/completion", b'{"prompt": 3}', 400, "invalid_request_error"),
        ("GET", "/completion", b"", 405, "invalid_request_error"),
        ("POST", "/props", b"{}", 405, "invalid_request_error"),
        ("POST", "/v1/tokenize", b"{}", 404, "not_found_error"),
        ("POST", "/detokenize", b'{"tokens": [99999999]}', 400, "invalid_request_error"),
        ("POST", "/completion", json.dumps({"prompt": "word " * 20_000}).encode(), 400, "exceed_context_size_error"),
    ],
)
async def test_mistakes_have_llama_servers_shape(client, method, path, body, status, kind):
    """Status, type and a sentence, as llama-server's clients read them."""
    async with client:
        headers = {"content-type": "application/json"}
        answer = await client.request(method, path, content=body, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (status, status, kind)
    assert len(error["message"]) > 10
    assert ("allow" in answer.headers) is (status == 405)
