"""The Ollama dialect: bodies become OpenAI documents, answers are what Ollama's own client reads."""

import itertools
import json
from typing import Any

import httpx
import msgspec
import ollama
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
from gateway.core.document import thaw
from gateway.core.errors import BadRequest, NotFound, TargetProtocolError, Unavailable
from gateway.core.request import ChatRequest, CompletionRequest, Dialect, Endpoint, Media
from gateway.core.target import Capability, ModelTraits
from gateway.core.usage import Usage
from gateway.wire import ollama as dialect
from tests.standins.traits import traits

USER = {"role": "user", "content": "hi"}
PNG = "iVBORw0KGgoAAAA"


def chat(**fields: Any) -> ChatRequest:
    request, _ = dialect.parse_chat(json.dumps({"model": "llama:latest", "messages": [USER]} | fields).encode())
    assert request is not None
    return request


def generate(**fields: Any) -> Any:
    return dialect.parse_generate(json.dumps({"model": "llama", "prompt": "once"} | fields).encode())[0]


def test_a_plain_chat() -> None:
    """A chat streams by default, and `:latest` is no part of the model's name."""
    request = chat()
    assert thaw(request.document) == {"model": "llama", "stream": True, "messages": [USER]}
    assert (request.dialect, request.stream, request.model) == (Dialect.OLLAMA, True, "llama")
    assert not chat(stream=False).stream


def test_options() -> None:
    """Sampling options go on under OpenAI's names; options about loading the model are left out."""
    request = chat(
        options={
            "temperature": 0.1,
            "top_k": 40,
            "num_predict": 9,
            "stop": ["END"],
            "seed": 3,
            "repeat_penalty": 1.2,
            "num_ctx": 4096,
            "num_gpu": 1,
            "mirostat": 0,
        },
        keep_alive="5m",
        think=True,
    )
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_k, sampling.max_tokens) == (0.1, 40, 9)
    assert (sampling.stop, sampling.seed, sampling.repeat_penalty) == (("END",), 3, 1.2)
    assert set(request.document) == {
        "model",
        "messages",
        "stream",
        "temperature",
        "top_k",
        "max_tokens",
        "stop",
        "seed",
        "repeat_penalty",
    }
    assert chat(options={"num_predict": -1}).sampling.max_tokens is None


def test_tools_images_and_results() -> None:
    """Calls get ids from their places, results find their calls, and images become data URLs."""
    request = chat(
        messages=[
            {"role": "user", "content": "What?", "images": [PNG]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "Hm",
                "tool_calls": [
                    {"function": {"name": "one", "arguments": {"q": "ñ"}}},
                    {"function": {"name": "two", "arguments": {}}},
                ],
            },
            {"role": "tool", "tool_name": "two", "content": "2"},
            {"role": "tool", "content": "1"},
        ]
    )
    user, assistant, second, first = request.messages
    assert (user.text, request.media) == ("What?", {Media.IMAGE})
    assert assistant.reasoning == "Hm"
    assert [(call.id, call.name, call.arguments) for call in assistant.tool_calls] == [
        ("call_1_0", "one", '{"q":"ñ"}'),
        ("call_1_1", "two", "{}"),
    ]
    assert (second.tool_call_id, first.tool_call_id) == ("call_1_1", "call_1_0")


@pytest.mark.parametrize(
    ("given", "kind"), [("json", "json_object"), ({"type": "object"}, "json_schema"), ("", "text"), (None, "text")]
)
def test_format(given: Any, kind: str) -> None:
    """`format` is the word `json` or a schema."""
    assert chat(format=given).response_format.kind == kind


def test_generate() -> None:
    """`/api/generate` becomes a conversation, or with `raw` a text to continue."""
    request = generate(system="Be brief.", images=[PNG])
    assert isinstance(request, ChatRequest)
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.media == {Media.IMAGE}
    raw = generate(raw=True, options={"num_predict": 5})
    assert isinstance(raw, CompletionRequest)
    assert (raw.prompts, raw.sampling.max_tokens) == (("once",), 5)


