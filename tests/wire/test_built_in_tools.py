"""Agents never get stuck: what their clients send and a chat has no words for is served, told to the model or named."""

import json
from typing import Any

import pytest

from gateway.core.document import thaw
from gateway.core.errors import BadRequest
from gateway.wire import anthropic, ollama, openai, responses
from gateway.wire.built_in_tools import note, without_note

TURN = {"role": "user", "content": "go on"}
FUNCTION = {"type": "function", "name": "look", "parameters": {"type": "object"}}


def codex(*items: dict[str, Any], **fields: Any) -> Any:
    body = {"model": "m", "input": [*items, TURN], "tools": [FUNCTION]} | fields
    return responses.parse_response(json.dumps(body).encode())


def claude(*content: dict[str, Any], **fields: Any) -> Any:
    messages = [TURN, {"role": "assistant", "content": list(content)}, TURN] if content else [TURN]
    return anthropic.parse_messages(json.dumps({"model": "m", "max_tokens": 9, "messages": messages} | fields).encode())


def chat(**fields: Any) -> Any:
    return openai.parse_chat(json.dumps({"model": "m", "messages": [TURN]} | fields).encode())


def turns(request: Any) -> list[tuple[str, str | None, list[tuple[str, str]]]]:
    """Return each message's role and text, and its calls with their arguments."""
    messages: Any = thaw(request.document["messages"])
    return [
        (one["role"], one["content"], [tuple(call["function"].values()) for call in one.get("tool_calls", ())])
        for one in messages
    ]


PAIRS: dict[str, tuple[list[dict[str, Any]], tuple[str, str], str]] = {
    "local shell": (
        [
            {"type": "local_shell_call", "id": "ls_1", "call_id": "c", "status": "completed",
             "action": {"type": "exec", "command": ["ls"], "env": {}}},
            {"type": "function_call_output", "call_id": "c", "output": "a.txt"},
        ],
        ("local_shell", '{"action":{"type":"exec","command":["ls"],"env":{}}}'), "a.txt",
    ),
    "local shell, its own output": (
        [
            {"type": "local_shell_call", "id": "ls_1", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}},
            {"type": "local_shell_call_output", "id": "lso_1", "output": "a.txt"},
        ],
        ("local_shell", '{"action":{"type":"exec","command":["ls"]}}'), "a.txt",
    ),
    "shell": (
        [
            {"type": "shell_call", "call_id": "c", "action": {"commands": ["ls"]}},
            {"type": "shell_call_output", "call_id": "c",
             "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]},
        ],
        ("shell", '{"action":{"commands":["ls"]}}'),
        '[{"stdout":"a","stderr":"","outcome":{"type":"exit","exit_code":0}}]',
    ),
    "a patch that failed": (
        [
            {"type": "apply_patch_call", "call_id": "c", "operation": {"type": "delete_file", "path": "a"}},
            {"type": "apply_patch_call_output", "call_id": "c", "status": "failed", "output": "no such file"},
        ],
        ("apply_patch", '{"operation":{"type":"delete_file","path":"a"}}'), "The tool failed:\nno such file",
    ),
    "web search": (
        [{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}],
        ("web_search", '{"action":{"type":"search","query":"x"}}'), "",
    ),
    "tool search of the server's": (
        [
            {"type": "tool_search_call", "id": "ts_1", "execution": "server", "arguments": {"q": "x"}},
            {"type": "tool_search_output", "id": "to_1", "tools": [{"type": "function", "name": "zz"}]},
        ],
        ("tool_search", '{"q":"x"}'), '[{"type":"function","name":"zz"}]',
    ),
    "a program of the provider's": (
        [{"type": "code_interpreter_call", "id": "ci_1", "code": "1+1", "container_id": "k", "status": "completed",
          "outputs": [{"type": "logs", "logs": "2"}]}],
        ("code_interpreter", '{"code":"1+1"}'), '{"outputs":[{"type":"logs","logs":"2"}]}',
    ),
    "a connector": (
        [{"type": "mcp_call", "id": "m", "server_label": "git", "name": "log", "arguments": "{}", "output": "done"}],
        ("git__log", "{}"), '{"output":"done"}',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_codex_histories_with_built_in_tools_are_served(name: str) -> None:
    """A built-in tool's call and result become a call and a result that any model can read."""
    items, call, answer = PAIRS[name]
    found = turns(codex(*items).chat)
    assert found == [("assistant", None, [call]), ("tool", answer, []), ("user", "go on", [])]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "compaction", "encrypted_content": "sealed"},
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_1"},
        {"type": "ghost_snapshot", "ghost_commit": {"id": "x"}},
        {"type": "mcp_list_tools", "id": "l", "server_label": "s", "tools": []},
        {"type": "something_of_next_year", "text": "x"},
    ],
)
def test_items_that_no_model_can_read_are_named(item: dict[str, Any]) -> None:
    """What only the provider can read is left out, and the answer names it, so that the agent goes on."""
    asked = codex(item)
    assert turns(asked.chat) == [("user", "go on", [])]
    assert any(path.startswith("input[]") for path in asked.chat.left_out)


