"""Read the answers of OpenAI-compatible servers: event payloads → deltas. Pure.

Holds the invariant of `core.delta`: an answer that does not come to its end is an error, and a finish reason is never
made up. What is only odd (empty `choices`, a second `[DONE]`, repeated finish chunks) is survived.
"""

from math import nan
from typing import Any

import jiter
import msgspec

from gateway.core.delta import (
    Delta,
    Finish,
    FinishReason,
    ModelRefusal,
    Reasoning,
    Text,
    TokenLogprob,
    ToolCallPart,
    UsageReport,
)
from gateway.core.document import JsonObject
from gateway.core.errors import AduanaError, TargetProtocolError
from gateway.upstream.errors import complaint, cut_off, fault_in_stream
from gateway.upstream.sse import ServerSentEvent
from gateway.upstream.usage import UsageReports, estimated_usage

_FINISH = {
    "stop": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "tool_use": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: Any = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Part(msgspec.Struct):
    text: str | None = None
    thinking: "list[_Part] | None" = None


class _Message(msgspec.Struct):
    content: Any = None  # a text; Mistral's thinking models send parts
    reasoning_content: str | None = None
    reasoning: Any = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Message | None = None
    message: _Message | None = None  # a server that answers whole although a stream was asked for
    text: str | None = None  # text completions
    logprobs: Any = None
    finish_reason: str | None = None
    usage: Any = None  # Moonshot and others report it here


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Chunk)


class AnswerReader:
    """Reader of one answer of `target`. `document` is what was sent; `choices` is how many answers it asked for."""

    def __init__(self, target: str, document: JsonObject, choices: int = 1) -> None:
        self._target = target
        self._document = document
        self._unfinished = set(range(choices))
        self._calls: dict[int, int] = {}  # choice → number of its last tool call
        self._usage = UsageReports()
        self._characters = 0
        self._thought = 0
        self.done = False

    def event(self, event: ServerSentEvent) -> list[Delta]:
        """Return the deltas of one server-sent event.

        Raises:
            AduanaError: the event reports an error, can't be read, or ends the answer too early.
        """
        if self.done:
            return []
        if event.data.startswith(b"[DONE]"):
            return self.end()
        return self.payload(event.data, is_error=event.name == "error")

    def payload(self, data: bytes, *, is_error: bool = False) -> list[Delta]:
        """Return the deltas of one JSON payload: a chunk, or a whole answer.

        Raises:
            AduanaError: the payload reports an error or can't be read.
        """
        chunk = self._decoded(data)
        if chunk.error or is_error:
            raise self._reported(chunk.error)
        self._usage.whole(chunk.usage)
        deltas: list[Delta] = []
        for choice in chunk.choices or ():
            self._choice(choice, deltas)
        return deltas

    def end(self) -> list[Delta]:
        """End the answer: return the usage report, which is the last delta.

        Raises:
            TargetProtocolError: a choice did not finish.
        """
        if self.done:
            return []
        if self._unfinished:
            raise cut_off(self._target)
        self.done = True
        usage = self._usage.usage(answered=bool(self._characters or self._thought))
        if usage is None:
            usage = estimated_usage(self._document, answer=self._characters, reasoning=self._thought)
        return [UsageReport(usage=usage)]

    def _decoded(self, data: bytes) -> _Chunk:
        try:
            return _DECODER.decode(data)
        except msgspec.ValidationError as error:
            raise self._unreadable() from error
        except (ValueError, RecursionError):
            pass
        try:
            # NaN is no JSON, but some servers write it into `usage`; that alone must not cost the answer.
            return msgspec.convert(jiter.from_json(data, allow_inf_nan=True), _Chunk)
        except (ValueError, RecursionError) as error:
            raise self._unreadable() from error

    def _unreadable(self) -> TargetProtocolError:
        return TargetProtocolError(f"The target {self._target!r} sent an event that can't be read.")

    def _reported(self, error: object) -> AduanaError:
        return fault_in_stream(self._target, complaint(error))

    def _choice(self, choice: _Choice, deltas: list[Delta]) -> None:
        index = choice.index
        self._usage.choice(index, choice.usage)
        before = len(deltas)
        message = choice.delta or choice.message
        if message is not None:
            self._message(message, index, choice.logprobs, deltas)
        elif choice.text:
            deltas.append(Text(text=choice.text, index=index, logprobs=_logprobs(choice.logprobs)))
            self._characters += len(choice.text)
        if len(deltas) > before and index not in self._unfinished:
            raise TargetProtocolError(f"The target {self._target!r} sent text for a choice that had ended.")
        if choice.finish_reason and index in self._unfinished:
            deltas.append(Finish(reason=self._reason(choice.finish_reason), index=index))
            self._unfinished.discard(index)

    def _message(self, message: _Message, index: int, logprobs: Any, deltas: list[Delta]) -> None:
        thought = message.reasoning_content or message.reasoning
        if thought and isinstance(thought, str):
            deltas.append(Reasoning(text=thought, index=index))
            self._thought += len(thought)
        if message.content and isinstance(message.content, str):
            deltas.append(Text(text=message.content, index=index, logprobs=_logprobs(logprobs)))
            self._characters += len(message.content)
        elif message.content:
            self._parts(message.content, index, deltas)
        if message.refusal:
            deltas.append(ModelRefusal(text=message.refusal, index=index))
            self._characters += len(message.refusal)
        for place, call in enumerate(message.tool_calls or ()):
            deltas.append(self._call(call, index, place))

    def _parts(self, parts: Any, index: int, deltas: list[Delta]) -> None:
        try:
            for part in msgspec.convert(parts, list[_Part]):
                if part.text:
                    deltas.append(Text(text=part.text, index=index))
                    self._characters += len(part.text)
                for thought in part.thinking or ():
                    deltas.append(Reasoning(text=thought.text or "", index=index))
                    self._thought += len(thought.text or "")
        except msgspec.ValidationError as error:
            raise self._unreadable() from error

    def _call(self, call: _Call, index: int, place: int) -> ToolCallPart:
        """Return one piece of a tool call. Where a server leaves `index` out, a new id is a new call."""
        last = self._calls.get(index, -1)
        number = call.index if call.index is not None else (last + 1 if call.id else max(last, place))
        fresh = number > last
        self._calls[index] = max(last, number)
        function = call.function or _Function()
        arguments = function.arguments
        if not isinstance(arguments, str):
            arguments = "" if arguments is None else msgspec.json.encode(arguments).decode()
        self._characters += len(arguments)
        return ToolCallPart(
            call=number,
            arguments=arguments,
            id=(call.id or f"call_{index}_{number}") if fresh else None,
            name=(function.name or "") if fresh else None,
            index=index,
        )

    def _reason(self, word: str) -> FinishReason:
        reason = _FINISH.get(word)
        if reason is None:
            raise TargetProtocolError(f"The target {self._target!r} broke off its answer.", code="incomplete_answer")
        return reason


