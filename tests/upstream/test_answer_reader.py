"""Other servers' answers: how their pieces become deltas, with the habits of each kind of server."""

import json
from typing import Any

import pytest

from gateway.core.delta import Delta, Finish, Reasoning, Text, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import ContextLengthExceeded, TargetBusy
from gateway.core.usage import Usage
from gateway.upstream.answer_reader import AnswerReader, choices_of
from gateway.upstream.body import inputs_of

DOCUMENT = freeze_object({"messages": [{"role": "user", "content": "hello"}]})


def read(*payloads: dict[str, Any]) -> list[Delta]:
    """The deltas of these payloads, up to a clean end."""
    reader = AnswerReader("t", DOCUMENT)
    deltas = [delta for payload in payloads for delta in reader.payload(json.dumps(payload).encode())]
    return [*deltas, *reader.end()]


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def test_thinking_under_both_names() -> None:
    """Thinking is read under `reasoning_content` (DeepSeek, llama-server) and `reasoning` (OpenRouter, vLLM)."""
    deltas = read(chunk(reasoning_content="a"), chunk(reasoning="b"), chunk("stop", content="c"))
    assert deltas[:3] == [Reasoning(text="a"), Reasoning(text="b"), Text(text="c")]


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "Yes"}],
        [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Yes"}],
        [{"type": "reasoning", "text": "Hm"}, {"type": "output_text", "text": "Yes"}],
        [{"type": "reasoning", "summary": [{"text": "Hm"}]}, "Yes"],
    ],
)
def test_content_in_parts(parts: list[Any]) -> None:
    """Content that is a list of parts, as Mistral's thinking models send it, becomes text and thinking."""
    assert read(chunk(content=parts), chunk("stop"))[:2] == [Reasoning(text="Hm"), Text(text="Yes")]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "x", "code": "context_length_exceeded"}, ContextLengthExceeded),
        ({"message": "x", "code": 429}, TargetBusy),
        ({"message": "x", "type": "rate_limit_error"}, TargetBusy),
    ],
)
def test_errors_inside_a_stream_are_told_apart(error: dict[str, Any], kind: type[Exception]) -> None:
    """Errors inside a stream become the error that the server's code or type names."""
    with pytest.raises(kind):
        read(chunk(content="x"), {"error": error})


@pytest.mark.parametrize(
    "report",
    [
        {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}},
        {"prompt_tokens": 9, "completion_tokens": 5, "prompt_cache_hit_tokens": 4},
        {
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": None},
        },
    ],
)
def test_cached_tokens(report: dict[str, Any]) -> None:
    """Cached tokens are read under OpenAI's and DeepSeek's names, and no token is counted in two kinds."""
    report["completion_tokens_details"] = {"reasoning_tokens": 2}
    last = read(chunk("stop", content="x"), {"choices": [], "usage": report})[-1]
    assert isinstance(last, UsageReport)
    usage = last.usage
    assert (usage.input, usage.input_cached, usage.output, usage.reasoning) == (5, 4, 3, 2)


def test_usage_in_every_chunk_counts_once() -> None:
    """Where every chunk reports usage, only the last report counts."""
    reports = [{"prompt_tokens": 1, "completion_tokens": count} for count in (1, 2, 3)]
    deltas = read(*[chunk(content="x") | {"usage": one} for one in reports], chunk("stop"))
    assert [delta.usage.output for delta in deltas if isinstance(delta, UsageReport)] == [3]


@pytest.mark.parametrize(
    ("report", "kinds"),
    [
        ({"total_tokens": 30, "completion_tokens_details": {"reasoning_tokens": 15}}, (10, 0, 5, 15)),
        ({"completion_tokens_details": {"reasoning_tokens": 15}}, (10, 0, 5, 15)),
        ({"total_tokens": 45}, (10, 0, 5, 30)),
        ({"total_tokens": 19, "completion_tokens_details": {"reasoning_tokens": 2}}, (10, 0, 5, 4)),
        ({"total_tokens": 15, "completion_tokens_details": {"reasoning_tokens": 2}}, (10, 0, 3, 2)),
        ({"total_tokens": 75, "prompt_tokens_details": {"cached_tokens": 60}}, (10, 60, 5, 0)),
        ({"total_tokens": 1e30}, (10, 0, 5, 0)),
    ],
)
def test_tokens_that_are_counted_beside_others_are_paid(report: dict[str, Any], kinds: tuple[int, ...]) -> None:
    """Reasoning beyond `completion_tokens`, thinking that only the total shows, and cached prompt tokens that
    `prompt_tokens` leaves out: each is in the usage.
    """
    told = {"prompt_tokens": 10, "completion_tokens": 5} | report
    last = read(chunk("stop", content="x"), {"choices": [], "usage": told})[-1]
    assert isinstance(last, UsageReport)
    usage = last.usage
    assert (usage.input, usage.input_cached, usage.output, usage.reasoning) == kinds


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"input_tokens": 9, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4},
          "output_tokens_details": {"reasoning_tokens": 2}},
         Usage(input=5, input_cached=4, output=3, reasoning=2)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "cached_tokens": 4}, Usage(input=5, input_cached=4, output=5)),
        ({"prompt_tokens": 9, "completion_tokens": 5,
          "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3}},
         Usage(input=5, input_cached=4, output=5, input_written=3)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "cache_creation_input_tokens": 30},
         Usage(input=9, output=5, input_written=9)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"audio_tokens": 2},
          "completion_tokens_details": {"audio_tokens": 1}},
         Usage(input=9, output=5, input_audio=2, output_audio=1)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "reasoning_tokens": 2}, Usage(input=9, output=3, reasoning=2)),
    ],
)  # fmt: skip
def test_kinds_of_tokens_wherever_they_stand(told: dict[str, object], expected: Usage) -> None:
    """Cached, written, thought and spoken tokens are read under the names and in the places that servers use."""
    last = read(chunk("stop", content="x"), {"choices": [], "usage": told})[-1]
    assert last == UsageReport(usage=expected)