def test_nothing_to_answer_asks_for_the_model() -> None:
    """A request without prompt or messages only asks for the model to be loaded."""
    assert dialect.parse_chat(b'{"model":"llama"}')[0] is None
    assert generate(prompt="") is None
    assert json.loads(dialect.ready_body("llama", generate=True, now=0))["done_reason"] == "load"


def test_embed() -> None:
    """Embeddings are understood in Ollama's new and older shape."""
    for body, inputs in (
        (b'{"model":"m","input":["a","b"],"dimensions":8}', ("a", "b")),
        (b'{"model":"m","prompt":"a"}', ("a",)),
    ):
        request, _ = dialect.parse_embed(body)
        assert request is not None
        assert request.inputs == inputs
    assert dialect.parse_show(b'{"name":"llama:latest"}') == "llama"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "role": ({"messages": [{"role": "boss"}]}, "messages[0].role"),
    "content": ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
    "images": ({"messages": [{"role": "user", "content": "", "images": [5]}]}, "messages[0].images[0]"),
    "arguments": (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "x"}}]}]},
        "messages[0].tool_calls[0].function.arguments",
    ),
    "format": ({"format": "xml"}, "format"),
    "stream": ({"stream": "no"}, "stream"),
    "no model": ({"model": ""}, "model"),
    "override": ({"api_base": "x"}, "api_base"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_bodies(name: str) -> None:
    """A bad body is refused, and the error names the field."""
    fields, param = BAD[name]
    with pytest.raises(BadRequest) as caught:
        chat(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize("field", ["template", "context"])
def test_what_generate_does_not_serve(field: str) -> None:
    """Fields of `/api/generate` that are not served are refused and not ignored."""
    with pytest.raises(BadRequest, match="not served"):
        generate(**{field: [1] if field == "context" else "x"})


@pytest.mark.parametrize("field", [{"system": "Be brief."}, {"images": [PNG]}])
@pytest.mark.parametrize("beside", [{"raw": True}, {"suffix": "return total"}])
def test_what_raw_text_can_not_carry_is_refused(field: dict[str, Any], beside: dict[str, Any]) -> None:
    """A picture or a system prompt has no place in a text to continue or to fill, and is not left out in silence."""
    with pytest.raises(BadRequest, match=next(iter(beside))):
        generate(**beside, **field)


@pytest.mark.parametrize("prompt", ["def total(items):", ""])
def test_a_text_to_fill_in(prompt: str) -> None:
    """`suffix` asks for what stands before it, also at the very beginning of a file, and reaches the document."""
    request = generate(prompt=prompt, suffix="return total")
    assert isinstance(request, CompletionRequest)
    assert (request.prompts, request.suffix) == ((prompt,), "return total")
    assert thaw(request.document) == {"model": "llama", "stream": True, "prompt": prompt, "suffix": "return total"}
    assert not request.left_out


DELTAS: list[Delta] = [
    Reasoning(text="Hm"),
    Text(text="Hé", logprobs=(TokenLogprob(token="Hé", logprob=-0.5, raw=b"H\xc3\xa9"),)),
    Text(text="llo"),
    ToolCallPart(call=0, id="c", name="look_up", arguments='{"q"'),
    ToolCallPart(call=0, arguments=":1}"),
    Finish(reason=FinishReason.TOOL_CALLS),
    UsageReport(usage=Usage(input=10, input_cached=4, output=6)),
]


def client(data: bytes, status: int = 200) -> ollama.AsyncClient:
    """Ollama's client, connected to these bytes."""

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=data)

    return ollama.AsyncClient(host="http://gateway", transport=httpx.MockTransport(answer))


def ticking() -> Any:
    """A clock that goes one second at each look."""
    numbers = itertools.count(100)
    return lambda: float(next(numbers))


def streamed(deltas: list[Delta], *, generate: bool = False) -> bytes:
    stream = dialect.stream(chat(), generate=generate, wall=lambda: 1.7e9, clock=ticking())
    return stream.start() + b"".join(stream.encode(delta) for delta in deltas) + stream.end()


def assembled(deltas: list[Delta], *, generate: bool = False) -> bytes:
    assembly = dialect.assembly(chat(), generate=generate, wall=lambda: 1.7e9, clock=ticking())
    for delta in deltas:
        assembly.add(delta)
    return assembly.body()


async def test_the_client_reads_a_streamed_chat() -> None:
    """Ollama's client reads a streamed chat: pieces of text, then a whole tool call, then the counts."""
    parts = [part async for part in await client(streamed(DELTAS)).chat(model="m", messages=[USER], stream=True)]
    assert "".join(part.message.content or "" for part in parts) == "Héllo"
    assert "".join(part.message.thinking or "" for part in parts) == "Hm"
    [call] = [call for part in parts for call in part.message.tool_calls or ()]
    assert (call.function.name, call.function.arguments) == ("look_up", {"q": 1})
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    last = parts[-1]
    assert (last.prompt_eval_count, last.eval_count, last.done_reason) == (14, 6, "stop")
    assert (last.prompt_eval_duration, last.eval_duration, last.total_duration) == (10**9, 10**9, 2 * 10**9)


async def test_the_client_reads_a_whole_chat() -> None:
    """Ollama's client reads the same chat in one object."""
    answer = await client(assembled(DELTAS)).chat(model="m", messages=[USER])
    assert (answer.message.content, answer.message.thinking) == ("Héllo", "Hm")
    assert answer.message.tool_calls is not None
    assert answer.message.tool_calls[0].function.arguments == {"q": 1}
    assert answer.logprobs is not None
    assert answer.logprobs[0].logprob == -0.5
    assert answer.eval_count == 6


async def test_the_client_reads_generate() -> None:
    """Ollama's client reads `response` in the answers of `/api/generate`."""
    texts = [*DELTAS[:3], Finish(reason=FinishReason.LENGTH), DELTAS[-1]]
    data = streamed(texts, generate=True)
    parts = [part async for part in await client(data).generate(model="m", prompt="x", stream=True)]
    whole = await client(assembled(texts, generate=True)).generate(model="m", prompt="x")
    assert "".join(part.response or "" for part in parts) == whole.response == "Héllo"
    assert whole.thinking == "Hm"
    assert parts[-1].done_reason == whole.done_reason == "length"


async def test_the_client_sees_errors() -> None:
    """Ollama's client sees errors, both as a body and inside a stream."""
    with pytest.raises(ollama.ResponseError, match="model 'x' not found"):
        await client(dialect.error_body(NotFound("model 'x' not found")), 404).chat(model="x", messages=[USER])
    stream = dialect.stream(chat(), generate=False, wall=lambda: 0.0, clock=ticking())
    data = stream.encode(Text(text="a")) + stream.error(Unavailable("The engine died."))
    parts = await client(data).chat(model="m", messages=[USER], stream=True)
    assert (await anext(parts)).message.content == "a"
    with pytest.raises(ollama.ResponseError, match="The engine died"):
        await anext(parts)


async def test_the_client_reads_lists_and_details() -> None:
    """Ollama's client reads `/api/tags`, `/api/show`, `/api/embed` and `/api/version`."""
    listed = await client(dialect.tags_body({"auto": traits()}, created=1.7e9)).list()
    assert [model.model for model in listed.models] == ["auto"]
    shown = await client(dialect.show_body(traits(Capability.TOOLS), created=1.7e9)).show("auto")
    assert shown.modelinfo == {"general.architecture": "aduana", "aduana.context_length": 8192}
    vectors = Embeddings(vectors=((1.0, 2.0),), usage=Usage(input=3))
    assert (await client(dialect.embed_body(vectors, model="m", seconds=0.5)).embed("m", "x")).embeddings == [[1, 2]]
    assert (await client(dialect.embedding_body(vectors)).embeddings("m", "x")).embedding == [1, 2]
    assert [int(part) for part in json.loads(dialect.version_body())["version"].split(".")] >= [0, 13, 4]


@pytest.mark.parametrize("make", [streamed, assembled])
def test_unfinished_answers(make: Any) -> None:
    """An answer without finish and usage has no end and is an error."""
    with pytest.raises(TargetProtocolError):
        make([Text(text="x")])
    with pytest.raises(TargetProtocolError):
        make([Text(text="x"), DELTAS[-1]])


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("null", msgspec.UNSET),
        ("0", 0.0),
        ("300", 300.0),
        ("-1", None),
        ('"0"', 0.0),
        ('"5m"', 300.0),
        ('"1h30m"', 5400.0),
        ('"500ms"', 0.5),
        ('"-1m"', None),
        ('"24h"', 86_400.0),
        ("1e300", None),
    ],
)
def test_keep_alive(given: str, seconds: float | msgspec.UnsetType | None) -> None:
    """`keep_alive` is seconds or a time in Ollama's words; negative times and those beyond ten years mean for ever."""
    _, wish = dialect.parse_chat(f'{{"model":"llama:latest","keep_alive":{given}}}'.encode())
    assert wish == dialect.Wish(model="llama", keep=seconds)


