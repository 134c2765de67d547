"""Encode deltas as llama-server's own completions: events of a stream, or one object. Pure: the clock is passed in."""

from collections.abc import Callable
from typing import Any, assert_never

from gateway.core.delta import (
    Delta,
    Extra,
    Finish,
    FinishReason,
    ModelRefusal,
    Picture,
    Reasoning,
    Sound,
    Text,
    TokenLogprob,
    ToolCallPart,
    Transcript,
    UsageReport,
)
from gateway.core.errors import AduanaError
from gateway.core.usage import Usage
from gateway.wire.encoding import encode_json, finite, incomplete
from gateway.wire.llamacpp.requests import LlamaCompletion
from gateway.wire.llamacpp.status import error_body

_NO_SLOT = -1
_NO_LIMIT = -1


class _Choice:
    """How the answer to one prompt went."""

    def __init__(self) -> None:
        self.texts: list[str] = []  # of a whole answer
        self.tokens: list[TokenLogprob] = []
        self.pieces = 0
        self.new_line = False
        self.finish: Finish | None = None


class _Answer:
    """What streamed and whole answers share: how each prompt's answer went, and its last object."""

    def __init__(self, asked: LlamaCompletion, *, clock: Callable[[], float]) -> None:
        self._asked = asked
        self._clock = clock
        self._begun = clock()
        self._first: float | None = None
        self._choices = [_Choice() for _ in asked.request.prompts]
        self._usage: Usage | None = None

    def _text_of(self, delta: Delta) -> str | None:
        """Take note of a delta, and return its text; None: it has none."""
        match delta:
            case Text() | Reasoning() | ModelRefusal():
                choice = self._choices[delta.index]
                if self._first is None:
                    self._first = self._clock()
                choice.new_line = choice.new_line or "\n" in delta.text
                choice.pieces += 1
                return delta.text
            case ToolCallPart() | Extra():
                return None  # a raw text calls no tools
            case Finish():
                self._choices[delta.index].finish = delta
                return None
            case UsageReport():
                self._usage = delta.usage
                return None
            case Picture() | Sound() | Transcript():
                return None  # of no text
            case _:
                assert_never(delta)

    def _ends(self) -> list[dict[str, Any]]:
        """Return the last object of each prompt's answer. Of several, the first one has the counts of all.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        if self._usage is None:
            raise incomplete()
        usages = [self._usage, *[Usage()] * (len(self._choices) - 1)]
        return [
            self._end(index, choice, usage)
            for index, (choice, usage) in enumerate(zip(self._choices, usages, strict=True))
        ]

    def _end(self, index: int, choice: _Choice, usage: Usage) -> dict[str, Any]:
        if choice.finish is None:
            raise incomplete()
        request = self._asked.request
        whole: dict[str, Any] = {
            "index": index,
            "content": "".join(choice.texts),
            "tokens": [],
            "id_slot": _NO_SLOT,
            "stop": True,
            "model": request.model,
            "tokens_predicted": usage.completion_tokens,
            "tokens_evaluated": usage.prompt_tokens,
            "generation_settings": self._settings(),
            "prompt": request.prompts[index],
            "has_new_line": choice.new_line,
            "truncated": False,
            "stop_type": _stop_type(choice.finish),
            "stopping_word": choice.finish.stop or "",
            "tokens_cached": usage.input_cached,
            "timings": self._timings(usage),
            **_probabilities(choice.tokens),
        }
        wanted = self._asked.fields
        return {path: value for path in wanted for value in _at(whole, path)} if wanted else whole

    def _settings(self) -> dict[str, Any]:
        request = self._asked.request
        sampling, form = request.sampling, request.response_format
        return {
            "n_predict": _NO_LIMIT if sampling.max_tokens is None else sampling.max_tokens,
            "seed": sampling.seed,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "min_p": sampling.min_p,
            "repeat_penalty": sampling.repeat_penalty,
            "presence_penalty": sampling.presence_penalty,
            "frequency_penalty": sampling.frequency_penalty,
            "stop": sampling.stop,
            "ignore_eos": sampling.ignore_eos,
            "n_probs": sampling.top_logprobs if sampling.logprobs else 0,
            "grammar": form.grammar,
            "stream": request.stream,
        }

    def _timings(self, usage: Usage) -> dict[str, Any]:
        now = self._clock()
        first = self._first if self._first is not None else now
        read, written = usage.input, usage.completion_tokens
        return {
            "cache_n": usage.input_cached,
            **_rates("prompt", read, (first - self._begun) * 1000),
            **_rates("predicted", written, (now - first) * 1000),
        }


class CompletionStream(_Answer):
    """Encoder of one streamed completion. No `[DONE]` follows its last event, as in llama-server's own API."""

    def start(self) -> bytes:
        """Return nothing: no event comes before the first text."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the event for one delta; empty where it has none."""
        text = self._text_of(delta)
        if text is None or isinstance(delta, UsageReport):
            return b""
        tokens = delta.logprobs if isinstance(delta, Text) else ()
        event = {
            "index": delta.index,
            "content": text,
            "tokens": [],
            "stop": False,
            "id_slot": _NO_SLOT,
            "tokens_predicted": self._choices[delta.index].pieces,
            "tokens_evaluated": 0,  # told at the end
            **_probabilities(tokens),
        }
        return _event(event)

    def end(self) -> bytes:
        """Return the last event of each prompt's answer.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        return b"".join(map(_event, self._ends()))

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return b"data: " + error_body(error) + b"\n\n"


class WholeCompletion(_Answer):
    """Collector of one completion's deltas."""

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        text = self._text_of(delta)
        if text is None or isinstance(delta, UsageReport):
            return
        choice = self._choices[delta.index]
        choice.texts.append(text)
        if isinstance(delta, Text):
            choice.tokens.extend(delta.logprobs)

    def body(self) -> bytes:
        """Return the whole answer; of several prompts, an array.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        ends = self._ends()
        return encode_json(ends[0] if len(ends) == 1 else ends)


def _event(fields: dict[str, Any]) -> bytes:
    return b"data: " + encode_json(fields) + b"\n\n"


def _stop_type(finish: Finish) -> str:
    if finish.reason is FinishReason.LENGTH:
        return "limit"
    return "word" if finish.stop else "eos"


def _rates(name: str, count: int, milliseconds: float) -> dict[str, Any]:
    spent = max(milliseconds, 1e-3)  # a clock may stand still
    return {
        f"{name}_n": count,
        f"{name}_ms": spent,
        f"{name}_per_token_ms": spent / max(count, 1),
        f"{name}_per_second": count / spent * 1000,
    }


def _probabilities(tokens: list[TokenLogprob] | tuple[TokenLogprob, ...]) -> dict[str, Any]:
    if not tokens:
        return {}
    found = [
        {
            "token": one.token,
            "bytes": list(one.raw),
            "logprob": finite(one.logprob),
            "top_logprobs": [{"token": t, "bytes": list(raw), "logprob": finite(p)} for t, p, raw in one.top],
        }
        for one in tokens
    ]
    return {"completion_probabilities": found}


def _at(whole: dict[str, Any], path: str) -> list[Any]:
    """Return the value at a path such as `timings/prompt_n`, in a list; an empty one where there is none."""
    value: Any = whole
    for step in path.split("/"):
        if not isinstance(value, dict) or step not in value:
            return []
        value = value[step]
    return [value]
