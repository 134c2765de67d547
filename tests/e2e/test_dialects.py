"""Other dialects' official SDKs against the same gateway, and the same guarantee."""

import anthropic
import httpx2
import ollama
import openai
import pytest

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

IBAN = "ES91 2100 0418 4502 0005 1332"
LONG = "The committee met again and spoke of the harbour, the weather and the price of bread. " * 40


async def test_anthropic_messages(house):
    """Anthropic's SDK gets whole and streamed answers, token counts, and errors in its own shape."""
    async with anthropic.AsyncAnthropic(base_url=house.gateway.url, api_key="unused", max_retries=0) as client:
        question = [{"role": "user", "content": "Say hello."}]
        answer = await client.messages.create(model="auto", max_tokens=8, messages=question)
        assert answer.content[0].text
        assert answer.usage.output_tokens > 0
        async with client.messages.stream(model="auto", max_tokens=8, messages=question) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
        assert text == final.content[0].text
        count = await client.messages.count_tokens(model="auto", messages=question)
        assert count.input_tokens == answer.usage.input_tokens + (answer.usage.cache_read_input_tokens or 0)
        with pytest.raises(anthropic.BadRequestError) as caught:
            await client.messages.create(model="auto", max_tokens=-1, messages=question)
        assert caught.value.body["type"] == "error"


async def test_openai_responses(house):
    """OpenAI's Responses API gives whole and streamed answers."""
    async with openai.AsyncOpenAI(base_url=house.base_url, api_key="unused", max_retries=0) as client:
        answer = await client.responses.create(model="auto", input="Say hello.", max_output_tokens=8)
        assert answer.output_text
        stream = await client.responses.create(model="auto", input="Say hello.", max_output_tokens=8, stream=True)
        kinds = [event.type async for event in stream]
        assert kinds[0] == "response.created"
        assert kinds[-1] in ("response.completed", "response.incomplete")


async def test_ollama(house):
    """Chat, generate, embed, list, show; an unknown model has Ollama's own error."""
    client = ollama.AsyncClient(host=house.gateway.url)
    answer = await client.chat(model="auto", messages=[{"role": "user", "content": "Hi"}], options={"num_predict": 6})
    assert answer.message.content
    pieces = [
        piece
        async for piece in await client.generate(
            model="local", prompt="The sky", stream=True, options={"num_predict": 6}
        )
    ]
    assert pieces[-1].done
    assert "".join(piece.response for piece in pieces)
    assert len((await client.embed(model="auto", input=["a", "b"])).embeddings) == 2
    assert {model.model for model in (await client.list()).models} == {"auto", "local"}
    assert "completion" in (await client.show("local")).capabilities
    await client.close()


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/api/chat"])
async def test_the_guarantee_holds_in_every_dialect(house, path):
    """A long public prompt may leave; with an IBAN in it, it stays, whatever dialect it comes in."""
    marker = "Marker" + path.strip("/").replace("/", "")
    for text, where in ((f"{marker}-clean {LONG}", "big"), (f"{marker}-iban {IBAN} {LONG}", "home")):
        body = {
            "/v1/messages": {"model": "auto", "max_tokens": 4, "messages": [{"role": "user", "content": text}]},
            "/v1/responses": {"model": "auto", "max_output_tokens": 16, "input": text},
            "/api/chat": {
                "model": "auto",
                "stream": False,
                "messages": [{"role": "user", "content": text}],
                "options": {"num_predict": 4},
            },
        }[path]
        async with httpx2.AsyncClient(base_url=house.gateway.url, timeout=300) as client:
            answer = await client.post(path, json=body, headers={"x-aduana-tags": "public"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-aduana-target"] == where
    assert f"{marker}-clean" in house.cloud.arrived
    assert f"{marker}-iban" not in house.cloud.arrived


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/chat/completions", ["error", "message"]),
        ("/v1/messages", ["error", "message"]),
        ("/api/chat", ["error"]),
        ("/v1/nowhere", ["error", "code"]),
    ],
)
async def test_errors_come_in_the_dialects_shape(house, path, shape):
    """Broken JSON gets an error in the words of each dialect."""
    async with httpx2.AsyncClient(base_url=house.gateway.url) as client:
        answer = await client.post(path, content=b'{"model": "auto", "model": "x"}')
    assert answer.status_code in (400, 404)
    found = answer.json()
    for key in shape:
        found = found[key]
    assert isinstance(found, str)
