"""Encode deltas as OpenAI chat answers: chunks of a stream, or one `chat.completion`. Pure: given ids and times."""

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
from gateway.wire.openai.answer_fields import DONE, chat_logprobs, error_frame, thawed, told_usage
from gateway.wire.openai.extra_fields import joined

_OLDER_FINISH = "function_call"


class ChatStream:
    """Encoder of one streamed answer. One object for each answer.

    Frames of plain text are put together from prepared bytes: they are nearly all frames, and each of them is paid
    for by every reader of every stream.
    """

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - OpenAI's name
        created: int,
        model: str,
        choices: int = 1,
        include_usage: bool = False,
        older_functions: bool = False,
    ) -> None:
        self._fields = {"id": id, "object": "chat.completion.chunk", "created": created, "model": model}
        head = encode_json(self._fields)
        self._head = b"data: " + head[:-1] + b',"choices":'
        self._tail = b',"usage":null}\n\n' if include_usage else b"}\n\n"
        self._include_usage = include_usage
        self._choices = choices
        self._older = older_functions
        self._text_heads = [self._head + b'[{"index":%d,"delta":{"content":' % index for index in range(choices)]
        self._text_tail = b'},"logprobs":null,"finish_reason":null}]' + self._tail
        self._complete = False

    def start(self) -> bytes:
        """Return the first chunk of each choice: it alone carries the role."""
        delta = {"role": "assistant", "content": "", "refusal": None}
        return b"".join([self._chunk(index, delta) for index in range(self._choices)])

    def encode(self, delta: Delta) -> bytes:
        """Return the frame for one delta; empty where it has none."""
        match delta:
            case Text(text=text, index=index, logprobs=logprobs):
                if logprobs or index >= self._choices:
                    return self._chunk(index, {"content": text}, logprobs=chat_logprobs(logprobs))
                return self._text_heads[index] + encode_json(text) + self._text_tail
            case Reasoning():
                return self._chunk(delta.index, {"reasoning_content": delta.text})
            case ModelRefusal():
                return self._chunk(delta.index, {"refusal": delta.text})
            case ToolCallPart():
                if self._older:
                    return self._chunk(delta.index, {"function_call": _older_part(delta)}) if delta.call == 0 else b""
                return self._chunk(delta.index, {"tool_calls": [_call_part(delta)]})
            case Extra(whole=True):
                return self._of_the_answer(thawed(delta.fields))
            case Extra():
                return self._chunk(delta.index, thawed(delta.fields))
            case Finish():
                return self._chunk(delta.index, {}, finish=delta.reason)
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

    def _of_the_answer(self, fields: dict[str, Any]) -> bytes:
        """Return a chunk with fields of the answer itself; it has a choice, for clients that look at the first one."""
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}
        usage = {"usage": None} if self._include_usage else {}
        return b"data: " + encode_json(fields | self._fields | {"choices": [choice]} | usage) + b"\n\n"

    def _chunk(
        self,
        index: int,
        delta: dict[str, Any],
        *,
        logprobs: dict[str, Any] | None = None,
        finish: FinishReason | None = None,
    ) -> bytes:
        reason = _OLDER_FINISH if self._older and finish is FinishReason.TOOL_CALLS else finish
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return self._head + b"[" + encode_json(choice) + b"]" + self._tail


def _older_part(part: ToolCallPart) -> dict[str, str]:
    return {"arguments": part.arguments} if part.name is None else {"name": part.name, "arguments": part.arguments}


def _call_part(part: ToolCallPart) -> dict[str, Any]:
    kind, arguments = ("custom", "input") if part.custom else ("function", "arguments")
    inner: dict[str, str] = {arguments: part.arguments}
    if part.name is not None:
        inner = {"name": part.name, arguments: part.arguments}
    known = {"index": part.call, kind: inner}
    if part.id is not None:
        known = {"index": part.call, "id": part.id, "type": kind, kind: inner}
    return thawed(part.extra) | known if part.extra else known


class _Choice:
    """One choice of a whole answer while it is put together."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.logprobs: list[TokenLogprob] = []
        self.calls: dict[int, list[ToolCallPart]] = {}
        self.extra: dict[str, Any] = {}
        self.finish: FinishReason | None = None

    def fields(self, index: int, *, older: bool = False) -> dict[str, Any]:
        text = "".join(self.texts)
        message: dict[str, Any] = self.extra | {
            "role": "assistant",
            "content": text if text or not (self.calls or self.refusal) else None,
            "refusal": "".join(self.refusal) or None,
        }
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.calls and older:
            message["function_call"] = _whole_call(self.calls[min(self.calls)])["function"]
        elif self.calls:
            message["tool_calls"] = [_whole_call(parts) for _, parts in sorted(self.calls.items())]
        return {
            "index": index,
            "message": message,
            "logprobs": chat_logprobs(self.logprobs) if self.logprobs else None,
            "finish_reason": _OLDER_FINISH if older and self.finish is FinishReason.TOOL_CALLS else self.finish,
        }


def _whole_call(parts: list[ToolCallPart]) -> dict[str, Any]:
    kind, arguments = ("custom", "input") if parts[0].custom else ("function", "arguments")
    extra: dict[str, Any] = {}
    for part in parts:
        extra |= thawed(part.extra)
    return extra | {
        "id": next((part.id for part in parts if part.id), ""),
        "type": kind,
        kind: {
            "name": next((part.name for part in parts if part.name), ""),
            arguments: "".join([part.arguments for part in parts]),
        },
    }


class ChatAssembly:
    """Collector of one answer's deltas, which become a `chat.completion`."""

    def __init__(self, *, id: str, created: int, model: str, older_functions: bool = False) -> None:  # noqa: A002 - OpenAI's name
        self._head = {"id": id, "object": "chat.completion", "created": created, "model": model}
        self._older = older_functions
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
        choice = self._choices.get(delta.index)
        if choice is None:
            choice = self._choices[delta.index] = _Choice()
        match delta:
            case Text():
                choice.texts.append(delta.text)
                choice.logprobs.extend(delta.logprobs)
            case Reasoning():
                choice.reasoning.append(delta.text)
            case ModelRefusal():
                choice.refusal.append(delta.text)
            case ToolCallPart():
                choice.calls.setdefault(delta.call, []).append(delta)
            case Extra():
                joined(choice.extra, thawed(delta.fields))
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
        if self._usage is None or not self._choices:
            raise incomplete()
        choices: list[dict[str, Any]] = []
        for index in sorted(self._choices):
            choice = self._choices[index]
            if choice.finish is None:
                raise incomplete()
            choices.append(choice.fields(index, older=self._older))
        return encode_json({**self._more, **self._head, "choices": choices, "usage": told_usage(self._usage)})
