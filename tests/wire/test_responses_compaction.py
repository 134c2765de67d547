"""A conversation becomes a question for its summary, and the summary an item that stands for it."""

import json
from typing import Any

import openai.types.responses as types
import pytest

from gateway.core.errors import BadRequest, NotFound
from gateway.core.usage import Usage
from gateway.wire import responses
from gateway.wire.responses.compaction import compacted_body, summary_message, user_messages
from gateway.wire.responses.stored_items import listed_items, new_items

SEALED = {"type": "compaction", "encrypted_content": "aduana1.c2VhbGVk"}
FOREIGN = {"type": "compaction", "encrypted_content": "gAAAAB"}
SAID = [
    {"role": "user", "content": "One."},
    {"role": "assistant", "content": "Two."},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "42"},
]


def parse(storing: bool = False, **fields: Any) -> tuple[responses.Asked, tuple[str, ...]]:
    return responses.parse_compact(json.dumps({"model": "auto", **fields}).encode(), storing=storing)


def test_the_whole_conversation_is_asked_about() -> None:
    """The model gets every turn and the question behind them, and no tools that it could call instead."""
    asked, lost = parse(input=SAID, instructions="Be kind.", tools=[{"type": "function", "name": "f"}])
    chat = responses.parse_continued(asked, (), {}, storing=False).chat
    assert [message.role for message in chat.messages] == ["system", "user", "assistant", "tool", "user"]
    assert "Summarise" in chat.messages[-1].text
    assert chat.tools == ()
    assert lost == ("tools",)


def test_the_answer_has_the_users_messages_and_the_summary() -> None:
    """It has OpenAI's form: the user's messages as they are listed, then one item that nobody else can read."""
    asked, _ = parse(input=SAID)
    items = listed_items(new_items(asked.document, {}), lambda prefix, number: f"{prefix}_{number}")
    sealed, usage = SEALED["encrypted_content"], Usage(input=7, output=2)
    found = json.loads(compacted_body(user_messages(items), sealed, usage, unique="1", created=3))
    message, summary = found["output"]
    assert types.ResponseInputMessageItem.model_validate(message, strict=True).content[0].to_dict()["text"] == "One."
    assert types.ResponseCompactionItem.model_validate(summary, strict=True).encrypted_content == sealed
    assert types.ResponseUsage.model_validate(found["usage"]).total_tokens == 9
    assert (found["object"], found["id"], found["created_at"]) == ("response.compaction", "resp_1", 3)


def test_a_summary_stands_for_a_turn_of_the_model() -> None:
    """Sent back, the item becomes what the model said; one of another service is left out, and named."""
    more = {"role": "user", "content": "And now?"}
    asked = responses.parse_asked(json.dumps({"model": "auto", "input": [SEALED, more]}).encode())
    assert asked.refers.items == (SEALED["encrypted_content"],)
    named = {SEALED["encrypted_content"]: summary_message("They spoke.")}
    chat = responses.parse_continued(asked, (), named, storing=False).chat
    assert [message.role for message in chat.messages] == ["assistant", "user"]
    assert "They spoke." in chat.messages[0].text
    assert chat.left_out == ()
    foreign = responses.parse_response(json.dumps({"model": "auto", "input": [FOREIGN, more]}).encode())
    assert foreign.chat.left_out == ("input[].compaction",)


def test_there_must_be_something_to_summarise() -> None:
    """A body without a conversation is refused, and so is one that continues what is not stored."""
    with pytest.raises(BadRequest):
        parse()
    with pytest.raises(NotFound):
        parse(previous_response_id="resp_1")
    assert parse(storing=True, previous_response_id="resp_1")[0].refers.previous == "resp_1"
