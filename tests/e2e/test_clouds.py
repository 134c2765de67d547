"""Every client through the whole gateway to clouds in their own language, and what must not reach them."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from aiohttp import web

from gateway.app.wiring import running
from gateway.settings import Settings
from tests.standins.anthropic_cloud import SIGNATURE, THOUGHT, StandInAnthropic
from tests.standins.cloud import StandInCloud
from tests.standins.responses_cloud import SEALED, THOUGHT_ID, StandInResponses

POLICY = """
version: 1
labels: {default: public, tags: {health: sensitive}}
rules:
  - {name: contact data goes out masked, when: {findings: {in: [contact]}}, mask: [contact], prefer: [away, home]}
otherwise: {prefer: [away, home]}
"""
IBAN = "ES91 2100 0418 4502 0005 1332"
EMAIL = "ana.ruiz@clinica-soler.es"
KEY = "sk-provider-0123456789abcdef"
MARK = {"type": "ephemeral"}
TOOL = {"name": "look_up", "description": "Looks.", "input_schema": {"type": "object", "properties": {"q": {}}}}
FUNCTION = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


class House:
    """A running gateway between its clients, a cloud and a server at home."""

    def __init__(self, url: str, cloud: StandInCloud, home: StandInCloud) -> None:
        self.url = url
        self.cloud = cloud
        self.home = home

    def openai(self, **headers: str) -> openai.AsyncOpenAI:
        """An app that speaks OpenAI's API."""
        return openai.AsyncOpenAI(
            base_url=f"{self.url}/v1", api_key="unused", max_retries=0, default_headers=headers, timeout=30
        )

    def anthropic(self, **headers: str) -> anthropic.AsyncAnthropic:
        """An app that speaks Anthropic's API."""
        return anthropic.AsyncAnthropic(
            base_url=self.url, api_key="unused", max_retries=0, default_headers=headers, timeout=30
        )


@asynccontextmanager
async def opened(folder: Path, cloud: StandInCloud, **target: Any) -> AsyncIterator[House]:
    """A gateway that prefers `away`, this cloud, to a server at home."""
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "key").write_text(KEY)
    async with cloud, StandInCloud("At home.") as home:
        address = cloud.address if isinstance(cloud, StandInAnthropic) else cloud.base_url
        away = {"api_key": f"file:{folder / 'key'}", "base_url": address, "ceiling": "public", "retries": 0}
        settings = Settings(
            server={"port": 0},
            state_dir=folder / "state",
            policy=(folder / "policy.yaml",),
            targets={
                "away": away | target,
                "home": {"kind": "openai", "zone": "local", "base_url": home.base_url, "model": "home-1"},
            },
        )
        async with running(settings) as gateway:
            yield House(gateway.url, cloud, home)


def claude(folder: Path, **more: Any) -> Any:
    return opened(folder, StandInAnthropic("Hello from away."), kind="anthropic", model="claude-sonnet-4-5", **more)


def thinker(folder: Path, **more: Any) -> Any:
    cloud = StandInResponses("Hello from away.")
    return opened(folder, cloud, kind="openai", zone="cloud", api="responses", model="gpt-5.4", **more)


class StandInGemini(StandInCloud):
    """Signs its calls, and takes none back without its signature."""

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        document: Any = await self._keep(request)
        extra = {"google": {"thought_signature": SIGNATURE[:80]}}  # alone it looks like a key
        calls = [call for message in document["messages"] for call in message.get("tool_calls", ())]
        if any(call.get("extra_content") != extra for call in calls):
            return web.json_response([{"error": {"code": 400, "message": "missing a thought_signature"}}], status=400)
        function = {"name": "look_up", "arguments": '{"q":"x"}'}
        call = {"index": 0, "id": "c1", "type": "function", "function": function, "extra_content": extra}
        delta: Any = {"content": "Hello from away."} if calls else {"tool_calls": [call]}
        usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 20}
        choice = {"index": 0, "delta": delta, "finish_reason": "stop"}
        data = json.dumps({"choices": [choice], "usage": usage})
        return web.Response(text=f"data: {data}\n\ndata: [DONE]\n\n", content_type="text/event-stream")


