"""OpenAI's own SDK reads our answers, with its strict validation on."""

from typing import Any

import httpx2
import openai
import pytest

from gateway.core.delta import (
    Delta,
    Embeddings,
    Finish,
    FinishReason,
    Reasoning,
    Text,
    TokenLogprob,
    ToolCallPart,
    UsageReport,
)
from gateway.core.errors import ContextLengthExceeded, TargetBusy, Unauthorized, Unavailable
from gateway.core.usage import Usage
from gateway.wire import openai as dialect
from tests.standins.traits import traits

ASK: Any = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
LOGPROB = TokenLogprob(token="Hé", logprob=-0.5, raw=b"H\xc3\xa9", top=(("Hé", -0.5, b"H\xc3\xa9"),))
DELTAS: list[Delta] = [
    Reasoning(text="Hm"),
    Text(text="Hé", logprobs=(LOGPROB,)),
    Text(text="llo"),
    ToolCallPart(call=0, id="c1", name="look_up"),
    ToolCallPart(call=0, arguments='{"q":1}'),
    ToolCallPart(call=1, id="c2", name="look_up", arguments="{}"),
    Finish(reason=FinishReason.TOOL_CALLS),
    Text(text="Bye", index=1),
    Finish(reason=FinishReason.STOP, index=1),
    UsageReport(usage=Usage(input=10, input_cached=4, output=6, reasoning=2)),
]
CHAT = dialect.parse_chat(
    b'{"model":"auto","n":2,"stream":true,"stream_options":{"include_usage":true},'
    b'"messages":[{"role":"user","content":"hi"}]}'
)
TEXT = dialect.parse_completion(b'{"model":"auto","prompt":"hi"}')


def sdk(data: bytes, kind: str = "application/json", status: int = 200, *, strict: bool = True) -> openai.AsyncOpenAI:
    """The SDK, connected to these bytes. Not `strict` where OpenAI's own answers don't pass its validation."""

    async def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=data, headers={"content-type": kind})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return openai.AsyncOpenAI(
        api_key="x", base_url="http://gateway/v1", http_client=http, max_retries=0, _strict_response_validation=strict
    )


def streamed(request: Any, deltas: list[Delta]) -> bytes:
    stream = dialect.stream(request, id=dialect.answer_id(request, "1"), created=1700000000)
    return stream.start() + b"".join(stream.encode(delta) for delta in deltas) + stream.end()


def assembled(request: Any, deltas: list[Delta]) -> bytes:
    assembly = dialect.assembly(request, id=dialect.answer_id(request, "1"), created=1700000000)
    for delta in deltas:
        assembly.add(delta)
    return assembly.body()


async def test_a_whole_chat() -> None:
    """The SDK reads a whole chat: two choices, tool calls, log-probabilities, usage with its details."""
    answer = await sdk(assembled(CHAT, DELTAS)).chat.completions.create(**ASK)
    first, second = answer.choices
    assert answer.id == "chatcmpl-1"
    assert (first.message.content, first.finish_reason) == ("Héllo", "tool_calls")
    assert [call.id for call in first.message.tool_calls or ()] == ["c1", "c2"]
    assert first.message.model_extra == {"reasoning_content": "Hm"}
    assert first.logprobs is not None
    assert first.logprobs.content is not None
    assert first.logprobs.content[0].bytes == [72, 195, 169]
    assert (second.message.content, second.finish_reason) == ("Bye", "stop")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (14, 8, 22)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 4