def test_tools_that_come_with_the_input_are_offered() -> None:
    """Codex sends tools as the first item: they are offered like those in `tools`, under their namespaces."""
    inner = [{"type": "custom", "name": "exec"}, {"type": "function", "name": "wait"}]
    item = {"type": "additional_tools", "role": "developer", "tools": [
        {"type": "namespace", "name": "functions", "tools": inner}]}  # fmt: skip
    asked = codex(item, tools=[])
    assert [tool["function"]["name"] for tool in thaw(asked.chat.tools)] == ["functions__exec", "functions__wait"]
    assert asked.tools["functions__exec"].custom


@pytest.mark.parametrize("given", [b',"input":[]', b',"input":null', b""])
def test_an_empty_input_is_a_probe(given: bytes) -> None:
    """An input without items, or none, is answered: clients send it to see whether somebody is there."""
    asked = responses.parse_response(b'{"model":"m","instructions":"Hi."' + given + b"}")
    assert turns(asked.chat) == [("system", "Hi.", []), ("user", "", [])]


WEB = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}
SEARCHED = [
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "weather"}},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [
        {"type": "web_search_result", "url": "https://example.org", "title": "t", "encrypted_content": "Eqg"}]},
    {"type": "text", "text": "It rains."},
]  # fmt: skip


def test_a_claude_history_with_a_search_is_served() -> None:
    """A search that Anthropic ran becomes a call and its result; the seal in it is named, and the model told."""
    request = claude(*SEARCHED, tools=[WEB])
    assert turns(request) == [
        ("system", "These tools are not available here: web_search. Work without them.", []),
        ("user", "go on", []),
        ("assistant", None, [("web_search", '{"query":"weather"}')]),
        ("tool", '[{"type":"web_search_result","url":"https://example.org","title":"t"}]', []),
        ("assistant", "It rains.", []),
        ("user", "go on", []),
    ]
    assert "messages[].content[].content[].encrypted_content" in request.left_out
    assert request.built_in_tools == ("web_search",)


def test_servers_that_only_anthropic_would_connect_are_left_out() -> None:
    """A connector or a container of Anthropic's costs no task: it stays here, is named, and the model is told."""
    server = {"type": "url", "name": "git", "url": "https://git.example", "authorization_token": "s3cret"}
    tools = [{"type": "mcp_toolset", "mcp_server_name": "git"}]
    request = claude(mcp_servers=[server], container={"id": "c_1"}, tools=tools)
    assert turns(request)[0] == (
        "system", "These tools are not available here: mcp, code_execution. Work without them.", [],
    )  # fmt: skip
    assert {"mcp_servers", "container", "tools"} <= {path.split("[]")[0] for path in request.left_out}
    assert "git" not in json.dumps(thaw(request.document))


def test_a_clients_own_calls_come_behind_the_providers() -> None:
    """A call that the client answers comes last, so that its result follows it."""
    mine = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    answer = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "seen"}]}
    messages = [TURN, {"role": "assistant", "content": [SEARCHED[0], mine, SEARCHED[1]]}, answer]
    found = turns(claude(messages=messages))
    assert [role for role, _, _ in found] == ["user", "assistant", "tool", "assistant", "tool"]
    assert found[3][2] == [("look", "{}")]


def test_a_search_without_its_result_has_one() -> None:
    """A turn that paused within a tool of the provider's goes on: the call gets an empty result."""
    found = turns(claude(SEARCHED[0]))
    assert found[1:3] == [
        ("assistant", None, [("web_search", '{"query":"weather"}')]),
        ("tool", "The tool gave no result.", []),
    ]


def deferred(name: str) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object"}, "defer_loading": True}


@pytest.mark.parametrize(
    ("content", "more", "expected"),
    [
        ([], [], []),
        ([{"type": "tool_reference", "tool_name": "b"}], [], ["b"]),
        ([], [{"type": "tool_search_tool_regex_20251119", "name": "search"}], ["a", "b"]),
    ],
)
def test_tools_that_wait_to_be_found(content: list[Any], more: list[Any], expected: list[str]) -> None:
    """A deferred tool is offered once a search found it, or at once where only Anthropic could search."""
    messages = [
        TURN,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "ToolSearch", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": content}]},
    ]
    request = claude(messages=messages, tools=[deferred("a"), deferred("b"), *more])
    assert [tool["function"]["name"] for tool in thaw(request.tools)] == expected


def test_tools_change_within_a_conversation() -> None:
    """Tools that a conversation adds are offered, and those that it removes are not."""
    added = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": deferred("c") | {
        "defer_loading": False}}}  # fmt: skip
    removed = {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "a"}}
    tool = {"name": "a", "input_schema": {"type": "object"}}
    request = claude(
        messages=[{"role": "user", "content": [added, removed, {"type": "text", "text": "x"}]}], tools=[tool]
    )
    assert [tool["function"]["name"] for tool in thaw(request.tools)] == ["c"]
    assert turns(request) == [("user", "x", [])]


