"""Masking as users meet it: every dialect, streamed and not, against a cloud that keeps what arrives and echoes it."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import anthropic
import httpx2
import ollama
import openai
import pytest
import pytest_asyncio
from aiohttp import web

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAIL, PHONE, IBAN = "ana.lopez@clinica-sol.es", "+34 612 345 678", "ES91 2100 0418 4502 0005 1332"
TAGS = {"x-aduana-tags": "public"}
CONFIG = """
policy: {policy}
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: home-1}}
  big:
    {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1, capabilities: [tools]}}
models:
  auto: {{}}
"""
POLICY = """
version: 1
labels: {default: internal, tags: {public: public}}
rules:
  - {name: contact data goes out masked, when: {tags: public}, mask: [contact], prefer: [big, home]}
otherwise: {prefer: [home]}
"""


class EchoingCloud(StandInCloud):
    """Says what it was told last, three characters at a time; calls the first tool with it, if there is one."""

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        document = await self._keep(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        text = self._text(document["messages"][-1]["content"])
        finish = "stop"
        if document.get("tools"):
            finish = "tool_calls"
            arguments = json.dumps({"text": text})
            head = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "send", "arguments": ""}}
            await response.write(self._frame({"tool_calls": [head]}, None, document))
            for piece in self._pieces(arguments):
                part = {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
                await response.write(self._frame(part, None, document))
        else:
            for piece in self._pieces(text):
                await response.write(self._frame({"content": piece}, None, document))
        await response.write(self._frame({}, finish, document))
        usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "choices": [], "usage": usage}
        await response.write(b"data: " + json.dumps(head).encode() + b"\n\ndata: [DONE]\n\n")
        await response.write_eof()
        return response

    @staticmethod
    def _pieces(text: str) -> list[str]:
        return [text[at : at + 3] for at in range(0, len(text), 3)]

    @staticmethod
    def _text(content) -> str:
        return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


class House:
    """A running gateway, the cloud it may use, and a server at home."""

    def __init__(self, gateway: RunningGateway, cloud: StandInCloud, home: StandInCloud) -> None:
        self.gateway, self.cloud, self.home = gateway, cloud, home

    def left(self) -> None:
        """Assert that a request left, and no value with it, in whatever spelling."""
        assert self.cloud.bodies, "nothing left"
        for value in (MAIL, MAIL.upper(), PHONE, PHONE.replace(" ", ""), "clinica-sol", "612345678"):
            assert value not in self.cloud.arrived
        assert "mail.invalid" in self.cloud.arrived
        self.cloud.bodies.clear()

    def stayed(self) -> None:
        """Assert that nothing left, and that home got the original."""
        assert not self.cloud.bodies
        assert MAIL in self.home.arrived
        self.home.bodies.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("masking")
    (folder / "policy.yaml").write_text(POLICY)
    async with EchoingCloud() as cloud, EchoingCloud() as home:
        config = CONFIG.format(policy=folder / "policy.yaml", cloud=cloud.base_url, home=home.base_url)
        async with RunningGateway(folder, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            yield House(gateway, cloud, home)


SAID = f"Escribe a {MAIL} y llama al {PHONE} (612345678)."


@pytest.mark.parametrize("stream", [False, True])
async def test_openai_chat(house, stream):
    """An OpenAI chat goes out masked and comes back with its values, in answers and tool calls; a header says so."""
    async with openai.AsyncOpenAI(
        base_url=house.gateway.url + "/v1", api_key="unused", max_retries=0, default_headers=TAGS
    ) as client:
        messages = [
            {"role": "system", "content": f"Trabajas para {MAIL}."},
            {"role": "user", "name": "ana", "content": [{"type": "text", "text": SAID}]},
        ]
        tools = [{"type": "function", "function": {"name": "send", "description": f"Como {MAIL}", "parameters": {}}}]
        if stream:
            chunks = [chunk async for chunk in await client.chat.completions.create(
                model="auto", messages=messages, stream=True, user=MAIL)]  # fmt: skip
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == SAID
            house.left()
            chunks = [chunk async for chunk in await client.chat.completions.create(
                model="auto", messages=messages, tools=tools, stream=True)]  # fmt: skip
            calls = [call for chunk in chunks if chunk.choices for call in chunk.choices[0].delta.tool_calls or ()]
            assert json.loads("".join(call.function.arguments or "" for call in calls)) == {"text": SAID}
        else:
            raw = await client.chat.completions.with_raw_response.create(model="auto", messages=messages)
            assert raw.headers["x-aduana-masked"] == "contact.email=2, contact.phone=2"
            assert raw.headers["x-aduana-target"] == "big"
            assert raw.parse().choices[0].message.content == SAID
            house.left()
            answer = await client.chat.completions.create(model="auto", messages=messages, tools=tools)
            assert json.loads(answer.choices[0].message.tool_calls[0].function.arguments) == {"text": SAID}
        house.left()


@pytest.mark.parametrize("stream", [False, True])
async def test_openai_responses(house, stream):
    """A request of the Responses API goes out masked and comes back with its values."""
    async with openai.AsyncOpenAI(
        base_url=house.gateway.url + "/v1", api_key="unused", max_retries=0, default_headers=TAGS
    ) as client:
        if stream:
            events = [event async for event in await client.responses.create(model="auto", input=SAID, stream=True)]
            deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
            assert "".join(deltas) == SAID
            assert events[-1].response.output_text == SAID
        else:
            assert (await client.responses.create(model="auto", input=SAID)).output_text == SAID
        house.left()


@pytest.mark.parametrize("stream", [False, True])
async def test_anthropic_messages(house, stream):
    """A request of Anthropic's clients goes out masked and comes back with its values, in tool use, too."""
    async with anthropic.AsyncAnthropic(
        base_url=house.gateway.url, api_key="unused", max_retries=0, default_headers=TAGS
    ) as client:
        asked = {"model": "auto", "max_tokens": 64, "messages": [{"role": "user", "content": SAID}]}
        tools = [{"name": "send", "description": f"Como {MAIL}", "input_schema": {"type": "object"}}]
        if stream:
            async with client.messages.stream(**asked) as events:
                assert "".join([piece async for piece in events.text_stream]) == SAID
            house.left()
            async with client.messages.stream(**asked, tools=tools) as events:
                answer = await events.get_final_message()
        else:
            assert (await client.messages.create(**asked)).content[0].text == SAID
            house.left()
            answer = await client.messages.create(**asked, tools=tools)
        assert answer.content[0].input == {"text": SAID}
        house.left()