@pytest.mark.parametrize(
    "given", ['"soon"', '"5 m"', '""', "true", "[]", pytest.param(f'"{"1" * 500_000}"', id="long")]
)
def test_keep_alive_that_is_no_time(given: str) -> None:
    """A `keep_alive` that is no time is refused, and the error names it."""
    with pytest.raises(BadRequest) as caught:
        dialect.parse_generate(f'{{"model":"m","prompt":"x","keep_alive":{given}}}'.encode())
    assert caught.value.param == "keep_alive"


async def test_the_client_lists_loaded_models() -> None:
    """Ollama's client lists the loaded models, with their memory and when they will be unloaded."""
    residents = [
        dialect.Resident(name="home", memory=10, gpu_memory=7, context=512, unloads_in=60.0),
        dialect.Resident(name="big", memory=20, gpu_memory=0, context=512, unloads_in=None),
    ]
    listed = await client(dialect.ps_body(residents, now=1.7e9)).ps()
    assert [(model.model, model.size, model.size_vram) for model in listed.models] == [("home", 10, 7), ("big", 20, 0)]
    assert listed.models[0].expires_at is not None
    assert listed.models[0].expires_at.timestamp() == pytest.approx(1.7e9 + 60)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (traits(), ["completion"]),
        (
            traits(Capability.TOOLS, Capability.IMAGES, Capability.THINKING),
            ["completion", "tools", "vision", "thinking"],
        ),
        (traits(endpoint=Endpoint.EMBEDDINGS), ["embedding"]),
    ],
)
def test_show_says_what_a_model_can(shown: ModelTraits, words: list[str]) -> None:
    """Apps offer pictures, tools and thinking by `capabilities`."""
    assert json.loads(dialect.show_body(shown, created=1.0))["capabilities"] == words


