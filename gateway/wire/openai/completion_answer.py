"""Encode deltas as OpenAI text completions (`/v1/completions`): chunks of a stream, or one object. Pure."""

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
from gateway.wire.encoding import encode_json, incomplete
from gateway.wire.openai.answer_fields import DONE, TextLogprobs, error_frame, thawed, told_usage


class TextStream:
    """Encoder of one streamed text completion."""

    def __init__(self, *, id: str, created: int, model: str, include_usage: bool = False) -> None:  # noqa: A002 - OpenAI's name
        self._fields = {"id": id, "object": "text_completion", "created": created, "model": model}
        head = encode_json(self._fields)
        self._head = b"data: " + head[:-1] + b',"choices":'
        self._tail = b',"usage":null}\n\n' if include_usage else b"}\n\n"
        self._include_usage = include_usage
        self._logprobs: dict[int, TextLogprobs] = {}
        self._complete = False

    def start(self) -> bytes:
        """Return nothing: text completions have no opening chunk."""
        return b""

    def encode(self, delta: Delta) -> bytes:
        """Return the frame for one delta; empty where it has none."""
        match delta:
            case Text():
                logprobs = self._logprobs.setdefault(delta.index, TextLogprobs()).take(delta.logprobs)
                return self._chunk(delta.index, delta.text, logprobs=logprobs)
            case Reasoning() | ModelRefusal():
                return self._chunk(delta.index, delta.text)
            case Extra(whole=True):
                choice = {"text": "", "index": 0, "logprobs": None, "finish_reason": None}
                usage = {"usage": None} if self._include_usage else {}
                fields = thawed(delta.fields) | self._fields | {"choices": [choice]} | usage
                return b"data: " + encode_json(fields) + b"\n\n"
            case ToolCallPart() | Extra():
                return b""  # text completions have no tools to call
            case Finish():
                return self._chunk(delta.index, "", finish=delta.reason)
            case UsageReport():
                self._complete = True
                if not self._include_usage:
                    return b""
                return self._head + b'[],"usage":' + encode_json(told_usage(delta)) + b"}\n\n"
            case Picture() | Sound() | Transcript():
                return b""  # of no text
            case _:
                assert_never(delta)

    def end(self) -> bytes:
        """Return the clean end.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        if not self._complete:
            raise incomplete()
        return DONE

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return error_frame(error)

    def _chunk(
        self, index: int, text: str, *, logprobs: dict[str, Any] | None = None, finish: FinishReason | None = None
    ) -> bytes:
        choice = {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}
        return self._head + b"[" + encode_json(choice) + b"]" + self._tail


class _Choice:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.logprobs: list[TokenLogprob] = []
        self.finish: FinishReason | None = None


class TextAssembly:
    """Collector of one answer's deltas, which become a `text_completion`."""

    def __init__(self, *, id: str, created: int, model: str) -> None:  # noqa: A002 - OpenAI's name
        self._head = {"id": id, "object": "text_completion", "created": created, "model": model}
        self._choices: dict[int, _Choice] = {}
        self._more: dict[str, Any] = {}  # of the answer itself
        self._usage: UsageReport | None = None

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        if isinstance(delta, UsageReport):
            self._usage = delta
            return
        if isinstance(delta, Extra) and delta.whole:
            self._more |= thawed(delta.fields)
            return
        choice = self._choices.setdefault(delta.index, _Choice())
        match delta:
            case Text():
                choice.texts.append(delta.text)
                choice.logprobs.extend(delta.logprobs)
            case Reasoning() | ModelRefusal():
                choice.texts.append(delta.text)
            case ToolCallPart() | Extra():
                pass  # text completions have no tools to call
            case Finish():
                choice.finish = delta.reason
            case Picture() | Sound() | Transcript():
                pass  # of no text
            case _:
                assert_never(delta)

    def body(self) -> bytes:
        """Return the whole answer.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        if self._usage is None or not self._choices or any(one.finish is None for one in self._choices.values()):
            raise incomplete()
        choices = [
            {
                "text": "".join(choice.texts),
                "index": index,
                "logprobs": TextLogprobs().take(choice.logprobs),
                "finish_reason": choice.finish,
            }
            for index, choice in sorted(self._choices.items())
        ]
        return encode_json({**self._more, **self._head, "choices": choices, "usage": told_usage(self._usage)})