@pytest.mark.parametrize("stream", [False, True])
async def test_ollama_chat(house, stream):
    """A request of Ollama's clients goes out masked and comes back with its values."""
    client = ollama.AsyncClient(host=house.gateway.url, headers=TAGS)
    messages = [{"role": "user", "content": SAID}]
    if stream:
        parts = [part async for part in await client.chat(model="auto", messages=messages, stream=True)]
        assert "".join(part.message.content or "" for part in parts) == SAID
    else:
        assert (await client.chat(model="auto", messages=messages)).message.content == SAID
    await client.close()
    house.left()


async def ask(house, messages, tags: str = "public", **fields):
    """Send a plain request, and return the raw answer."""
    async with httpx2.AsyncClient(base_url=house.gateway.url, timeout=60) as client:
        body = {"model": "auto", "messages": messages, **fields}
        answer = await client.post("/v1/chat/completions", json=body, headers={"x-aduana-tags": tags})
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_conversation_with_tools_keeps_its_pseudonyms(house):
    """History with tool calls and results, turn after turn: one pseudonym for one value, none of them leaves."""
    call = {"id": "c1", "type": "function", "function": {"name": "send", "arguments": json.dumps({"to": MAIL})}}
    messages = [{"role": "user", "content": f"Escribe a {MAIL}"}]
    await ask(house, messages)
    first = json.loads(house.cloud.bodies[-1])["messages"][0]["content"]
    house.left()
    messages += [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": json.dumps({"sent": MAIL, "ok": True})},
        {"role": "user", "content": "¿Hecho?"},
    ]
    await ask(house, messages)
    sent = json.loads(house.cloud.bodies[-1])["messages"]
    assert sent[0]["content"] == first
    pseudonym = first.split()[-1]
    assert json.loads(sent[1]["tool_calls"][0]["function"]["arguments"]) == {"to": pseudonym}
    assert json.loads(sent[2]["content"]) == {"sent": pseudonym, "ok": True}
    house.left()


async def test_what_can_not_be_masked_stays(house):
    """An IBAN beside it, no tag, an encoded copy, an image: home gets the original, the cloud nothing."""
    encoded = "YW5hLmxvcGV6QGNsaW5pY2Etc29sLmVz"
    await ask(house, [{"role": "user", "content": f"{MAIL} {IBAN}"}])
    house.stayed()
    await ask(house, [{"role": "user", "content": MAIL}], tags="internal")
    house.stayed()
    await ask(house, [{"role": "user", "content": f"{MAIL} {encoded}"}])
    house.stayed()


async def test_nothing_of_it_is_written_down(house):
    """No value and no pseudonym in log, metrics or database; the receipt and the metric count."""
    await ask(house, [{"role": "user", "content": f"Escribe a {MAIL}"}])
    pseudonym = json.loads(house.cloud.bodies[-1])["messages"][0]["content"].split()[-1]
    house.left()
    async with httpx2.AsyncClient(base_url=house.gateway.url) as client:
        metrics = (await client.get("/metrics")).text
        explained = await client.post(
            "/v1/chat/completions",
            json={"model": "auto", "messages": [{"role": "user", "content": MAIL}]},
            headers=TAGS | {"x-aduana-explain": "1"},
        )
    assert explained.json()["masked"] == ["contact.email"]
    assert 'aduana_privacy_actions_total{action="masked"}' in metrics
    state = house.gateway.folder / "state"
    with sqlite3.connect(state / "ledger.sqlite3") as connection:
        rows = connection.execute("SELECT masked FROM receipts WHERE masked != '[]'").fetchall()
    connection.close()
    assert '[["contact.email",1]]' in {row[0] for row in rows}
    kept = b"".join(file.read_bytes() for file in state.iterdir() if file.is_file())
    for word in (MAIL, pseudonym):
        assert word not in explained.text + metrics + house.gateway.log
        assert word.encode() not in kept
