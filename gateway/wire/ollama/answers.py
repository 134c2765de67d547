"""Encode deltas as Ollama answers: lines of JSON, or one object. Pure: clocks are passed in.

A tool call goes out whole, because its arguments are an object there.
"""

from collections.abc import Callable
from typing import Any, assert_never

from gateway.core.delta import (
    Delta,
    Embeddings,
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
from gateway.wire.decided import decision_fields
from gateway.wire.encoding import encode_json, finite, incomplete, tool_input
from gateway.wire.ollama.keep_alive import timestamp

_DONE = {
    FinishReason.STOP: "stop",
    FinishReason.TOOL_CALLS: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.CONTENT_FILTER: "stop",
}


class _Answer:
    """State that streamed and whole answers share. `wall` gives Unix seconds, `clock` monotonic seconds."""

    def __init__(self, *, model: str, generate: bool, wall: Callable[[], float], clock: Callable[[], float]) -> None:
        self._model = model
        self._generate = generate
        self._wall = wall
        self._clock = clock
        self._begun = clock()
        self._first: float | None = None
        self._calls: dict[int, list[ToolCallPart]] = {}
        self._reason: FinishReason | None = None

    def _mark(self) -> None:
        if self._first is None:
            self._first = self._clock()

    def _fields(
        self, *, text: str = "", thinking: str = "", calls: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        head = {"model": self._model, "created_at": timestamp(self._wall())}
        if self._generate:
            return {**head, "response": text, **({"thinking": thinking} if thinking else {})}
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if thinking:
            message["thinking"] = thinking
        if calls:
            message["tool_calls"] = calls
        return {**head, "message": message}

    def _whole_calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        for number, parts in sorted(self._calls.items()):
            name = next((part.name for part in parts if part.name), "")
            arguments = tool_input("".join([part.arguments for part in parts]))
            call_id = next((part.id for part in parts if part.id), "")
            calls.append({"id": call_id, "function": {"index": number, "name": name, "arguments": arguments}})
        return calls

    def _counts(self, usage: Usage) -> dict[str, Any]:
        if self._reason is None:
            raise incomplete()
        now = self._clock()
        first = self._first if self._first is not None else now
        return {
            "done": True,
            "done_reason": _DONE[self._reason],
            "total_duration": _nanoseconds(now - self._begun),
            "load_duration": 0,
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": _nanoseconds(first - self._begun),
            "eval_count": usage.completion_tokens,
            "eval_duration": _nanoseconds(now - first),
        }


class LineStream(_Answer):
    """Encoder of one streamed answer of `/api/chat` or `/api/generate`."""

    _complete = False

    def start(self) -> bytes:
        """Return nothing: no line comes before the first text."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the line for one delta; empty where it has none.

        Raises:
            TargetProtocolError: the usage came without an end, or a tool call is not valid JSON.
        """
        match delta:
            case Text() | ModelRefusal():
                self._mark()
                logprobs = _logprobs(delta.logprobs) if isinstance(delta, Text) else {}
                return self._line({**self._fields(text=delta.text), "done": False, **logprobs})
            case Reasoning():
                self._mark()
                return self._line({**self._fields(thinking=delta.text), "done": False})
            case ToolCallPart():
                self._mark()
                self._calls.setdefault(delta.call, []).append(delta)
                return b""
            case Extra():
                return b""
            case Finish():
                self._reason = delta.reason
                if not self._calls:
                    return b""
                return self._line({**self._fields(calls=self._whole_calls()), "done": False})
            case UsageReport():
                line = self._line({**self._fields(), **self._counts(delta.usage)})
                self._complete = True
                return line
            case Picture() | Sound() | Transcript():
                return b""  # of no text
            case _:
                assert_never(delta)

    def end(self) -> bytes:
        """Return nothing: the last line was the end.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        if not self._complete:
            raise incomplete()
        return b""

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return error_body(error) + b"\n"

    def _line(self, fields: dict[str, Any]) -> bytes:
        return encode_json(fields) + b"\n"


class WholeAnswer(_Answer):
    """Collector of one answer of `/api/chat` or `/api/generate`."""

    def __init__(self, *, model: str, generate: bool, wall: Callable[[], float], clock: Callable[[], float]) -> None:
        super().__init__(model=model, generate=generate, wall=wall, clock=clock)
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._tokens: list[TokenLogprob] = []
        self._usage: Usage | None = None

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        match delta:
            case Text() | ModelRefusal():
                self._mark()
                self._texts.append(delta.text)
                if isinstance(delta, Text):
                    self._tokens.extend(delta.logprobs)
            case Reasoning():
                self._mark()
                self._thoughts.append(delta.text)
            case ToolCallPart():
                self._mark()
                self._calls.setdefault(delta.call, []).append(delta)
            case Extra():
                pass
            case Finish():
                self._reason = delta.reason
            case UsageReport():
                self._usage = delta.usage
            case Picture() | Sound() | Transcript():
                pass  # of no text
            case _:
                assert_never(delta)

    def body(self) -> bytes:
        """Return the whole answer.

        Raises:
            TargetProtocolError: the answer did not come to its end, or has a tool call that is not valid JSON.
        """
        if self._usage is None:
            raise incomplete()
        fields = self._fields(text="".join(self._texts), thinking="".join(self._thoughts), calls=self._whole_calls())
        return encode_json({**fields, **self._counts(self._usage), **_logprobs(self._tokens)})


def error_body(error: AduanaError) -> bytes:
    """Encode the body of an error answer."""
    return encode_json({"error": error.message, **decision_fields(error)})


def ready_body(model: str, *, generate: bool, now: float, gone: bool = False) -> bytes:
    """Encode the answer to a request without prompt or messages: the model is loaded, or (`gone`) being unloaded."""
    head = {"model": model, "created_at": timestamp(now)}
    content: dict[str, Any] = {"response": ""} if generate else {"message": {"role": "assistant", "content": ""}}
    return encode_json({**head, **content, "done": True, "done_reason": "unload" if gone else "load"})


def embed_body(embeddings: Embeddings, *, model: str, seconds: float) -> bytes:
    """Encode the answer of `/api/embed`. `seconds` is how long the work took."""
    return encode_json(
        {
            "model": model,
            "embeddings": embeddings.vectors,
            "total_duration": _nanoseconds(seconds),
            "load_duration": 0,
            "prompt_eval_count": embeddings.usage.prompt_tokens,
        }
    )


def no_vectors_body(model: str) -> bytes:
    """Encode the answer of `/api/embed` to a request without text: the model is loaded."""
    return encode_json({"model": model, "embeddings": []})


def embedding_body(embeddings: Embeddings) -> bytes:
    """Encode the answer of the older `/api/embeddings`: one vector."""
    return encode_json({"embedding": embeddings.vectors[0]})


def _logprobs(tokens: tuple[TokenLogprob, ...] | list[TokenLogprob]) -> dict[str, Any]:
    if not tokens:
        return {}
    found = [
        {
            "token": one.token,
            "logprob": finite(one.logprob),
            "bytes": list(one.raw),
            "top_logprobs": [{"token": t, "logprob": finite(p), "bytes": list(raw)} for t, p, raw in one.top],
        }
        for one in tokens
    ]
    return {"logprobs": found}


def _nanoseconds(seconds: float) -> int:
    return max(0, round(seconds * 1e9))