def test_every_listed_model_has_a_digest() -> None:
    """`ollama list` and `ollama ps` cut it to twelve letters."""
    resident = dialect.Resident(name="auto", memory=1, gpu_memory=0, context=2048, unloads_in=None)
    loaded = json.loads(dialect.ps_body([resident], now=1.0))["models"][0]
    listed = json.loads(dialect.tags_body({"auto": traits()}, created=1.0))["models"][0]
    assert len(listed["digest"]) == 64
    assert loaded["digest"] == listed["digest"]
    assert loaded["context_length"] == 2048


async def test_the_client_pulls_what_is_there() -> None:
    """Ollama's client reads the progress of a pull, in steps or at once."""
    assert (await client(dialect.pulled_body(stream=False)).pull("auto")).status == "success"
    steps = [step.status async for step in await client(dialect.pulled_body(stream=True)).pull("auto", stream=True)]
    assert steps[0] == "pulling manifest"
    assert steps[-1] == "success"


def test_embedding_nothing_only_loads() -> None:
    """A request without text asks for the model to be loaded, as in Ollama; loading options are left out."""
    assert dialect.parse_embed(b'{"model":"m","input":""}')[0] is None
    assert dialect.parse_embed(b'{"model":"m","input":[]}')[0] is None
    request, _ = dialect.parse_embed(b'{"model":"m","input":"a","options":{"num_ctx":512},"truncate":false}')
    assert request is not None
    assert request.left_out == ("options.num_ctx",)
    assert not request.truncate


@pytest.mark.parametrize("field", ["grammar", "json_schema", "guided_json"])
def test_forms_of_other_servers_are_refused(field: str) -> None:
    """A field that holds answers to a form in another API is refused by name: left out, it would hold nothing."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], field: {"type": "object"}})
    with pytest.raises(BadRequest, match="format"):
        dialect.parse_chat(body.encode())
