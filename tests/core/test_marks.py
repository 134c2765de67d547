"""Marks that only some targets take leave no trace in what the others are sent."""

from gateway.core.document import freeze_object, thaw
from gateway.core.marks import unmarked

MARK = {"cache_control": {"type": "ephemeral"}}


def test_without_its_marks_a_document_is_the_plain_one() -> None:
    """Marks, signed thoughts and words of one provider are gone; texts that stood apart are one again."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    tool = {"type": "function", "function": {"name": "f"}}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    marked = {
        "model": "m",
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        **MARK,
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b", **MARK}]},
            {"role": "user", "content": [{"type": "text", "text": "see", **MARK}, picture | MARK]},
            {"role": "assistant", "content": None, "reasoning_details": [{"data": "x"}], "tool_calls": [call | MARK]},
            {"role": "tool", "tool_call_id": "c", "content": "found", "is_error": True, **MARK},
        ],
        "tools": [tool | MARK],
    }
    assert thaw(unmarked(freeze_object(marked))) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "a\nb"},
            {"role": "user", "content": [{"type": "text", "text": "see"}, picture]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": "found"},
        ],
        "tools": [tool],
    }


def test_a_document_without_marks_stays_as_it_is() -> None:
    """Nothing else is changed."""
    plain = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "unknown": {"kept": True}}
    assert thaw(unmarked(freeze_object(plain))) == plain