def test_tools_that_a_client_runs_are_described() -> None:
    """Anthropic's own shell and editor, which the client runs, are offered to any model with their parameters."""
    kinds = {"bash": "bash_20250124", "str_replace_based_edit_tool": "text_editor_20250728"}
    request = claude(tools=[{"type": kind, "name": name} for name, kind in kinds.items()])
    offered: Any = thaw(request.tools)
    assert [tool["function"]["name"] for tool in offered] == list(kinds)
    assert "command" in offered[1]["function"]["parameters"]["properties"]
    assert request.built_in_tools == ()


def test_a_line_about_billing_is_left_out() -> None:
    """The line that Claude Code changes with each request is no part of the prompt, so that its cache is found."""
    systems = [
        [{"type": "text", "text": f"x-anthropic-billing-header: cch={mark};"}, {"type": "text", "text": "You code."}]
        for mark in ("0aaa9", "1bbb8")
    ]
    one, two = (claude(system=system) for system in systems)
    assert one.document == two.document
    assert turns(one)[0] == ("system", "You code.", [])
    assert one.left_out == ("system.x-anthropic-billing-header",)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: codex(tools=[{"type": "web_search"}], tool_choice="required"),
        lambda: codex(tools=[{"type": "web_search"}, FUNCTION], tool_choice={"type": "web_search"}),
        lambda: claude(tools=[WEB], tool_choice={"type": "any"}),
        lambda: claude(tools=[WEB], tool_choice={"type": "tool", "name": "web_search"}),
    ],
)
def test_a_choice_of_what_nobody_here_can_run_is_refused_in_plain_words(ask: Any) -> None:
    """Who demands a tool that only its provider runs is told so, and not that the tool is missing."""
    with pytest.raises(BadRequest, match=r"web_search: only the provider's own service"):
        ask()


def test_codex_may_allow_some_tools() -> None:
    """`allowed_tools` of the Responses API reaches the chat document."""
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "look"}]}
    assert thaw(codex(tool_choice=choice).chat.tool_choice) == {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "look"}}]},
    }


def test_whole_numbers_written_with_a_point() -> None:
    """100.0 is the whole number 100, also in the document that is sent on."""
    request = chat(max_tokens=100.0, seed=42.0, n=1.0)
    assert (request.sampling.max_tokens, request.sampling.seed, request.sampling.n) == (100, 42, 1)
    assert b"100.0" not in json.dumps(thaw(request.document)).encode()
    with pytest.raises(BadRequest, match="whole number"):
        chat(max_tokens=1.5)


def test_ollamas_example_options_are_accepted() -> None:
    """All options of Ollama's documentation are accepted; those without effect here are named."""
    options = {"num_keep": 5, "seed": 42, "num_predict": 100, "top_k": 20, "top_p": 0.9, "min_p": 0.0,
               "typical_p": 0.7, "repeat_last_n": 33, "temperature": 0.8, "repeat_penalty": 1.2,
               "presence_penalty": 1.5, "frequency_penalty": 1.0, "penalize_newline": True, "stop": ["\n", "user:"],
               "numa": False, "num_ctx": 1024, "num_batch": 2, "num_gpu": 1, "main_gpu": 0, "use_mmap": True,
               "num_thread": 8, "mirostat": 1, "mirostat_tau": 0.8, "mirostat_eta": 0.6}  # fmt: skip
    request, _ = ollama.parse_generate(json.dumps({"model": "m", "prompt": "x", "options": options}).encode())
    assert request is not None
    assert {"options.mirostat", "options.typical_p", "options.num_ctx"} <= set(request.left_out)


@pytest.mark.parametrize(("given", "cut"), [({}, True), ({"truncate": True}, True), ({"truncate": False}, False)])
def test_ollamas_texts_to_embed_are_cut_unless_said_otherwise(given: dict[str, Any], cut: bool) -> None:
    """Ollama cuts texts to the window by default; `truncate: false` wants an error."""
    request, _ = ollama.parse_embed(json.dumps({"model": "m", "input": "x"} | given).encode())
    assert request is not None
    assert request.truncate is cut


@pytest.mark.parametrize("given", [{}, {"model": ""}, {"model": None}])
def test_a_body_without_a_model(given: dict[str, Any]) -> None:
    """A body that names no model is for the one that the configuration names; without one it is refused."""
    body = json.dumps({"messages": [TURN]} | given).encode()
    assert openai.parse_chat(body, "auto").model == "auto"
    with pytest.raises(BadRequest, match="'model'"):
        openai.parse_chat(body)


def test_a_prompt_that_is_only_read() -> None:
    """`max_tokens: 0` is allowed: clients warm the cache with it."""
    assert chat(max_tokens=0).sampling.max_tokens == 0
    assert claude(max_tokens=0).sampling.max_tokens == 0


def test_a_note_behind_a_system_prompt_is_taken_off() -> None:
    """The note that stands in one text with a system prompt is found there; a text that only looks like one stays."""
    said = note(["web_search", "code_execution"])
    assert without_note(f"Be brief.\n\n{said}") == "Be brief."
    assert without_note(said) == ""
    for text in ("Be brief.", f"{said} And more.", note(["Ana Ruiz Soler"]), "These tools are not available here: "):
        assert without_note(text) == text
