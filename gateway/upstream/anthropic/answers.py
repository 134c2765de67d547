"""Read the answers of Anthropic's Messages API: events of a stream, or one message → deltas. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from gateway.core.delta import Delta, Extra, Finish, FinishReason, Reasoning, Text, ToolCallPart, UsageReport
from gateway.core.document import JsonObject, encode, freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.core.provider_fields import ANTHROPIC, BLOCKS, DELTAS, FIELD, sealed, signed
from gateway.core.target import Api
from gateway.core.usage import Usage
from gateway.upstream.errors import complaint, fault_in_stream, incomplete
from gateway.upstream.finish_reasons import finish_reason
from gateway.upstream.framing.sse import ServerSentEvent
from gateway.upstream.usage import estimated_usage, token_count

_SAID = frozenset({"input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"})
_DECODER = msgspec.json.Decoder(dict[str, Any])


class _Block:
    """One block of the answer while it is read."""

    def __init__(self, fields: dict[str, Any], place: int) -> None:
        self.fields = fields
        self.place = place  # among all blocks
        self.kind = str(fields.get("type"))
        self.call = -1
        self.pieces: list[str] = []
        self.signature = str(fields.get("signature") or "")


class MessagesReader:
    """Reader of one answer of `target` to `document`, which is the chat document."""

    def __init__(self, target: str, document: JsonObject) -> None:
        self._target = target
        self._document = document
        self._blocks: dict[int, _Block] = {}
        self._begun = 0  # blocks
        self._calls = 0
        self._reason: FinishReason | None = None
        self._stop: str | None = None
        self._usage: dict[str, Any] = {}
        self._said = 0  # characters
        self._thought = 0
        self.done = False

    @property
    def ended(self) -> bool:
        """Whether the answer said why it ended, so that nothing but its last event can follow."""
        return self._reason is not None

    def event(self, event: ServerSentEvent) -> Iterable[Delta]:
        """Return the deltas of one event.

        Raises:
            AduanaError: the event reports an error or can't be read.
        """
        data = event.data.strip()
        if self.done or not data or data == b"[DONE]":
            return ()
        try:
            given = _DECODER.decode(data)
        except (ValueError, RecursionError) as error:
            raise TargetProtocolError(f"The target {self._target!r} sent an event that can't be read.") from error
        if given.get("type") == "error" or event.name == "error":
            raise fault_in_stream(self._target, complaint(given.get("error")))
        return self._read(given)

    def end(self) -> Iterator[Delta]:
        """Yield the finish and the usage report, the last delta.

        Raises:
            TargetProtocolError: the answer did not say why it ended.
        """
        if self.done:
            return
        for index in list(self._blocks):
            yield from self._closed(index)
        if self._reason is None:
            raise incomplete(self._target)
        self.done = True
        yield Finish(reason=self._reason, stop=self._stop)
        usage = usage_of(self._usage, answered=bool(self._said or self._thought))
        yield UsageReport(
            usage=usage or estimated_usage(self._document, answer=self._said, reasoning=self._thought),
            told=freeze_object({name: value for name, value in self._usage.items() if name not in _SAID}),
            api=Api.MESSAGES,
        )

    def _read(self, given: dict[str, Any]) -> Iterator[Delta]:
        match given.get("type"):
            case "message_start":
                message = _object(given.get("message"))
                self._usage |= _object(message.get("usage"))
            case "content_block_start":
                yield from self._opened(given.get("index"), _object(given.get("content_block")))
            case "content_block_delta":
                yield from self._piece(given.get("index"), _object(given.get("delta")))
            case "content_block_stop":
                yield from self._closed(given.get("index"))
            case "message_delta":
                self._usage |= {name: count for name, count in _object(given.get("usage")).items() if count is not None}
                self._ends(_object(given.get("delta")))
            case "message_stop":
                yield from self.end()
            case "message":
                yield from self._whole(given)
            case _:
                pass  # pings, and events that may come one day

    def _whole(self, message: dict[str, Any]) -> Iterator[Delta]:
        """Yield the deltas of an answer that came in one piece although a stream was asked for."""
        content = message.get("content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            yield from self._opened(index, _object(block))
            yield from self._closed(index)
        self._usage |= _object(message.get("usage"))
        self._ends(message)
        yield from self.end()

    def _ends(self, given: dict[str, Any]) -> None:
        try:
            reason = finish_reason(given.get("stop_reason"))
        except ValueError as error:
            raise incomplete(self._target) from error
        if reason is not None:
            self._reason = reason
            stop = given.get("stop_sequence")
            self._stop = stop if isinstance(stop, str) else None

    def _opened(self, index: object, fields: dict[str, Any]) -> Iterator[Delta]:
        if not isinstance(index, int) or index in self._blocks:
            raise TargetProtocolError(f"The target {self._target!r} mixed the parts of its answer.")
        block = self._blocks[index] = _Block(fields, self._begun)
        self._begun += 1
        match block.kind:
            case "text":
                yield from self._text(fields.get("text"))
                citations = fields.get("citations")
                for citation in citations if isinstance(citations, list) else ():
                    yield _extra(DELTAS, {"type": "citations_delta", "citation": citation})
            case "thinking":
                yield from self._thinking(block, fields.get("thinking"))
            case "redacted_thinking":
                yield _extra(FIELD, sealed(str(fields.get("data") or ""), ANTHROPIC, block.place))
            case "tool_use":
                block.call = self._calls
                self._calls += 1
                name, call_id = str(fields.get("name") or ""), str(fields.get("id") or f"call_{block.call}")
                yield ToolCallPart(call=block.call, id=call_id, name=name)
            case _:
                pass  # told when it is whole

    def _piece(self, index: object, delta: dict[str, Any]) -> Iterator[Delta]:
        block = self._blocks.get(index) if isinstance(index, int) else None
        if block is None:
            raise TargetProtocolError(f"The target {self._target!r} went on with a part that it had not begun.")
        match delta.get("type"):
            case "text_delta":
                yield from self._text(delta.get("text"))
            case "thinking_delta":
                yield from self._thinking(block, delta.get("thinking"))
            case "signature_delta":
                block.signature += str(delta.get("signature") or "")
            case "input_json_delta":
                piece = delta.get("partial_json")
                if isinstance(piece, str) and piece:
                    block.pieces.append(piece)
                    self._said += len(piece)
                    if block.call >= 0:
                        yield ToolCallPart(call=block.call, arguments=piece)
            case _ if block.kind == "text":
                yield _extra(DELTAS, delta)
            case _:
                pass

    def _closed(self, index: object) -> Iterator[Delta]:
        block = self._blocks.pop(index, None) if isinstance(index, int) else None
        if block is None:
            return
        match block.kind:
            case "thinking" if block.signature:
                yield _extra(FIELD, signed("".join(block.pieces), block.signature, block.place))
            case "text" | "thinking" | "redacted_thinking":
                pass
            case "tool_use" if not block.pieces:
                arguments = encode(freeze_object(_object(block.fields.get("input")))).decode()
                self._said += len(arguments)
                yield ToolCallPart(call=block.call, arguments=arguments)
            case "tool_use":
                pass
            case _:
                yield _extra(BLOCKS, block.fields | _input(block))

    def _text(self, text: object) -> Iterator[Delta]:
        if isinstance(text, str) and text:
            self._said += len(text)
            yield Text(text=text)

    def _thinking(self, block: _Block, text: object) -> Iterator[Delta]:
        if isinstance(text, str) and text:
            block.pieces.append(text)
            self._thought += len(text)
            yield Reasoning(text=text)


def usage_of(given: Mapping[str, Any], *, answered: bool) -> Usage | None:
    """Return what Anthropic's `usage` says; None where it can't be true. `answered`: the answer had text.

    Prompt tokens that are read from a cache, written to one, and neither are counted apart from each other.
    """
    fresh, output = token_count(given.get("input_tokens")), token_count(given.get("output_tokens"))
    if fresh is None or output is None or (answered and output == 0):
        return None
    written = token_count(given.get("cache_creation_input_tokens")) or 0
    long = min(written, token_count(_object(given.get("cache_creation")).get("ephemeral_1h_input_tokens")) or 0)
    thought = min(output, token_count(_object(given.get("output_tokens_details")).get("thinking_tokens")) or 0)
    return Usage(
        input=fresh + written,
        input_cached=token_count(given.get("cache_read_input_tokens")) or 0,
        input_written=written,
        input_written_long=long,
        output=output - thought,
        reasoning=thought,
    )


class _Count(msgspec.Struct):
    input_tokens: Any = None
    error: Any = None


def read_count(target: str, body: bytes) -> int:
    """Return the number of tokens that an answer of `count_tokens` tells.

    Raises:
        AduanaError: The answer reports an error, or can't be read.
    """
    try:
        answer = msgspec.json.decode(body, type=_Count)
    except (ValueError, RecursionError) as error:
        raise TargetProtocolError(f"The target {target!r} sent a count that can't be read.") from error
    if answer.error:
        raise fault_in_stream(target, complaint(answer.error))
    count = token_count(answer.input_tokens)
    if count is None:
        raise TargetProtocolError(f"The target {target!r} sent a count that can't be true.")
    return count


def _extra(name: str, item: dict[str, Any]) -> Extra:
    return Extra(fields=freeze_object({name: [item]}))


def _input(block: _Block) -> dict[str, Any]:
    """Return the input of a call that the provider ran itself, which came in pieces."""
    if not block.pieces:
        return {}
    try:
        return {"input": msgspec.json.decode("".join(block.pieces))}
    except (ValueError, RecursionError):
        return {}


def _object(given: object) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
