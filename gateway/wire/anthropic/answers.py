"""Encode deltas as Anthropic messages: named events of a stream, or one `message`. Pure."""

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
    ToolCallPart,
    Transcript,
    UsageReport,
)
from gateway.core.document import thaw
from gateway.core.errors import AduanaError, BudgetSpent, ContextLengthExceeded, TargetProtocolError
from gateway.core.target import Api
from gateway.core.usage import Usage
from gateway.wire.anthropic.own_pieces import OwnBlock, OwnDelta, OwnPiece, Signature, own_pieces
from gateway.wire.decided import decision_fields
from gateway.wire.encoding import encode_json, incomplete, tool_input

_STOP = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_START = "content_block_start"
_THINKING = {"type": "thinking", "thinking": "", "signature": ""}
_TEXT_HEAD = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":'


def _event(name: str, **fields: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + encode_json({"type": name, **fields}) + b"\n\n"


PING = _event("ping")


def error_fields(error: AduanaError, request_id: str) -> dict[str, Any]:
    """Return the error object."""
    message = error.message
    if isinstance(error, ContextLengthExceeded):
        message = f"prompt is too long: {message}"  # the words by which Claude Code knows that it must compact
    kind = _ERROR_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
    if isinstance(error, BudgetSpent):
        kind = "billing_error"
    own = {"type": kind, "message": message} | decision_fields(error)
    return {"type": "error", "error": own, "request_id": request_id}


def error_body(error: AduanaError, request_id: str) -> bytes:
    """Encode the body of an error answer."""
    return encode_json(error_fields(error, request_id))


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Return the `usage` object of a message."""
    return {
        "input_tokens": usage.input - usage.input_written,
        "cache_creation_input_tokens": usage.input_written,
        "cache_read_input_tokens": usage.input_cached,
        "output_tokens": usage.completion_tokens,
    }


def told_usage(report: UsageReport) -> dict[str, Any]:
    """Return the `usage` object of a message, with what a server of this API told beside the counts."""
    told = report.told if report.api is Api.MESSAGES else {}
    return {name: thaw(value) for name, value in told.items()} | usage_fields(report.usage)


def stop_fields(finish: Finish, stops: tuple[str, ...]) -> dict[str, Any]:
    """Return why an answer ended; a stop text is told only where it is one of the client's own (`stops`)."""
    if finish.reason is FinishReason.STOP and finish.stop in stops:
        return {"stop_reason": "stop_sequence", "stop_sequence": finish.stop}
    return {"stop_reason": _STOP[finish.reason], "stop_sequence": None}


class MessageStream:
    """Encoder of one streamed message. Blocks follow one another; each is closed before the next begins."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - Anthropic's name
        model: str,
        request_id: str,
        stops: tuple[str, ...] = (),
        input_tokens: int = 0,
    ) -> None:
        self._message: dict[str, Any] = {
            "id": id,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_fields(Usage(input=input_tokens)),
        }
        self._request_id = request_id
        self._stops = stops
        self._block = -1
        self._open: str | int | None = None  # "text", "thinking", or the number of the open tool call
        self._last_call = -1
        self._finish: Finish | None = None
        self._complete = False

    def start(self) -> bytes:
        """Return `message_start`, and a ping as Anthropic sends it."""
        return _event("message_start", message=self._message) + PING

    def encode(self, delta: Delta) -> bytes:
        """Return the events for one delta; empty where it has none.

        Raises:
            TargetProtocolError: the answer can't be said in this API: mixed tool calls, or an end without a reason.
        """
        match delta:
            case Text() | ModelRefusal():
                begun = self._begin("text", {"type": "text", "text": ""})
                # Nearly all events are these: put together from prepared bytes.
                text = b',"delta":{"type":"text_delta","text":' + encode_json(delta.text) + b"}}\n\n"
                return begun + _TEXT_HEAD + str(self._block).encode() + text
            case Reasoning():
                begun = self._begin("thinking", dict(_THINKING))
                return begun + self._delta({"type": "thinking_delta", "thinking": delta.text})
            case ToolCallPart():
                return self._call(delta)
            case Extra():
                return b"".join([self._own(piece) for piece in own_pieces(delta)])
            case Finish():
                self._finish = delta
                return b""
            case UsageReport():
                return self._ended(delta)
            case Picture() | Sound() | Transcript():
                return b""  # of no text
            case _:
                assert_never(delta)

    def end(self) -> bytes:
        """Return `message_stop`.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        if not self._complete:
            raise incomplete()
        return _event("message_stop")

    def error(self, error: AduanaError) -> bytes:
        """Return the end of an answer that failed."""
        return b"event: error\ndata: " + error_body(error, self._request_id) + b"\n\n"

    def _own(self, piece: OwnPiece) -> bytes:
        """Return the events of what Anthropic's API alone has: each in the place where that API has it."""
        match piece:
            case Signature():
                begun = b"" if self._open == "thinking" else self._begin("thinking", dict(_THINKING))
                return begun + self._delta({"type": "signature_delta", "signature": piece.signature}) + self._close()
            case OwnBlock():
                closed = self._close()
                self._block += 1
                self._open = "own"
                return closed + _event(_START, index=self._block, content_block=piece.fields) + self._close()
            case OwnDelta():
                begun = self._begin("text", {"type": "text", "text": ""})
                return begun + self._delta(piece.fields)

    def _begin(self, what: str | int, block: dict[str, Any]) -> bytes:
        if self._open == what:
            return b""
        closed = self._close()
        self._block += 1
        self._open = what
        return closed + _event(_START, index=self._block, content_block=block)

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", index=self._block)

    def _delta(self, fields: dict[str, Any]) -> bytes:
        return _event("content_block_delta", index=self._block, delta=fields)

    def _call(self, part: ToolCallPart) -> bytes:
        if part.id is None and not part.arguments:
            return b""  # only fields that this API does not have
        if part.call <= self._last_call and self._open != part.call:
            raise TargetProtocolError("The target mixed its tool calls, which this API has no way to say.")
        self._last_call = max(self._last_call, part.call)
        block = {"type": "tool_use", "id": part.id or "", "name": part.name or "", "input": {}}
        begun = self._begin(part.call, block)
        if not part.arguments:
            return begun
        return begun + self._delta({"type": "input_json_delta", "partial_json": part.arguments})

    def _ended(self, report: UsageReport) -> bytes:
        if self._finish is None:
            raise incomplete()
        self._complete = True
        delta = stop_fields(self._finish, self._stops)
        return self._close() + _event("message_delta", delta=delta, usage=told_usage(report))


class MessageAssembly:
    """Collector of one answer's deltas, which become a `message`."""

    def __init__(self, *, id: str, model: str, stops: tuple[str, ...] = ()) -> None:  # noqa: A002 - Anthropic's name
        self._head = {"id": id, "type": "message", "role": "assistant", "model": model}
        self._blocks: list[tuple[str | int, dict[str, Any], list[str]]] = []
        self._stops = stops
        self._finish: Finish | None = None
        self._usage: UsageReport | None = None

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        match delta:
            case Text() | ModelRefusal():
                self._pieces("text", {"type": "text"}).append(delta.text)
            case Reasoning():
                self._pieces("thinking", {"type": "thinking", "signature": ""}).append(delta.text)
            case ToolCallPart():
                block = {"type": "tool_use", "id": delta.id or "", "name": delta.name or ""}
                self._pieces(delta.call, block).append(delta.arguments)
            case Extra():
                for piece in own_pieces(delta):
                    self._own(piece)
            case Finish():
                self._finish = delta
            case UsageReport():
                self._usage = delta
            case Picture() | Sound() | Transcript():
                pass  # of no text
            case _:
                assert_never(delta)

    def body(self) -> bytes:
        """Return the whole message.

        Raises:
            TargetProtocolError: the answer did not come to its end, or has a tool call that is not valid JSON.
        """
        if self._usage is None or self._finish is None:
            raise incomplete()
        content = [_whole(block, "".join(pieces)) for _, block, pieces in self._blocks]
        fields = {"content": content, **stop_fields(self._finish, self._stops)}
        return encode_json({**self._head, **fields, "usage": told_usage(self._usage)})

    def _own(self, piece: OwnPiece) -> None:
        match piece:
            case Signature():
                self._pieces("thinking", dict(_THINKING))
                self._blocks[-1][1]["signature"] = piece.signature
                self._blocks[-1] = ("signed", *self._blocks[-1][1:])
            case OwnBlock():
                self._blocks.append(("own", piece.fields, []))
            case OwnDelta() if "citation" in piece.fields:
                self._pieces("text", {"type": "text"})
                self._blocks[-1][1].setdefault("citations", []).append(piece.fields["citation"])
            case OwnDelta():
                pass

    def _pieces(self, what: str | int, block: dict[str, Any]) -> list[str]:
        """Return the pieces of the block that goes on: the last one, or an earlier tool call; else of a new block."""
        if self._blocks and self._blocks[-1][0] == what:
            return self._blocks[-1][2]
        earlier = [pieces for known, _, pieces in self._blocks if known == what and isinstance(what, int)]
        if earlier:
            return earlier[0]
        self._blocks.append((what, block, []))
        return self._blocks[-1][2]


def _whole(block: dict[str, Any], text: str) -> dict[str, Any]:
    match block["type"]:
        case "tool_use":
            return {**block, "input": tool_input(text)}
        case "text" | "thinking" as kind:
            return {**block, kind: text}
        case _:
            return block
