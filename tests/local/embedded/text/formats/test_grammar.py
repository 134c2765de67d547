"""Answers that are held to a model's own format are calls of an offered tool, whatever the model would rather write."""

import json
import random
from functools import lru_cache

import jsonschema
import llguidance
import numpy as np
import pytest
import regex

from gateway.core.document import thaw
from gateway.engine.sampling.grammar import lark_grammar
from gateway.local.embedded.text.formats.answer_format import AnswerFormat
from gateway.local.embedded.text.formats.grammar import GrammarWriter
from gateway.local.embedded.text.formats.reader import AnswerReader, CallArguments, CallBegun, Said, Thought
from gateway.local.embedded.text.formats.writer import written
from tests.standins.chat_templates import OFFERED, QUESTION, TOOLS, opened, templates

ALL = dict(templates())
_MARK = regex.compile(r"<\|[^<>|\s]{1,40}\|>|<｜[^<>\s]{1,40}｜>|\[[A-Z_]{3,20}\]|<\|\"\|>|<\|?[a-z_]+\|?>")
_LONGEST = 4_000


class Letters:
    """A vocabulary of single bytes, and of control tokens."""

    def __init__(self, controls: tuple[str, ...]) -> None:
        self.controls = {text: 257 + number for number, text in enumerate(controls)}
        self.tokens = [bytes([number]) for number in range(256)] + [b"<eos>", *map(str.encode, controls)]
        self.eos_token_id = 256
        self.bos_token_id = None
        self.special_token_ids = [256, *self.controls.values()]

    def __call__(self, text: bytes | str) -> list[int]:
        """The tokens of a text without control tokens."""
        return list(text.encode() if isinstance(text, str) else text)

    def encoded(self, text: str) -> list[int]:
        """The tokens of a text with control tokens."""
        parts = regex.split(f"({'|'.join(map(regex.escape, self.controls))})", text) if self.controls else [text]
        return [
            token for part in parts for token in ([self.controls[part]] if part in self.controls else part.encode())
        ]

    def text(self, tokens: list[int]) -> str:
        """The text of tokens."""
        return b"".join(self.tokens[token] for token in tokens if token != 256).decode("utf-8", "replace")


@lru_cache(16)
def vocabulary(controls: tuple[str, ...]) -> tuple[Letters, llguidance.LLTokenizer]:
    """A vocabulary with these control tokens."""
    letters = Letters(controls)
    return letters, llguidance.LLTokenizer(llguidance.TokenizerWrapper(letters))


def controls_of(form: AnswerFormat) -> tuple[str, ...]:
    """The markers of a format that look like control tokens."""
    calls = form.calls
    assert calls is not None
    texts = (form.thought.open, form.thought.close, form.content.open, form.content.close, calls.section.open,
             calls.section.close, calls.call.open, calls.call.close, calls.name_end, '<|"|>')  # fmt: skip
    return tuple(sorted({mark for text in texts for mark in _MARK.findall(text) if "parameter" not in mark}))