async def test_an_anthropic_client_reaches_anthropic_as_it_spoke(tmp_path: Path) -> None:
    """Cache marks, thinking with its signature, tools and results arrive as Anthropic's own client sent them."""
    thinking = {"type": "enabled", "budget_tokens": 1024}
    system = [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Rules.", "cache_control": MARK}]
    ask: dict[str, Any] = {
        "model": "away",
        "max_tokens": 4096,
        "system": system,
        "thinking": thinking,
        "tools": [TOOL | {"cache_control": MARK}],
    }
    question = {"role": "user", "content": [{"type": "text", "text": "Look it up.", "cache_control": MARK}]}
    async with claude(tmp_path) as house, house.anthropic() as client:
        first = await client.messages.create(messages=[question], **ask)
        assert [block.type for block in first.content] == ["thinking", "redacted_thinking", "tool_use"]
        assert first.content[0].signature == SIGNATURE
        assert first.content[2].input == {"q": "x"}
        assert first.usage.cache_creation_input_tokens == 100
        assert (first.usage.input_tokens, first.usage.cache_read_input_tokens) == (11, 1000)
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "found", "is_error": True}
        turns = [question, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        async with client.messages.stream(messages=turns, **ask) as stream:
            second = await stream.get_final_message()
        assert [block.type for block in second.content] == ["thinking", "redacted_thinking", "text"]
        assert second.content[0].thinking == THOUGHT
        sent, again = house.cloud.documents
        head, *_ = house.cloud.headers
    assert sent["system"] == system
    assert sent["messages"] == [question]
    assert (sent["thinking"], sent["max_tokens"], sent["model"]) == (thinking, 4096, "claude-sonnet-4-5")
    assert sent["tools"] == [TOOL | {"cache_control": MARK}]
    assert again["messages"][1]["content"] == [
        {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE},
        {"type": "redacted_thinking", "data": SIGNATURE[::-1]},
        {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"q": "x"}},
    ]
    assert again["messages"][2]["content"] == [result | {"content": [{"type": "text", "text": "found"}]}]
    assert (head["x-api-key"], head["anthropic-version"]) == (KEY, "2023-06-01")
    assert set(map(str.lower, head)) == {
        "host", "content-type", "content-length", "accept", "accept-encoding", "user-agent", "x-api-key",
        "anthropic-version",
    }  # fmt: skip


async def test_an_openai_client_keeps_its_thoughts_at_anthropic(tmp_path: Path) -> None:
    """A chat app asks for effort, gets `reasoning_details`, and its next turn carries the signed thoughts back."""
    question = {"role": "user", "content": "Look it up."}
    async with claude(tmp_path) as house, house.openai() as client:
        ask: dict[str, Any] = {"model": "away", "tools": [FUNCTION], "reasoning_effort": "high", "seed": 7}
        whole = await client.chat.completions.with_raw_response.create(messages=[question], **ask)
        assert whole.headers["x-aduana-dropped"] == "seed"
        message = whole.parse().choices[0].message
        assert message.tool_calls[0].function.arguments == '{"q":"x"}'
        assert whole.parse().usage.prompt_tokens == 1111
        assert whole.parse().usage.completion_tokens_details.reasoning_tokens == 20
        turns = [
            question,
            message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": "toolu_1", "content": "found"},
        ]
        texts = []
        async for chunk in await client.chat.completions.create(messages=turns, stream=True, **ask):
            texts += [choice.delta.content or "" for choice in chunk.choices]
        assert "".join(texts).strip() == "Hello from away."
        _, again = house.cloud.documents
    assert again["thinking"] == {"type": "enabled", "budget_tokens": 4096}
    assert [block["type"] for block in again["messages"][1]["content"]] == [
        "thinking",
        "redacted_thinking",
        "tool_use",
    ]


