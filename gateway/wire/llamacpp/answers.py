"""Encode deltas as llama-server's own completions: events of a stream, or one object. Pure: the clock is passed in."""

from collections.abc import Callable
from typing import Any, assert_never

from gateway.core.delta import (
    Delta,
    Extra,
    Finish,
    FinishReason,
    ModelRefusal,
    Reasoning,
    Text,
    TokenLogprob,
    ToolCallPart,
    UsageReport,
)
from gateway.core.errors import AduanaError
from gateway.core.usage import Usage
from gateway.wire.encoding import encode_json, finite, incomplete
from gateway.wire.llamacpp.requests import LlamaCompletion
from gateway.wire.llamacpp.status import error_body

_NO_SLOT = -1
_NO_LIMIT = -1


class _Answer:
    """What streamed and whole answers share: how the answer went, and its last object."""

    def __init__(self, asked: LlamaCompletion, *, clock: Callable[[], float]) -> None:
        self._asked = asked
        self._clock = clock
        self._begun = clock()
        self._first: float | None = None
        self._new_line = False
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def _text_of(self, delta: Delta) -> str | None:
        """Take note of a delta, and return its text; None: it has none."""
        match delta:
            case Text() | Reasoning() | ModelRefusal():
                if self._first is None:
                    self._first = self._clock()
                self._new_line = self._new_line or "\n" in delta.text
                return delta.text
            case ToolCallPart() | Extra():
                return None  # a raw text calls no tools
            case Finish():
                self._finish = delta
                return None
            case UsageReport():
                self._usage = delta.usage
                return None
            case _:
                assert_never(delta)

    def _end(self, content: str) -> dict[str, Any]:
        """Return the last object: all of it, or the fields that the client wants.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        if self._usage is None or self._finish is None:
            raise incomplete()
        usage, finish, request = self._usage, self._finish, self._asked.request
        whole: dict[str, Any] = {
            "index": 0,
            "content": content,
            "tokens": [],
            "id_slot": _NO_SLOT,
            "stop": True,
            "model": request.model,
            "tokens_predicted": usage.completion_tokens,
            "tokens_evaluated": usage.prompt_tokens,
            "generation_settings": self._settings(),
            "prompt": request.prompts[0],
            "has_new_line": self._new_line,
            "truncated": False,
            "stop_type": _stop_type(finish),
            "stopping_word": finish.stop or "",
            "tokens_cached": usage.input_cached,
            "timings": self._timings(usage),
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

    def __init__(self, asked: LlamaCompletion, *, clock: Callable[[], float]) -> None:
        super().__init__(asked, clock=clock)
        self._pieces = 0

    def start(self) -> bytes:
        """Return nothing: no event comes before the first text."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the event for one delta; empty where it has none."""
        text = self._text_of(delta)
        if text is None:
            return b""
        self._pieces += 1
        tokens = delta.logprobs if isinstance(delta, Text) else ()
        event = {
            "index": 0,
            "content": text,
            "tokens": [],
            "stop": False,
            "id_slot": _NO_SLOT,
            "tokens_predicted": self._pieces,
            "tokens_evaluated": 0,  # told at the end
            **_probabilities(tokens),
        }
        return _event(event)

    def end(self) -> bytes:
        """Return the last event.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        return _event(self._end(""))

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return b"data: " + error_body(error) + b"\n\n"


class WholeCompletion(_Answer):
    """Collector of one completion's deltas."""

    def __init__(self, asked: LlamaCompletion, *, clock: Callable[[], float]) -> None:
        super().__init__(asked, clock=clock)
        self._texts: list[str] = []
        self._tokens: list[TokenLogprob] = []

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        text = self._text_of(delta)
        if text is not None:
            self._texts.append(text)
        if isinstance(delta, Text):
            self._tokens.extend(delta.logprobs)

    def body(self) -> bytes:
        """Return the whole answer.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        return encode_json({**self._end("".join(self._texts)), **_probabilities(self._tokens)})


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