def test_usage_that_stands_in_the_choice_counts() -> None:
    """Moonshot and others report it there, with the finish reason; several choices add up to one prompt."""
    ends = [
        {"index": index, "delta": {"content": "x"}, "finish_reason": "stop", "usage": told}
        for index, told in enumerate(
            [{"prompt_tokens": 5000, "completion_tokens": 7}, {"prompt_tokens": 5000, "completion_tokens": 4}]
        )
    ]
    one = read({"choices": ends[:1]})[-1]
    assert isinstance(one, UsageReport)
    assert (one.usage.prompt_tokens, one.usage.completion_tokens, one.usage.estimated) == (5000, 7, False)
    reader = AnswerReader("t", freeze_object({**DOCUMENT, "n": 2}))
    list(reader.payload(json.dumps({"choices": ends}).encode()))
    *_, both = reader.end()
    assert isinstance(both, UsageReport)
    assert (both.usage.prompt_tokens, both.usage.completion_tokens) == (5000, 11)


def test_a_report_that_cannot_be_true_does_not_replace_one_that_can() -> None:
    """A last chunk of zeros, as some proxies add it, leaves the report of the choice before it."""
    end = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 9, "completion_tokens": 3}}
    zeros = {"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}
    last = read(chunk(content="x"), {"choices": [end]}, zeros)[-1]
    assert isinstance(last, UsageReport)
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (9, 3)


def test_logprobs_are_passed_on() -> None:
    """Log-probabilities are passed on with their bytes; unreadable ones are left out and the text stays."""
    good = {"content": [{"token": "é", "logprob": -0.1, "bytes": [195, 169], "top_logprobs": []}]}
    payload = chunk(content="é")
    payload["choices"][0]["logprobs"] = good
    broken = chunk("stop", content="x")
    broken["choices"][0]["logprobs"] = {"content": [{"token": 5}]}
    first, second, *_ = read(payload, broken)
    assert isinstance(first, Text)
    assert isinstance(second, Text)
    assert [(one.token, one.raw) for one in first.logprobs] == [("é", "é".encode())]
    assert second.logprobs == ()


def test_text_completions() -> None:
    """Text completions are read in their older shape: `text` instead of `delta`, finish in the same chunk."""
    deltas = read({"choices": [{"index": 0, "text": "Hi", "finish_reason": "length"}]})
    assert deltas[0] == Text(text="Hi")
    assert isinstance(deltas[1], Finish)


@pytest.mark.parametrize(
    ("document", "choices"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"prompt": "a", "n": 2}, 2),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1], [2]]}, 2),
    ],
)
def test_how_many_choices_were_asked_for(document: dict[str, Any], choices: int) -> None:
    """A document asks for `n` choices of each prompt."""
    assert choices_of(freeze_object(document)) == choices


@pytest.mark.parametrize(("given", "count"), [("a", 1), (["a", "b"], 2), ([1, 2], 1), ([[1], [2]], 2)])
def test_how_many_vectors_were_asked_for(given: Any, count: int) -> None:
    """A document asks for one vector of each input."""
    assert inputs_of(freeze_object({"input": given})) == count


@pytest.mark.parametrize(("field", "given", "told"), [
    ("stop_reason", "END", "END"), ("matched_stop", "END", "END"), ("stop_reason", 151645, None),
])  # fmt: skip
def test_the_stop_text_that_ended_an_answer(field: str, given: Any, told: str | None) -> None:
    """vLLM and SGLang tell which stop text ended the answer; the number of a token is none."""
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", field: given}]}
    (finish,) = [delta for delta in read(chunk(content="a"), last) if isinstance(delta, Finish)]
    assert finish.stop == told


def test_texts_that_come_alone_are_read_as_those_among_others() -> None:
    """Payloads of nothing but text say the same the shorter way; one that says more leaves all to the other."""
    texts = [json.dumps(chunk(content=word)).encode() for word in ("Hel", "lo")]
    reader = AnswerReader("t", DOCUMENT)
    assert reader.texts([*texts, json.dumps(chunk("stop", content="!")).encode()]) is None
    assert [*(reader.texts(texts) or ())] == [Text(text="Hel"), Text(text="lo")]
    deltas = [*reader.payload(json.dumps(chunk("stop")).encode()), *reader.end()]
    assert deltas == read(chunk(content="Hel"), chunk(content="lo"), chunk("stop"))[2:]
