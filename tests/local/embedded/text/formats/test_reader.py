"""Answers in the formats that models are trained on: what is a call, what is a thought, and what stays text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.document import freeze_object
from gateway.local.embedded.text.formats.answer_format import HERMES, AnswerFormat, Calls, Markers, Style, Tool
from gateway.local.embedded.text.formats.known import known_calls, known_format
from gateway.local.embedded.text.formats.reader import AnswerReader, CallArguments, CallBegun, Said, Thought

Item = str | tuple[str, object]


def tool(name: str, **properties: object) -> Tool:
    """A tool with these properties."""
    return Tool(name=name, parameters=freeze_object({"type": "object", "properties": properties}))


TOOLS = (
    tool("weather", city={"type": "string"}),
    tool("time"),
    tool("f", n={"type": "integer"}, s={"type": "string"}, o={"type": "object"}, b={"type": ["string", "null"]}),
)


def read(form: AnswerFormat, text: str, size: int = 1000, *, thinking: bool = False) -> list[Item]:
    """Everything in order: text, ("", thought), (name, arguments); neighbours of a kind joined."""
    reader = AnswerReader(form, TOOLS, thinking=thinking)
    events = [event for start in range(0, len(text), size) for event in reader.feed(text[start : start + size])]
    items: list[Item] = []
    for event in [*events, *reader.flush()]:
        last = items[-1] if items else None
        match event:
            case Said() if isinstance(last, str):
                items[-1] = last + event.text
            case Said():
                items.append(event.text)
            case Thought() if isinstance(last, tuple) and last[0] == "":
                items[-1] = ("", f"{last[1]}{event.text}")
            case Thought():
                items.append(("", event.text))
            case CallBegun():
                items.append((event.name, ""))
            case CallArguments():
                assert isinstance(last, tuple)
                items[-1] = (last[0], f"{last[1]}{event.text}")
    return [(item[0], json.loads(str(item[1]))) if isinstance(item, tuple) and item[0] else item for item in items]


def known(*words: str) -> AnswerFormat:
    """The format of a template that contains these words."""
    form = known_format(" ".join(words))
    return form if form is not None else AnswerFormat(calls=known_calls(" ".join(words)))


JSON = AnswerFormat(calls=HERMES)
WEATHER = ("weather", {"city": "Paris"})
CALL = '{"name": "weather", "arguments": {"city": "Paris"}}'
QWEN = AnswerFormat(
    calls=Calls(
        style=Style.TAGS,
        call=Markers(open="<tool_call>\n<function=", close="\n</function>\n</tool_call>"),
        name_end=">",
        parameter=Markers(open="\n<parameter=", close="\n</parameter>"),
        key_end=">\n",
    )
)
HARMONY = known("<|channel|>analysis", "<|start|>assistant")
GEMMA = known("<|tool_call>call:")
LFM = known("<|tool_call_start|>")
KIMI = AnswerFormat(
    calls=Calls(
        style=Style.NAMED_JSON,
        section=Markers(open="<|tool_calls_section_begin|>", close="<|tool_calls_section_end|>"),
        call=Markers(open="<|tool_call_begin|>functions.", close="<|tool_call_end|>"),
        name_end=":\ufdd1<|tool_call_argument_begin|>",
    )
)
KIMI_CALL = '<|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{"city": "Paris"}'


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (JSON, "Hello.", ["Hello."]),
        (JSON, f"<tool_call>\n{CALL}\n</tool_call>", [WEATHER]),
        (JSON, f"I look.\n<tool_call>{CALL}</tool_call>", ["I look.", WEATHER]),
        (JSON, f"<tool_call>{CALL}</tool_call>\n<tool_call>{CALL}</tool_call>", [WEATHER, WEATHER]),
        (JSON, f"<tool_call>\n{CALL}\n", [WEATHER]),
        (JSON, f"<tool_call>\n{CALL}\n</tool_call>\nDone.", [WEATHER, "Done."]),
        (JSON, CALL, [WEATHER]),
        (JSON, CALL.replace("arguments", "parameters"), [WEATHER]),
        (JSON, f"<|python_tag|>{CALL}", [WEATHER]),
        (JSON, f"{CALL}; {CALL}", [WEATHER, WEATHER]),
        (JSON, '<tool_call>{"arguments": {"city": "Paris"}, "name": "weather"}</tool_call>', [WEATHER]),
        (JSON, '<tool_call>{"name": "weather", "arguments": "{\\"city\\": \\"Paris\\"}"}</tool_call>', [WEATHER]),
        (JSON, '<tool_call>{"name": "time"}</tool_call>', [("time", {})]),
        (JSON, '{"name": "unknown", "arguments": {}}', ['{"name": "unknown", "arguments": {}}']),
        (JSON, "<tool_call>{broken</tool_call> x", ["<tool_call>{broken</tool_call> x"]),
        (JSON, '{"answer": 42}', ['{"answer": 42}']),
        (JSON, "{ not JSON", ["{ not JSON"]),
        (JSON, "a < b <tool", ["a < b <tool"]),
        (JSON, "", []),
        (JSON, "   ", ["   "]),
        (JSON, "<think>\nHm.\n</think>\n\nYes", [("", "Hm."), "Yes"]),
        (JSON, f"<think>Hm.</think>\n<tool_call>{CALL}</tool_call>", [("", "Hm."), WEATHER]),
        (JSON, "<think></think>Yes", ["Yes"]),
        (JSON, "No <think>x</think>", ["No <think>x</think>"]),
        (
            QWEN,
            "<tool_call>\n<function=f>\n<parameter=n>\n3\n</parameter>\n<parameter=s>\n3\n</parameter>\n"
            '<parameter=o>\n{"a": 1}\n</parameter>\n</function>\n</tool_call>',
            [("f", {"n": 3, "s": "3", "o": {"a": 1}})],
        ),
        (
            QWEN,
            "<tool_call>\n<function=f>\n<parameter=s>\n\n  def f():\n\n</parameter>\n</function>\n</tool_call>",
            [("f", {"s": "\n  def f():\n"})],
        ),
        (
            QWEN,
            "<tool_call>\n<function=f>\n<parameter=o>\n{'a': True}\n</parameter>\n<parameter=b>\nnull\n</parameter>\n"
            "</function>\n</tool_call>",
            [("f", {"o": {"a": True}, "b": None})],
        ),
        (QWEN, "<tool_call>\n<function=time>\n</function>\n</tool_call>", [("time", {})]),
        (QWEN, "<tool_call>\n<function=f>\n<parameter=s>\nabc", [("f", {"s": "abc"})]),
        (QWEN, "<function=time>\n</function>\n</tool_call>", [("time", {})]),
        (QWEN, "<think>Hm.\n<tool_call>\n<function=time>\n</function>\n</tool_call>", [("", "Hm."), ("time", {})]),
        (QWEN, "<tool_call>\n<function=g>\n</function>", ["<tool_call>\n<function=g>\n</function>"]),
        (QWEN, "<tool_call>\n<function=f>\nbroken</function>", [("f", {}), "\nbroken</function>"]),
        (HARMONY, "<|channel|>final<|message|>Hello", ["Hello"]),
        (HARMONY, "<|channel|>commentary<|message|>Hello", ["Hello"]),
        (
            HARMONY,
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes",
            [("", "Hm."), "Yes"],
        ),
        (HARMONY, ' to=functions.weather<|channel|>analysis<|message|>{"city": "Paris"}', [WEATHER]),
        (HARMONY, '<|channel|>commentary to=functions.weather<|message|>{"city": "Paris"}<|call|>', [WEATHER]),
        (
            HARMONY,
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.weather "
            '<|constrain|>json<|message|>{"city": "Paris"}',
            [("", "Hm."), WEATHER],
        ),
        (
            HARMONY,
            "<|channel|>commentary to=assistant<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>"
            "final<|message|>Yes",
            [("", "Hm."), "Yes"],
        ),
        (HARMONY, '<|channel|>final <|constrain|>json<|message|>{"a": 1}', ['{"a": 1}']),
        (GEMMA, '<|tool_call>call:weather{city:<|"|>Paris<|"|>}<tool_call|>', [WEATHER]),
        (GEMMA, "<|tool_call>call:time{}<tool_call|>", [("time", {})]),
        (
            GEMMA,
            '<|tool_call>call:f{n:-7,o:{a:[<|"|>x<|"|>,1.5e10,null],b:{}},s:<|"|>a "b" {c}<|"|>}<tool_call|>',
            [("f", {"n": -7, "o": {"a": ["x", 1.5e10, None], "b": {}}, "s": 'a "b" {c}'})],
        ),
        (GEMMA, "<|channel>thought\nHm.<channel|>Yes", [("", "Hm."), "Yes"]),
        (GEMMA, "<|channel>thought<channel|>Yes<channel|>", ["Yes"]),
        (GEMMA, "<|channel><|channel>thought\n<channel|>Yes", ["Yes"]),
        (LFM, '<|tool_call_start|>[weather(city="Paris")]<|tool_call_end|>', [WEATHER]),
        (LFM, "<|tool_call_start|>[time(), f(n=1, o={'a': True, 'b': null})]<|tool_call_end|>",
         [("time", {}), ("f", {"n": 1, "o": {"a": True, "b": None}})]),
        (LFM, '<|tool_call_start|>[f(s="a\\n(b, \\"c\\")")]<|tool_call_end|>', [("f", {"s": 'a\n(b, "c")'})]),
        (LFM, "See [this](time) and [weather](x).", ["See [this](time) and [weather](x)."]),
        (KIMI, f"<|tool_calls_section_begin|>{KIMI_CALL}<|tool_call_end|><|tool_calls_section_end|>", [WEATHER]),
        (KIMI, f"{KIMI_CALL}{KIMI_CALL}", [WEATHER, WEATHER]),
        (KIMI, f"<think>I need to call{KIMI_CALL}", [("", "I need to call"), WEATHER]),
    ],
)  # fmt: skip
def test_answers(form: AnswerFormat, text: str, expected: list[Item], size: int) -> None:
    """Calls and thoughts are found however the text is cut; everything else comes out unchanged."""
    assert read(form, text, size) == expected


def test_a_thought_that_the_prompt_has_opened() -> None:
    """The answer goes on where the prompt ends."""
    assert read(JSON, "Hm.</think>Yes", thinking=True) == [("", "Hm."), "Yes"]
    assert read(JSON, "Hm.</thi", thinking=True) == [("", "Hm.</thi")]


@pytest.mark.parametrize("form", [JSON, QWEN, HARMONY, GEMMA, LFM, KIMI])
@pytest.mark.parametrize("text", ["", "{" * 3000, "<" * 3000, " " * 3000, "[" * 500, '{"name": "' + "x" * 3000])
def test_no_text_is_lost_and_none_takes_long(form: AnswerFormat, text: str) -> None:
    """Text that is no call comes out whole, whatever it begins like."""
    assert read(form, text, 1) == ([text] if text else [])


@given(st.text("<tol_cal>{}/\"' x", max_size=60), st.integers(1, 9))
def test_text_without_a_call_is_given_out_whole(text: str, size: int) -> None:
    """However it is cut."""
    said = read(JSON, text, size)
    assert "".join(item for item in said if isinstance(item, str)) == text


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (JSON, "<tool_call>\n{CALL}\n".replace("{CALL}", CALL[:-4])),
        (QWEN, "<tool_call>\n<function=weather>\n<parameter=city>\nPar"),
        (KIMI, KIMI_CALL[:-4]),
        (GEMMA, '<|tool_call>call:weather{city:<|"|>Par'),
    ],
)
def test_arguments_come_as_they_are_written(form: AnswerFormat, text: str) -> None:
    """A client sees the beginning of a long argument before its end is there."""
    reader = AnswerReader(form, TOOLS)
    events = [event for letter in text for event in reader.feed(letter)]
    assert events[0] == CallBegun("weather")
    assert "".join(event.text for event in events[1:] if isinstance(event, CallArguments)).startswith('{"city"')
    assert "Par" in "".join(event.text for event in events[1:] if isinstance(event, CallArguments))


def test_what_could_not_be_read_is_counted() -> None:
    """So that the log can say it, without a word of the answer."""
    reader = AnswerReader(JSON, TOOLS)
    reader.feed("<tool_call>{broken</tool_call>")
    reader.flush()
    assert reader.unreadable == 1
