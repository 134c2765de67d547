"""Tokens of one choice become deltas: thoughts, tool calls, markers that are control tokens."""

import msgspec
import pytest

from gateway.core.delta import Delta, Finish, FinishReason, Reasoning, Text, ToolCallPart
from gateway.local.embedded.text.formats.answer_format import HERMES, AnswerFormat, Tool
from gateway.local.embedded.text.output import Choice

CONTROL = {0: b"<|im_start|>", 1: b"<think>", 2: b"</think>", 3: b"<tool_call>", 4: b"</tool_call>"}


FORM = AnswerFormat(calls=HERMES)
TOOLS = (Tool(name="f", parameters={}),)


class Letters:
    """A vocabulary whose tokens from 100 on are single bytes; those below are control tokens."""

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of a token."""
        return bytes([token - 100]) if token >= 100 else CONTROL[token] * special


def tokens_of(text: str) -> list[int]:
    """Control tokens where their text stands alone between bars, letters elsewhere."""
    numbers = {value.decode(): key for key, value in CONTROL.items()}
    return [
        token
        for part in text.split("|§|")
        for token in ([numbers[part]] if part in numbers else [100 + byte for byte in part.encode()])
    ]


def read(text: str, *, tools: tuple[Tool, ...] = (), stops: tuple[str, ...] = (), **more: object) -> list[Delta]:
    """All deltas of an answer, neighbouring ones of a kind joined."""
    choice = Choice(0, Letters(), tools=tools, stops=stops, call_id=lambda: "call_1", **more)  # type: ignore[arg-type]
    deltas: list[Delta] = []
    for token in tokens_of(text):
        deltas += choice.token(token, None)
        if choice.stopped:
            break
    deltas += choice.finish(FinishReason.STOP)
    joined: list[Delta] = []
    for delta in deltas:
        last = joined[-1] if joined else None
        if isinstance(delta, Text) and isinstance(last, Text):
            joined[-1] = Text(text=last.text + delta.text)
        elif isinstance(delta, Reasoning) and isinstance(last, Reasoning):
            joined[-1] = Reasoning(text=last.text + delta.text)
        elif isinstance(delta, ToolCallPart) and isinstance(last, ToolCallPart) and delta.id is None:
            joined[-1] = msgspec.structs.replace(last, arguments=last.arguments + delta.arguments)
        else:
            joined.append(delta)
    return joined


END = Finish(reason=FinishReason.STOP)
CALL = ToolCallPart(call=0, id="call_1", name="f", arguments="{}")
CALLED = Finish(reason=FinishReason.TOOL_CALLS)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("Hi.", {}, [Text(text="Hi."), END]),
        ("Hi.", {"form": FORM}, [Text(text="Hi."), END]),
        ("<th", {"form": FORM}, [Text(text="<th"), END]),
        ("<think>Hm.</think>\n\nYes", {"form": FORM}, [Reasoning(text="Hm."), Text(text="Yes"), END]),
        ("|§|<think>|§|Hm.|§|</think>|§|Yes", {"form": FORM}, [Reasoning(text="Hm."), Text(text="Yes"), END]),
        ("Hm.</think>Yes", {"form": FORM, "thinking": True}, [Reasoning(text="Hm."), Text(text="Yes"), END]),
        ("Hm.</thi", {"form": FORM, "thinking": True}, [Reasoning(text="Hm.</thi"), END]),
        ("No <think>x</think>", {"form": FORM}, [Text(text="No <think>x</think>"), END]),
        ("a|§|<|im_start|>|§|b", {"form": FORM, "tools": TOOLS}, [Text(text="ab"), END]),
        ("|§|<tool_call>|§|" + '{"name": "f"}' + "|§|</tool_call>|§|", {"form": FORM, "tools": TOOLS}, [CALL, CALLED]),
        (
            "<think>x</think>" + '{"name": "f"}',
            {"form": FORM, "tools": TOOLS},
            [Reasoning(text="x"), CALL, CALLED],
        ),
        ("abcSTOPdef", {"stops": ("STOP",)}, [Text(text="abc"), Finish(reason=FinishReason.STOP, stop="STOP")]),
        ("ñ", {}, [Text(text="ñ"), END]),
        ("", {}, [END]),
    ],
)
def test_answers(text: str, options: dict, expected: list[Delta]) -> None:
    """Each kind of text reaches its own delta; control tokens that mean nothing here never show."""
    assert read(text, **options) == expected


def test_an_answer_of_blanks_is_not_held_back_for_ever() -> None:
    """A model that indents its answer is streamed all the same."""
    choice = Choice(0, Letters(), form=FORM)  # type: ignore[arg-type]
    shown = [delta for token in tokens_of(" " * 64) for delta in choice.token(token, None)]
    assert len(shown) > 16


def test_thoughts_are_counted_apart() -> None:
    """Tokens inside of a thought are reasoning tokens."""
    choice = Choice(0, Letters(), form=FORM, thinking=True)  # type: ignore[arg-type]
    for token in tokens_of("Hm.|§|</think>|§|Yes"):
        choice.token(token, None)
    assert (choice.tokens, choice.reasoning_tokens) == (7, 4)
