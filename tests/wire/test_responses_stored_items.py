"""Stored items say to a model what they said when they came, and lists of them have OpenAI's form."""

import json
from typing import Any

import pytest

from gateway.core.document import encode, freeze_object
from gateway.core.errors import BadRequest, NotFound
from gateway.wire import responses
from gateway.wire.responses.conversations import parse_added, parse_new
from gateway.wire.responses.stored_items import id_of, listed_items, new_items, page, refers, response_of

UNIQUE = "0123456789abcdef01234567"
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "42"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
INPUTS: dict[str, Any] = {
    "text": "Hello",
    "empty text": "",
    "messages": [{"role": role, "content": f"So {role}"} for role in ("user", "assistant", "user")],
    "parts": [{"role": "developer", "content": [{"type": "input_text", "text": text} for text in ("a", "b")]}],
    "calls": [{"role": "user", "content": "go"}, CALL, OUTPUT],
    "custom": [
        {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "y"},
    ],
    "thoughts": [{"role": "user", "content": "go"}, THOUGHT, CALL, OUTPUT],
    "picture": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}],
}  # fmt: skip


def asked(given: Any, **fields: Any) -> responses.Asked:
    body = {"model": "auto", "input": given} | fields
    return responses.parse_asked(json.dumps(body).encode(), storing=True)


def stored(given: Any) -> tuple[bytes, ...]:
    document = freeze_object({"input": given})
    return listed_items(new_items(document, {}), lambda prefix, number: f"{prefix}_{UNIQUE}_in{number}")


@pytest.mark.parametrize("name", INPUTS)
def test_a_stored_item_says_what_it_said(name: str) -> None:
    """Continuing stored input gives a model the same messages as sending it whole."""
    given = INPUTS[name]
    items = given if isinstance(given, list) else [{"role": "user", "content": given}]
    more = {"role": "user", "content": "And now?"}
    whole = responses.parse_response(json.dumps({"model": "auto", "input": [*items, more]}).encode())
    continued = responses.parse_continued(asked([more], previous_response_id="resp_1"), stored(given), {})
    assert encode(continued.chat.document) == encode(whole.chat.document)
    assert continued.chat.left_out == ()
    assert all(id_of(item) for item in stored(given))


def test_thoughts_without_an_answer_are_passed_over() -> None:
    """An answer that was cut off while the model thought can be continued."""
    items = [json.dumps({"role": "user", "content": "go"}).encode(), json.dumps(THOUGHT).encode()]
    continued = responses.parse_continued(asked("On.", previous_response_id="resp_1"), items, {})
    assert [message.role for message in continued.chat.messages] == ["user", "user"]


def test_what_is_named_stands_in_its_place() -> None:
    """A reference is replaced by the item that it names, in both of its forms."""
    named = json.dumps({"type": "message", "role": "assistant", "content": "told", "id": "msg_1"}).encode()
    given = [{"role": "user", "content": "a"}, {"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}]
    body = asked(given)
    assert body.refers.items == ("msg_1", "msg_1")
    continued = responses.parse_continued(body, (), {"msg_1": named})
    assert [message.text for message in continued.chat.messages] == ["a", "told", "told"]
    assert new_items(body.document, {"msg_1": named})[1] == new_items(body.document, {"msg_1": named})[2]


def test_a_continued_body_is_read_as_strictly_as_any() -> None:
    """A stored text that a client could not send is not let in by being stored."""
    with pytest.raises(BadRequest):
        responses.parse_continued(asked("On.", previous_response_id="r"), [b'{"role":"user","content":"\\u0000"}'], {})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": 7}, "previous_response_id"),
        ({"conversation": 7}, "conversation"),
        ({"conversation": {}}, "conversation.id"),
        ({"conversation": "conv_1", "previous_response_id": "resp_1"}, "conversation"),
    ],
)
def test_broken_references(fields: dict[str, Any], param: str) -> None:
    """A reference that can't be read is refused by its name, and so are two that exclude each other."""
    with pytest.raises(BadRequest) as caught:
        refers(freeze_object({"input": "x"} | fields))
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ({"order": "asc", "limit": 2}, [0, 1], True),
        ({"order": "desc", "limit": 2}, [4, 3], True),
        ({"order": "asc", "limit": 9}, [0, 1, 2, 3, 4], False),
        ({"order": "asc", "limit": 2, "after": "i2"}, [3, 4], False),
        ({"order": "desc", "limit": 1, "after": "i2"}, [1], True),
        ({"order": "desc", "limit": 1, "after": "i0"}, [], False),
    ],
)
def test_pages(query: dict[str, Any], ids: list[int], more: bool) -> None:
    """A page has the items behind `after` in the wanted order, and says whether there are more."""
    items = [json.dumps({"id": f"i{number}"}).encode() for number in range(5)]
    found = json.loads(page(items, **{"after": None} | query))
    assert [item["id"] for item in found["data"]] == [f"i{number}" for number in ids]
    assert (found["first_id"], found["last_id"]) == ((f"i{ids[0]}", f"i{ids[-1]}") if ids else ("", ""))
    assert found["has_more"] is more


def test_a_page_behind_nothing_is_an_error() -> None:
    """An `after` that is not in the list has no page."""
    with pytest.raises(NotFound):
        page([], after="i9", order="asc", limit=1)


@pytest.mark.parametrize(
    ("item", "response"),
    [
        (f"msg_{UNIQUE}_0", f"resp_{UNIQUE}"),
        (f"fc_{UNIQUE}_12", f"resp_{UNIQUE}"),
        (f"msg_{UNIQUE}_in0", f"resp_{UNIQUE}"),
        ("msg_" + "0" * 48 + "_0", None),
        ("msg_1", None),
    ],
)
def test_an_item_tells_its_response(item: str, response: str | None) -> None:
    """Ids of items that were answered here lead to the response; others lead nowhere."""
    assert response_of(item) == response


@pytest.mark.parametrize(
    "item",
    [
        {"type": 5},
        {"type": ["message"]},
        {"type": {"a": 1}},
        {"type": "message", "role": 5, "content": "x"},
        {"type": "message", "role": None, "content": "x"},
        {"role": "user"},
        {"type": "function_call_output", "output": "x"},
    ],
)
def test_what_could_not_be_continued_is_not_kept(item: dict[str, Any]) -> None:
    """A broken item is refused when it comes, in a conversation and in a request, so that none stops what follows."""
    for parse in (parse_new, parse_added):
        with pytest.raises(BadRequest, match=r"items\[0\]"):
            parse(json.dumps({"items": [item]}).encode())
    with pytest.raises(BadRequest, match=r"input\[0\]"):
        asked([item])


def test_an_input_that_is_neither_text_nor_items_is_refused() -> None:
    """What is added to a stored turn is read as strictly as what begins a conversation."""
    with pytest.raises(BadRequest, match="input"):
        responses.parse_continued(asked({"a": 1}, previous_response_id="resp_1"), stored("Hello"), {})