def walk(grammar: str, letters: Letters, ends: list[str], seed: int) -> str:
    """What a model without any sense writes: any permitted token, but now and then what ends a thought or a value."""
    dice = random.Random(seed)
    matcher = llguidance.LLMatcher(vocabulary(tuple(letters.controls))[1], grammar, log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    tokens: list[int] = []
    while not matcher.is_stopped():
        assert len(tokens) < _LONGEST, letters.text(tokens)
        ending = letters.encoded(dice.choice(ends))
        if len(tokens) % 4 == 0 and matcher.validate_tokens(ending) == len(ending):
            step = ending
        else:
            bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
            allowed = np.flatnonzero(bits[: len(letters.tokens)]).tolist()
            closing = [token for token in allowed if token >= 256 or chr(token) in '"}]' or len(allowed) < 3]
            plain = [token for token in allowed if 32 <= token < 127 or token >= 256]
            step = [dice.choice((closing if dice.random() < 0.6 else plain) or plain or allowed)]
        assert matcher.consume_tokens(step), matcher.get_error()
        tokens += step
    return letters.text(tokens)


def heard(form: AnswerFormat, text: str, *, thinking: bool) -> tuple[str, list[list[str]]]:
    """The text and the calls of an answer."""
    reader = AnswerReader(form, OFFERED, thinking=thinking)
    said, calls = "", list[list[str]]()
    for event in [*reader.feed(text), *reader.flush()]:
        match event:
            case Said():
                said += event.text
            case CallBegun():
                calls.append([event.name, ""])
            case CallArguments():
                calls[-1][1] += event.text
            case Thought():
                pass
    return said.strip(), calls


def ends_of(form: AnswerFormat) -> list[str]:
    """What ends a thought and a value in a format."""
    assert form.calls is not None
    close = form.calls.parameter.close
    return [form.thought.close, *(close.replace("{key}", key) for key in ("city", "days", "more", "x")), '<|"|>']


@pytest.mark.parametrize("with_controls", [True, False])
@pytest.mark.parametrize("name", ALL)
def test_a_required_call_is_one_by_its_schema(name: str, with_controls: bool) -> None:
    """The answer is one call of an offered tool, its arguments follow the schema, and nothing else is said."""
    template = opened(ALL[name])
    letters, _ = vocabulary(controls_of(template.format) if with_controls else ())
    prompt = template.render((QUESTION,), TOOLS)
    thinking = template.opens_thought(prompt)
    writer = GrammarWriter(template.format, letters.controls, prompt, thinking=thinking)
    grammar = lark_grammar(writer.required_call(OFFERED), writer.schemas, "tools")
    for seed in range(3):
        text = walk(grammar, letters, ends_of(template.format), seed)
        said, calls = heard(template.format, text, thinking=thinking)
        assert said == "", text
        ((called, arguments),) = calls
        (tool,) = [tool for tool in OFFERED if tool.name == called]
        jsonschema.validate(json.loads(arguments), thaw(tool.parameters))  # type: ignore[arg-type]


JSON_SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
SOME = (
    "Qwen-Qwen3-0.6B",
    "Qwen3.5-4B",
    "GLM-4.6",
    "openai-gpt-oss-120b",
    "google-gemma-4-31B-it",
    "meetkai-functionary-medium-v3.2",
    "Mistral-Small-3.2-24B-Instruct-2506",
)


@pytest.mark.parametrize("name", SOME)
def test_an_answer_of_json_comes_behind_the_thought(name: str) -> None:
    """The model thinks as it likes, and all of its answer is JSON by the schema."""
    template = opened(ALL[name])
    letters, _ = vocabulary(controls_of(template.format))
    prompt = template.render((QUESTION,), ())
    thinking = template.opens_thought(prompt)
    writer = GrammarWriter(template.format, letters.controls, prompt, thinking=thinking)
    grammar = lark_grammar(writer.json_answer(JSON_SCHEMA), writer.schemas, "response_format")
    for seed in range(3):
        text = walk(grammar, letters, ends_of(template.format), seed)
        said, calls = heard(template.format, text, thinking=thinking)
        assert not calls
        jsonschema.validate(json.loads(said), JSON_SCHEMA)


@pytest.mark.parametrize("with_controls", [True, False])
@pytest.mark.parametrize(
    "name", ["Qwen-Qwen3-0.6B", "Qwen3.5-4B", "GLM-4.6", "google-gemma-4-31B-it", "Kimi-K2-Instruct"]
)
def test_strict_calls_follow_their_schema_and_text_is_free(name: str, with_controls: bool) -> None:
    """An answer may be text; a call in it is one by the schema."""
    template = opened(ALL[name])
    calls = template.format.calls
    assert calls is not None
    letters, tokenizer = vocabulary(controls_of(template.format) if with_controls else ())
    prompt = template.render((QUESTION,), TOOLS)
    thinking = template.opens_thought(prompt)
    writer = GrammarWriter(template.format, letters.controls, prompt, thinking=thinking)
    grammar = lark_grammar(writer.strict_calls(OFFERED, frozenset({"get_time"})), writer.schemas, "tools")

    def accepted(text: str) -> bool:
        matcher = llguidance.LLMatcher(tokenizer, grammar, log_level=0)
        assert not matcher.is_error(), matcher.get_error()
        tokens = letters.encoded((template.format.thought.close if thinking else "") + text)
        return matcher.validate_tokens(tokens) == len(tokens)

    right = written(calls, [("get_time", '{"city": "Rome", "days": 2}')])
    assert accepted("Hello, world <b>.")
    assert accepted(right)
    assert accepted(f"I look. {right}")
    assert not accepted(written(calls, [("get_time", '{"days": 2}')]))
    assert not accepted(written(calls, [("get_time", '{"city": "Rome", "days": {"a": 1}}')]))


def test_where_a_call_can_not_be_told_from_text_the_answer_is_free() -> None:
    """Channels begin alike, whatever is in them."""
    template = opened(ALL["openai-gpt-oss-120b"])
    writer = GrammarWriter(template.format, {}, template.render((QUESTION,), TOOLS), thinking=False)
    assert writer.strict_calls(OFFERED, frozenset({"get_time"})) == ""