def _logprobs(given: Any) -> tuple[TokenLogprob, ...]:
    """Return the log-probabilities of a chunk; unreadable ones count as none."""
    if not isinstance(given, dict):
        return ()
    try:
        if "content" in given:
            return tuple([_token(one) for one in given["content"] or ()])
        return _text_logprobs(given)
    except (TypeError, KeyError, ValueError, AttributeError, IndexError):
        return ()


def _token(one: dict[str, Any]) -> TokenLogprob:
    return TokenLogprob(
        token=one["token"],
        logprob=float(one["logprob"]),
        raw=_raw(one),
        top=tuple([(top["token"], float(top["logprob"]), _raw(top)) for top in one.get("top_logprobs") or ()]),
    )


def _raw(one: dict[str, Any]) -> bytes:
    raw = one.get("bytes")
    return bytes(raw) if isinstance(raw, list) else str(one["token"]).encode()


def _text_logprobs(given: dict[str, Any]) -> tuple[TokenLogprob, ...]:
    """Read the older form of log-probabilities, that of text completions: parallel arrays."""
    tops = given.get("top_logprobs") or []
    tokens: list[TokenLogprob] = []
    for place, (token, logprob) in enumerate(zip(given["tokens"], given["token_logprobs"], strict=False)):
        top = tops[place] if place < len(tops) else None
        tokens.append(
            TokenLogprob(
                token=token,
                logprob=nan if logprob is None else float(logprob),
                raw=token.encode(),
                top=tuple([(word, float(value), word.encode()) for word, value in (top or {}).items()]),
            )
        )
    return tuple(tokens)
