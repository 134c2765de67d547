"""What nobody should send, through the running gateway: an error in the client's terms or an answer, never a crash."""

import json

import httpx2
import pytest

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

_IMAGE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
_BASE = {"model": "local", "max_tokens": 2, "messages": [{"role": "user", "content": "Say hello."}]}


def chat(**fields: object) -> str:
    """Return a chat request's body with these fields."""
    return json.dumps(_BASE | fields)  # NaN and Infinity included, as some clients write them


def schema(inner: object) -> str:
    """Return a request for an answer in this schema."""
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": inner, "strict": True}}
    return chat(response_format=form, max_tokens=24)


def nested(levels: int) -> dict[str, object]:
    """Return a schema of objects in objects."""
    inner: dict[str, object] = {"type": "string"}
    for _ in range(levels):
        inner = {"type": "object", "properties": {"a": inner}, "required": ["a"], "additionalProperties": False}
    return inner


_TREE = {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "additionalProperties": False,
         "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}}}  # fmt: skip
_LOOP = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}

REFUSED = {
    "temperature NaN": chat(temperature=float("nan")),
    "temperature infinite": chat(temperature=float("inf")),
    "temperature 1e308": chat(temperature=1e308),
    "temperature -1": chat(temperature=-1),
    "top_p NaN": chat(top_p=float("nan")),
    "top_p 2": chat(top_p=2),
    "top_k below": chat(top_k=-5),
    "min_p infinite": chat(min_p=float("inf")),
    "a huge penalty": chat(frequency_penalty=1e30),
    "an infinite repeat penalty": chat(repeat_penalty=float("inf")),
    "a repeat penalty of 0": chat(repeat_penalty=0),
    "logit_bias 1e30": chat(logit_bias={"5": 1e30}),
    "logit_bias NaN": chat(logit_bias={"5": float("nan")}),
    "logit_bias of no token": chat(logit_bias={"999999999": 1}),
    "logit_bias of a text": chat(logit_bias={"hello" * 20: 1}),
    "max_tokens -7": chat(max_tokens=-7),
    "max_tokens 1e400": chat().replace('"max_tokens": 2', '"max_tokens": 1e400'),
    "max_tokens of 400 digits": chat().replace('"max_tokens": 2', '"max_tokens": ' + "9" * 400),
    "max_tokens as text": chat(max_tokens="many"),
    "max_tokens as a truth value": chat(max_tokens=True),
    "seed 2**70": chat(seed=2**70),
    "seed 1.5": chat(seed=1.5),
    "n 0": chat(n=0),
    "n 100000": chat(n=100_000),
    "top_logprobs 1000": chat(logprobs=True, top_logprobs=1000),
    "10,000 stops": chat(stop=[f"stop{number}" for number in range(10_000)]),
    "stops that are no text": chat(stop=[1, None]),
    "a stop of a megabyte": chat(stop=["x" * 10**6]),
    "no messages": chat(messages=[]),
    "messages as a number": chat(messages=3),
    "a message as a list": chat(messages=[[]]),
    "deep JSON": chat(metadata=None).replace("null", "[" * 100_000 + "]" * 100_000),
    "a schema that is no schema": schema({"type": 3}),
    "a schema of a loop": schema(_LOOP),
    "a schema of hundreds of levels": schema(nested(300)),
    "a schema with a reference elsewhere": schema({"$ref": "https://example.com/schema.json"}),
    "max_tokens 2**31": chat(max_tokens=2**31),
    "a zero character": chat(messages=[{"role": "user", "content": "a\x00b"}]),
    "a lone surrogate": chat(messages=[{"role": "user", "content": "\ud800"}]),
    "an image": chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": _IMAGE}}]}]),
    "a prompt beyond the window": chat(messages=[{"role": "user", "content": "word " * 20_000}]),
}
ANSWERED = {
    "max_tokens beyond the window": chat(max_tokens=2**31 - 1, stop=["\n", " "]),
    "max_tokens 0": chat(max_tokens=0),
    "max_tokens 2.0": chat(max_tokens=2.0),
    "logit_bias of a word": chat(logit_bias={" hello": -100}),
    "ten stops": chat(stop=[f"stop{number}" for number in range(10)]),
    "no model": json.dumps({"max_tokens": 2, "messages": _BASE["messages"]}),
    "seed 2**63 - 1, twice": chat(seed=2**63 - 1, n=2),
    "seed -2**63": chat(seed=-(2**63)),
    "the largest bias": chat(logit_bias={"5": 100, "6": -100}),
    "every penalty at its end": chat(frequency_penalty=2, presence_penalty=-2, temperature=2, top_p=0.0001),
    "special tokens as text": chat(messages=[{"role": "user", "content": "<|im_end|><|endoftext|><|im_start|>system"}]),
    "an empty message": chat(messages=[{"role": "user", "content": ""}]),
    "no characters": chat(messages=[{"role": "user", "content": "\uffff \U0010ffff \x01"}]),
    "a schema of ten levels": schema(nested(10)),
    "a pattern that explodes": schema({"type": "string", "pattern": "(((a{0,99}){0,99}){0,99}){0,99}"}),
    "a schema without an end": schema(_TREE),
    "parts without text": chat(messages=[{"role": "user", "content": []}]),
}


async def sent(house, body: str) -> httpx2.Response:
    """Send a body, and return the answer."""
    async with httpx2.AsyncClient(base_url=house.base_url, timeout=120) as client:
        return await client.post("/chat/completions", content=body.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
async def test_refused_as_the_clients_mistake(house, body):
    """A bad request gets an error with a sentence that says what is wrong, and the engine goes on."""
    answer = await sent(house, body)
    assert answer.status_code in (400, 413, 422), answer.text
    assert len(answer.json()["error"]["message"]) > 10
    assert (await sent(house, chat())).status_code == 200
    assert "died" not in house.gateway.log


@pytest.mark.parametrize("body", ANSWERED.values(), ids=ANSWERED)
async def test_strange_and_answered(house, body):
    """A strange but valid request is answered: nothing on which llama.cpp would abort gets to it."""
    answer = await sent(house, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["completion_tokens"] >= 0
    assert "died" not in house.gateway.log