async def test_a_responses_client_keeps_its_sealed_thoughts(tmp_path: Path) -> None:
    """Codex-like turns at a Responses target: effort, verbosity, tier and key arrive, sealed thoughts come back."""
    tool = {"type": "function", "name": "look_up", "parameters": {"type": "object"}, "strict": False}
    ask: dict[str, Any] = {
        "model": "away",
        "store": False,
        "tools": [tool],
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "high"},
        "text": {"verbosity": "low"},
        "service_tier": "flex",
        "prompt_cache_key": "session-1",
    }
    question: Any = {"role": "user", "content": "Look it up."}
    async with thinker(tmp_path) as house, house.openai() as client:
        raw = await client.responses.with_raw_response.create(input=[question], **ask)
        assert "x-aduana-dropped" not in raw.headers
        first = raw.parse()
        assert [item.type for item in first.output] == ["reasoning", "function_call"]
        assert first.usage.input_tokens_details.cached_tokens == 1000
        told = [item.model_dump(exclude_none=True) for item in first.output]
        result = {"type": "function_call_output", "call_id": "call_1", "output": "found"}
        async with client.responses.stream(input=[question, *told, result], **ask) as stream:
            second = await stream.get_final_response()
        assert second.output_text.strip() == "Hello from away."
        sent, again = house.cloud.documents
    assert (sent["reasoning"], sent["text"], sent["service_tier"]) == ({"effort": "high"}, {"verbosity": "low"}, "flex")
    assert sent["prompt_cache_key"] == again["prompt_cache_key"] != "session-1"
    assert again["input"][1:] == [
        {"type": "reasoning", "id": THOUGHT_ID, "summary": [], "encrypted_content": SEALED},
        {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": '{"q":"x"}'},
        result,
    ]


@pytest.mark.parametrize("kind", ["chat", "messages"])
async def test_clients_of_other_dialects_at_a_responses_target(tmp_path: Path, kind: str) -> None:
    """A chat app gets its sealed thoughts back as `reasoning_details`; Anthropic's client is served as well."""
    async with thinker(tmp_path) as house:
        if kind == "chat":
            async with house.openai() as client:
                question = {"role": "user", "content": "Look it up."}
                ask: dict[str, Any] = {"model": "away", "tools": [FUNCTION]}
                answer = await client.chat.completions.create(messages=[question], **ask)
                message = answer.choices[0].message.model_dump(exclude_none=True)
                result = {"role": "tool", "tool_call_id": "call_1", "content": "found"}
                answer = await client.chat.completions.create(messages=[question, message, result], **ask)
                assert answer.choices[0].message.content.strip() == "Hello from away."
            assert house.cloud.documents[1]["input"][1]["encrypted_content"] == SEALED
        else:
            async with house.anthropic() as client:
                said = await client.messages.create(
                    model="away", max_tokens=99, messages=[{"role": "user", "content": "hi"}]
                )
                assert said.content[-1].text.strip() == "Hello from away."
        assert all(document["store"] is False for document in house.cloud.documents)


async def test_gemini_gets_its_signatures_back(tmp_path: Path) -> None:
    """The signature of a call goes to the client and comes back with it; nobody takes it for a secret."""
    cloud = StandInGemini()
    question = {"role": "user", "content": "Look it up."}
    async with opened(tmp_path, cloud, kind="gemini", model="gemini-3-pro") as house, house.openai() as client:
        ask: dict[str, Any] = {"model": "auto", "tools": [FUNCTION]}
        first = await client.chat.completions.create(messages=[question], **ask)
        message = first.choices[0].message.model_dump(exclude_none=True)
        result = {"role": "tool", "tool_call_id": "c1", "content": "found"}
        second = await client.chat.completions.with_raw_response.create(messages=[question, message, result], **ask)
        assert second.headers["x-aduana-target"] == "away"
        message["tool_calls"][0]["extra_content"]["google"]["thought_signature"] = SIGNATURE[20:100]
        other = await client.chat.completions.with_raw_response.create(messages=[question, message, result], **ask)
        assert other.headers["x-aduana-target"] == "home"  # nobody here knows that it is none
        assert second.parse().choices[0].message.content == "Hello from away."
        assert second.parse().usage.completion_tokens == 11  # thoughts are told by the total alone
    assert len(cloud.bodies) == 2


KINDS: dict[str, tuple[Callable[[], StandInCloud], dict[str, Any]]] = {
    "anthropic": (StandInAnthropic, {"kind": "anthropic", "model": "claude-sonnet-4-5"}),
    "responses": (StandInResponses, {"kind": "openai", "zone": "cloud", "api": "responses", "model": "gpt-5.4"}),
    "chat": (StandInCloud, {"kind": "openai", "zone": "cloud", "model": "gpt-4.1"}),
    "gemini": (StandInCloud, {"kind": "gemini", "model": "gemini-3-pro"}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_must_stay_does_not_reach_a_cloud_of_any_kind(tmp_path: Path, kind: str) -> None:
    """An IBAN keeps its conversation at home; what continues it stays there; an address goes out under a pseudonym."""
    make, target = KINDS[kind]
    async with opened(tmp_path, make(), **target) as house, house.anthropic() as client:

        async def ask(*said: str, **fields: Any) -> str:
            roles = ("user", "assistant")
            turns = [
                {"role": roles[n % 2], "content": [{"type": "text", "text": text, "cache_control": MARK}]}
                for n, text in enumerate(said)
            ]
            answer = await client.messages.with_raw_response.create(
                model="auto", max_tokens=99, messages=turns, **fields
            )
            return str(answer.headers["x-aduana-target"])

        told = f"Please pay the invoice of the harbour committee to {IBAN} before the end of the month, will you?"
        assert await ask(told) == "home"
        assert await ask(told.replace(IBAN, "them"), "Paid.", f"To {IBAN[:12]}", "And?", IBAN[12:]) == "home"
        assert await ask("Hello.", system=[{"type": "text", "text": IBAN, "cache_control": MARK}]) == "home"
        split = [{"type": "text", "text": f"My IBAN is {IBAN[:14]}", "cache_control": MARK | {"ttl": "1h"}},
                 {"type": "text", "text": IBAN[14:]}]  # fmt: skip
        apart = await client.messages.with_raw_response.create(
            model="auto", max_tokens=9, messages=[{"role": "user", "content": split}]
        )
        assert apart.headers["x-aduana-target"] == "home"
        assert not house.cloud.bodies
        assert await ask(f"Write to {EMAIL} that we meet on Monday.") == "away"
        assert "ana.ruiz" not in house.cloud.arrived
        assert "Monday" in house.cloud.arrived
        assert IBAN[:9] not in house.cloud.arrived
    assert IBAN in house.home.arrived
    assert "cache_control" not in house.home.arrived
    assert KEY not in json.dumps(house.home.headers)


@pytest.mark.parametrize(("field", "value"), [("logprobs", True), ("logit_bias", {"1": 5})])
async def test_what_anthropic_can_not_be_asked_goes_to_whoever_can(tmp_path: Path, field: str, value: Any) -> None:
    """A parameter that an API has no words for is never dropped where it matters: the next target gets the request."""
    async with claude(tmp_path) as house, house.openai() as client:
        answer = await client.chat.completions.with_raw_response.create(
            model="auto", messages=[{"role": "user", "content": "hi"}], **{field: value}
        )
        assert answer.headers["x-aduana-target"] == "home"
        assert not house.cloud.bodies


async def test_documents_with_citations_reach_anthropic_as_they_came(tmp_path: Path) -> None:
    """A document stays one with its wish for citations; one with something personal in a new field goes nowhere."""
    source = {"type": "text", "media_type": "text/plain", "data": "The grass is green."}
    document = {"type": "document", "source": source, "title": "Colours", "citations": {"enabled": True}}
    question: list[Any] = [document, {"type": "text", "text": "What colour is it?"}]
    ask: Any = {"model": "away", "max_tokens": 64}
    async with claude(tmp_path) as house, house.anthropic() as client:
        first = await client.messages.with_raw_response.create(messages=[{"role": "user", "content": question}], **ask)
        assert first.headers["x-aduana-target"] == "away"
        assert "citations" not in first.headers.get("x-aduana-dropped", "")
        for more in ({"note": "IBAN ES9121000418450200051332"}, {"citations": {"for": "ES9121000418450200051332"}}):
            private: list[Any] = [document | more, *question]
            with pytest.raises(anthropic.PermissionDeniedError):
                await client.messages.create(messages=[{"role": "user", "content": private}], **ask)
        assert [body["messages"][0]["content"] for body in house.cloud.documents] == [question]


@pytest.mark.parametrize("setting", ["estimate", "native"])
async def test_anthropic_counts_where_its_target_says_so(tmp_path: Path, setting: str) -> None:
    """A count leaves only where the target is set to it, takes the road of a request, and costs nothing."""
    said = [{"role": "user", "content": "How many tokens are these?"}]
    secret = [{"role": "user", "content": "My IBAN is ES9121000418450200051332, how many tokens?"}]
    async with claude(tmp_path, count_tokens=setting) as house, house.anthropic() as client:
        counted = await client.messages.with_raw_response.count_tokens(model="away", messages=said)
        here = await client.messages.count_tokens(model="away", messages=secret)
        asked = house.cloud.documents
    native = setting == "native"
    assert ((await counted.parse()).input_tokens == 4711) is native
    assert (counted.headers.get("x-aduana-target") == "away") is native
    assert here.input_tokens != 4711
    assert [body["messages"][0]["content"] for body in asked] == (
        [[{"type": "text", "text": said[0]["content"]}]] if native else []
    )
    with closing(sqlite3.connect(tmp_path / "state" / "ledger.sqlite3")) as ledger:
        rows = ledger.execute("SELECT outcome, target, cost_micros FROM settlements").fetchall()
    assert rows == ([("ok", "away", 0)] if native else [])


async def test_places_at_home_are_told_and_those_of_clouds_are_not(tmp_path: Path) -> None:
    """Who is answered at home reads how many more requests its key may send there; a cloud's limits are nobody's."""
    said: Any = {"model": "home", "messages": [{"role": "user", "content": "hi"}]}
    async with claude(tmp_path) as house, house.openai() as client, house.anthropic() as other:
        home = await client.chat.completions.with_raw_response.create(**said)
        also = await other.messages.with_raw_response.create(**said, max_tokens=9)
        away = await client.chat.completions.with_raw_response.create(**said | {"model": "away"})
    limit, left = (int(home.headers[f"x-ratelimit-{name}-requests"]) for name in ("limit", "remaining"))
    assert 0 < left <= limit
    assert also.headers["anthropic-ratelimit-requests-limit"] == str(limit)
    assert not [name for name in away.headers if "ratelimit" in name]