async def test_a_streamed_chat() -> None:
    """The SDK reads a streamed chat: one id, the role once for each choice, usage in a chunk of its own."""
    stream = await sdk(streamed(CHAT, DELTAS), "text/event-stream").chat.completions.create(**ASK, stream=True)
    chunks = [chunk async for chunk in stream]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert {(chunk.id, chunk.created, chunk.model) for chunk in chunks} == {("chatcmpl-1", 1700000000, "auto")}
    assert [choice.index for choice in choices if choice.delta.role] == [0, 1]
    assert "".join(choice.delta.content or "" for choice in choices if choice.index == 0) == "Héllo"
    assert [choice.finish_reason for choice in choices if choice.finish_reason] == ["tool_calls", "stop"]
    parts = [part for choice in choices for part in choice.delta.tool_calls or ()]
    assert [(part.index, part.id) for part in parts] == [(0, "c1"), (0, None), (1, "c2")]
    assert all(part.function is not None and isinstance(part.function.arguments, str) for part in parts)
    assert [chunk.choices == [] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 22


async def test_the_sdk_s_own_collector() -> None:
    """The SDK's own collector, `chat.completions.stream`, puts the same answer together."""
    data = streamed(CHAT, DELTAS)
    async with sdk(data, "text/event-stream").chat.completions.stream(**ASK) as stream:
        answer = await stream.get_final_completion()
    assert answer.choices[0].message.content == "Héllo"
    assert [call.function.arguments for call in answer.choices[0].message.tool_calls or ()] == ['{"q":1}', "{}"]
    assert answer.choices[1].message.content == "Bye"


async def test_text_completions() -> None:
    """The SDK reads text completions, whole and streamed."""
    deltas = [delta for delta in DELTAS if isinstance(delta, Text) and delta.index == 0]
    ends: list[Delta] = [Finish(reason=FinishReason.STOP), DELTAS[-1]]
    whole = await sdk(assembled(TEXT, [*deltas, *ends])).completions.create(model="auto", prompt="hi")
    client = sdk(streamed(TEXT, [*deltas, *ends]), "text/event-stream", strict=False)
    stream = await client.completions.create(model="auto", prompt="hi", stream=True)
    assert whole.id == "cmpl-1"
    assert whole.choices[0].text == "Héllo"
    assert "".join([chunk.choices[0].text async for chunk in stream]) == "Héllo"


async def test_embeddings_and_models() -> None:
    """The SDK reads lists of models, and unpacks the base64 embeddings that it asks for by itself."""
    request = dialect.parse_embeddings(b'{"model":"auto","input":"hi","encoding_format":"base64"}')
    vectors = Embeddings(vectors=((0.5, -1.0),), usage=Usage(input=1))
    client = sdk(dialect.embeddings_body(request, vectors), strict=False)
    found = await client.embeddings.create(model="auto", input="hi")
    assert found.data[0].embedding == [0.5, -1.0]
    listed = await sdk(dialect.models_body({"auto": traits(), "local": traits()}, created=1)).models.list()
    assert [model.id for model in listed.data] == ["auto", "local"]
    assert (await sdk(dialect.model_body("auto", traits(), created=1)).models.retrieve("auto")).id == "auto"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ContextLengthExceeded("Too long.", param="messages"), openai.BadRequestError),
        (Unauthorized("No."), openai.AuthenticationError),
        (TargetBusy("Wait."), openai.RateLimitError),
        (Unavailable("Later."), openai.InternalServerError),
    ],
)
async def test_errors(error: Any, kind: type[openai.APIStatusError]) -> None:
    """The SDK raises its own class of error, with our code."""
    with pytest.raises(kind) as caught:
        await sdk(dialect.error_body(error), status=error.status).chat.completions.create(**ASK)
    assert (caught.value.code, caught.value.param) == (error.code, error.param)


async def test_an_error_inside_a_stream() -> None:
    """The SDK raises an error inside a stream after what had arrived."""
    stream = dialect.stream(CHAT, id="chatcmpl-1", created=1)
    data = stream.start() + stream.encode(Text(text="Hi")) + stream.error(Unavailable("The engine died."))
    chunks = await sdk(data, "text/event-stream").chat.completions.create(**ASK, stream=True)
    told = ""
    with pytest.raises(openai.APIError, match="The engine died"):
        while True:
            told += "".join(choice.delta.content or "" for choice in (await anext(chunks)).choices)
    assert told == "Hi"
