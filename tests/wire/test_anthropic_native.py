"""A body of Anthropic's dialect reaches targets of that API as it came, and leaves no trace in what others are sent."""

import json
from typing import Any

import pytest

from gateway.core.delta import Finish, FinishReason, Text, UsageReport
from gateway.core.document import freeze_object, thaw
from gateway.core.labels import Label, Zone
from gateway.core.outbound import outbound_document
from gateway.core.provider_fields import NATIVE
from gateway.core.request import ChatRequest
from gateway.core.target import Api, TargetInfo
from gateway.core.usage import Usage
from gateway.upstream.anthropic.requests import messages_request
from gateway.upstream.unsaid import unsaid
from gateway.wire import anthropic as dialect
from gateway.wire import openai, responses

WANTED = dialect.Wanted(words=True, provider_tools=True)
CITE = {"citations": {"enabled": True}}
TEXT = {"type": "text", "text": "hi"}
SOURCE = {"type": "text", "media_type": "text/plain", "data": "The grass is green."}
TEXT_DOCUMENT = {"type": "document", "source": SOURCE, "title": "Colours", "context": "A note.", **CITE}
BLOCKS = {"type": "content", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}
BLOCK_DOCUMENT = {"type": "document", "source": BLOCKS, "cache_control": {"type": "ephemeral"}, **CITE}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, **CITE}
FOUND = {"type": "search_result", "source": "https://a", "title": "A", "content": [TEXT], **CITE}
CITED = {
    "type": "text",
    "text": "Green.",
    "citations": [{"type": "char_location", "cited_text": "The grass", "document_index": 0}],
}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": [TEXT], "added": {"by": "one day"}}
TOOL = {"name": "f", "input_schema": {"type": "object"}, "eager_input_streaming": True}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
SEARCHED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "grass"}}
HIT = {"type": "web_search_result", "url": "https://a", "title": "A", "encrypted_content": "x" * 40, "page_age": None}
ANSWERED = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [HIT]}


def parsed(wanted: dialect.Wanted = WANTED, **fields: Any) -> ChatRequest:
    body = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]} | fields
    return dialect.parse_messages(json.dumps(body).encode(), wanted=wanted)


def target(api: Api = Api.MESSAGES, **fields: Any) -> TargetInfo:
    return TargetInfo(
        name="t",
        kind="x",
        zone=Zone.CLOUD,
        ceiling=Label.PUBLIC,
        model="m",
        api=api,
        marks=api is not Api.CHAT,
        **fields,
    )


def sent(request: Any, info: TargetInfo | None = None) -> Any:
    document = outbound_document(request, info or target())
    return thaw(messages_request("t", document, version="2023-06-01", answer_tokens=9))


def turns(*messages: Any, info: TargetInfo | None = None, **fields: Any) -> Any:
    return [turn["content"] for turn in sent(parsed(messages=list(messages), **fields), info)["messages"]]


@pytest.mark.parametrize("block", [TEXT_DOCUMENT, BLOCK_DOCUMENT, PDF, FOUND, TEXT_DOCUMENT | {"title": None}])
def test_documents_arrive_whole(block: dict[str, Any]) -> None:
    """A document or a search result with its title, context and wish for citations is the same block, in its place."""
    expected = {name: value for name, value in block.items() if value is not None}
    [content] = turns({"role": "user", "content": [TEXT, block, {"type": "text", "text": "What colour?"}]})
    assert content == [TEXT, expected, {"type": "text", "text": "What colour?"}]


def test_citations_and_fields_that_nobody_knows_here_arrive() -> None:
    """Citations in the answers so far, and new fields of the body, calls, results and tools are sent as they came."""
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [CITED, CALL]},
        {"role": "user", "content": [RESULT]},
    ]
    found = sent(parsed(messages=history, tools=[TOOL], inference_geo="eu", system=[TEXT | {"new": 1}]))
    assert found["messages"][1]["content"] == [CITED, CALL]
    assert found["messages"][2]["content"] == [RESULT]
    assert found["tools"] == [TOOL]
    assert found["inference_geo"] == "eu"
    assert found["system"] == [TEXT | {"new": 1}]


def test_who_asks_and_what_is_to_be_stored_does_not_arrive() -> None:
    """Fields that name a person or ask a provider to keep the request stay here, in this dialect as in the others."""
    found = sent(parsed(metadata={"user_id": "ana"}, user="ana", store=True, safety_identifier="ana"))
    assert not {"metadata", "user", "store", "safety_identifier"} & found.keys()


@pytest.mark.parametrize("own", [False, True])
def test_features_under_test_are_asked_for_by_the_target_alone(own: bool) -> None:
    """Fields of features that the client's header asks for are left out, and named, where the target does not."""
    request = parsed(
        dialect.Wanted(words=True, betas=("context-management-2025-06-27",)),
        context_management={"edits": []},
        new={"a": 1},
        messages=[{"role": "user", "content": [PDF]}],
    )
    info = target(betas=frozenset({"context-management-2025-06-27"} if own else ()))
    assert ("new" in sent(request, info)) is own
    assert ("new" in unsaid(request, info)) is not own
    assert sent(request, info)["messages"][0]["content"] == [PDF]


