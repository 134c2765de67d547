"""Tool calls in answers, in the formats that models are trained on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.embedded.text.tool_parser import Call, ToolCallReader

WEATHER = Call(name="weather", arguments='{"city": "Paris"}')
CALL = '{"name": "weather", "arguments": {"city": "Paris"}}'


def read(text: str, size: int = 1000, names: tuple[str, ...] = ("weather", "time")) -> list[str | Call]:
    """Everything that is read, neighbouring texts joined."""
    reader = ToolCallReader(names)
    items = [item for start in range(0, len(text), size) for item in reader.feed(text[start : start + size])]
    items += reader.flush()
    joined: list[str | Call] = []
    for item in items:
        if isinstance(item, str) and joined and isinstance(joined[-1], str):
            joined[-1] += item
        else:
            joined.append(item)
    return joined


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello.", ["Hello."]),
        (f"<tool_call>\n{CALL}\n</tool_call>", [WEATHER]),
        (f"I look.\n<tool_call>{CALL}</tool_call>", ["I look.\n", WEATHER]),
        (f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>", [WEATHER, WEATHER]),
        (f"<tool_call>\n{CALL}\n", [WEATHER]),
        (CALL, [WEATHER]),
        (CALL.replace("arguments", "parameters"), [WEATHER]),
        (f"<|python_tag|>{CALL}", [WEATHER]),
        (f"{CALL}; {CALL}", [WEATHER, WEATHER]),
        ('{"name": "unknown", "arguments": {}}', ['{"name": "unknown", "arguments": {}}']),
        ("<tool_call>{broken</tool_call> x", ["<tool_call>{broken</tool_call> x"]),
        ('{"answer": 42}', ['{"answer": 42}']),
        ("{ not JSON", ["{ not JSON"]),
        ("a < b <tool", ["a < b <tool"]),
        ("", []),
        ("   ", ["   "]),
    ],
)
def test_answers(text: str, expected: list[str | Call], size: int) -> None:
    """Calls are found however the text is cut; everything else comes out unchanged."""
    assert read(text, size) == expected


@given(st.text("<tol_cal>{}/\"' x", max_size=60), st.integers(1, 9))
def test_no_text_is_lost(text: str, size: int) -> None:
    """Text without a call is given out whole."""
    assert "".join(item for item in read(text, size, names=()) if isinstance(item, str)) == text