def test_tools_of_the_provider_are_for_targets_that_let_it_run_them() -> None:
    """The provider's tools, and what they did, leave only where the target says so; else they are told in words."""
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [TEXT, SEARCHED, ANSWERED, CITED]},
        {"role": "user", "content": "go on"},
    ]
    request = parsed(messages=history, tools=[SEARCH], system="Be brief.")
    open_, closed = target(provider_tools=True), target()
    found = sent(request, open_)
    hit = {name: value for name, value in HIT.items() if value is not None} | {"page_age": None}
    assert found["messages"][1]["content"] == [TEXT, SEARCHED, ANSWERED | {"content": [hit]}, CITED]
    assert found["tools"] == [SEARCH]
    assert found["system"] == [{"type": "text", "text": "Be brief."}]
    assert not [name for name in unsaid(request, open_) if "search" in name]
    kept = json.dumps(sent(request, closed))
    assert "server_tool_use" not in kept
    assert "web_search_20250305" not in kept
    assert "These tools are not available here: web_search." in kept
    assert any("web_search" in name for name in unsaid(request, closed))


def test_a_search_that_goes_on_is_sent_as_it_stands() -> None:
    """A turn that the provider broke off within its own tool goes back without a result that nobody gave."""
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [SEARCHED]}]
    assert turns(*history, info=target(provider_tools=True), tools=[SEARCH])[1:] == [[SEARCHED]]


@pytest.mark.parametrize("api", [Api.CHAT, Api.RESPONSES])
def test_nothing_of_it_is_sent_to_other_targets(api: Api) -> None:
    """Targets of other APIs get the translation alone, and the answer names what they don't get."""
    history = [{"role": "user", "content": [TEXT_DOCUMENT]}, {"role": "assistant", "content": [CITED, CALL]}]
    request = parsed(messages=[*history, {"role": "user", "content": [RESULT]}], tools=[TOOL, SEARCH], new=1)
    assert NATIVE in json.dumps(thaw(request.document))
    assert NATIVE not in json.dumps(thaw(outbound_document(request, target(api))))
    named = unsaid(request, target(api))
    assert {"new", "messages[].content[].citations", "tools[].eager_input_streaming"} <= set(named)


def test_without_such_a_target_nothing_is_kept_of_it() -> None:
    """Where no target speaks Anthropic's API, the document is the translation, and what is lost is named as ever."""
    request = parsed(dialect.Wanted(), messages=[{"role": "user", "content": [TEXT_DOCUMENT]}], tools=[SEARCH], new=1)
    assert NATIVE not in json.dumps(thaw(request.document))
    assert {"new", "messages[].content[].citations"} <= set(request.left_out)


@pytest.mark.parametrize(
    "request_",
    [
        openai.parse_chat(
            json.dumps(
                {
                    "model": "m",
                    "messages": [{"role": "user", "content": [TEXT | {NATIVE: {"fields": {"new": 1}}}]}],
                    NATIVE: {"fields": {"new": 1}, "tools": [SEARCH]},
                }
            ).encode()
        ),
        responses.parse_response(json.dumps({"model": "m", "input": "hi", NATIVE: {"tools": [SEARCH]}}).encode()).chat,
    ],
)
def test_clients_of_other_dialects_have_no_such_words(request_: Any) -> None:
    """A field of that name in another dialect's body is nothing that a target of Anthropic's API is sent."""
    found = json.dumps(sent(request_, target(provider_tools=True)))
    assert "web_search" not in found
    assert "new" not in found


@pytest.mark.parametrize(("api", "told"), [(Api.MESSAGES, True), (Api.CHAT, False)])
def test_usage_of_the_same_api_is_told_whole(api: Api, told: bool) -> None:
    """Clients see what Anthropic says of the usage beside the counts, and nothing in other APIs' words."""
    more = freeze_object({"server_tool_use": {"web_search_requests": 1}, "service_tier": "standard"})
    report = UsageReport(usage=Usage(input=3, output=2), told=more, api=api)
    deltas = [Text(text="Hi"), Finish(reason=FinishReason.STOP), report]
    stream, whole = dialect.stream(parsed(), id="msg_1", request_id="r"), dialect.assembly(parsed(), id="msg_1")
    sent_ = b"".join([stream.encode(delta) for delta in deltas])
    for delta in deltas:
        whole.add(delta)
    usage = json.loads(whole.body())["usage"]
    assert (usage.get("server_tool_use") == {"web_search_requests": 1}) is told
    assert (b'"service_tier":"standard"' in sent_) is told
    assert (usage["input_tokens"], usage["output_tokens"]) == (3, 2)


def test_servers_and_containers_go_nowhere() -> None:
    """What Anthropic's service would connect is told to no target, not even to one that lets it run tools."""
    server = {"type": "url", "name": "git", "url": "https://git.example", "authorization_token": "s3cret"}
    toolset = {"type": "mcp_toolset", "mcp_server_name": "git"}
    request = parsed(mcp_servers=[server], container="c_1", tools=[TOOL, SEARCH, toolset])
    body = json.dumps(sent(request, target(provider_tools=True)))
    assert not [word for word in ("git", "s3cret", "c_1") if word in body]
    assert "web_search_20250305" in body
    assert {"mcp_servers", "container"} <= set(request.left_out)
