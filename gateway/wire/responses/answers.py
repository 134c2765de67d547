"""Encode deltas as answers of the Responses API: numbered events of a stream, or one `response`. Pure."""

from collections.abc import Mapping
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
from gateway.core.errors import AduanaError, TargetProtocolError
from gateway.core.provider_fields import RESPONSES, details_of
from gateway.core.usage import Usage
from gateway.wire.encoding import encode_json, incomplete
from gateway.wire.openai.answer_fields import DONE
from gateway.wire.responses.items import CallItem, Item, MessageItem, ReasoningItem
from gateway.wire.responses.sealed_thoughts import closed
from gateway.wire.responses.tools import Tool

_INCOMPLETE = {FinishReason.LENGTH: "max_output_tokens", FinishReason.CONTENT_FILTER: "content_filter"}
_FIXED: dict[str, Any] = {
    **dict.fromkeys(
        (
            "completed_at",
            "conversation",
            "error",
            "incomplete_details",
            "max_tool_calls",
            "previous_response_id",
            "prompt",
            "usage",
        )
    ),
    "background": False,
    "frequency_penalty": 0.0,
    "object": "response",
    "presence_penalty": 0.0,
    "service_tier": "default",
    "status": "in_progress",
    "store": False,
    "truncation": "disabled",
}


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Return the `usage` object of a response."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.input_cached, "cache_write_tokens": usage.input_written},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


class ResponsesStream:
    """Encoder of one streamed response. Items follow one another; each is done before the next begins."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002 - OpenAI's name
        created: int,
        model: str,
        shown: Mapping[str, Any],
        tools: Mapping[str, Tool],
    ) -> None:
        self._unique = id.removeprefix("resp_")
        self._tools = tools
        self._number = 0
        self._items: list[Item] = []
        self._open: Item | None = None
        self._reason: FinishReason | None = None
        self._complete = False
        self._response: dict[str, Any] = {
            **_FIXED,
            **shown,
            "id": id,
            "created_at": created,
            "model": model,
            "output": [],
        }

    def start(self) -> bytes:
        """Return `response.created` and `response.in_progress`."""
        return self._event("response.created", response=self._response) + self._event(
            "response.in_progress", response=self._response
        )

    def encode(self, delta: Delta) -> bytes:
        """Return the events for one delta; empty where it has none.

        Raises:
            TargetProtocolError: the answer can't be said in this API: mixed tool calls, or an end without a reason.
        """
        match delta:
            case Text() | ModelRefusal():
                kind = "refusal" if isinstance(delta, ModelRefusal) else "output_text"
                item, begun = self._item(MessageItem, kind)
                return begun + self._all(item.add(delta))
            case Reasoning():
                item, begun = self._item(ReasoningItem, "reasoning")
                return begun + self._all(item.add(delta))
            case ToolCallPart():
                return self._call(delta)
            case Extra():
                return self._annotations(delta) + self._sealed(delta)
            case Finish():
                self._reason = delta.reason
                return self._close("incomplete" if delta.reason in _INCOMPLETE else "completed")
            case UsageReport():
                self._finish(delta.usage)
                return b""
            case Picture() | Sound() | Transcript():
                return b""  # of no text
            case _:
                assert_never(delta)

    def end(self) -> bytes:
        """Return the last event, which has the whole response, and behind it the mark that Open Responses wants.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        whole = self.final()
        return self._event(f"response.{whole['status']}", response=whole) + DONE

    def error(self, error: AduanaError) -> bytes:
        """Return `response.failed`: the end of an answer that failed."""
        code = "rate_limit_exceeded" if error.status == 429 else "server_error"
        failed = {"status": "failed", "error": {"code": code, "message": error.message}}
        return self._event("response.failed", response=self._response | failed)

    def final(self) -> dict[str, Any]:
        """Return the whole response.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        if not self._complete:
            raise incomplete()
        return self._response

    def not_stored(self) -> None:
        """Say that the response could not be stored although it was to be."""
        self._response["store"] = False

    def _item(self, kind: type[MessageItem] | type[ReasoningItem], part: str) -> tuple[Item, bytes]:
        if isinstance(self._open, kind) and self._open.part == part:
            return self._open, b""
        return self._begin(kind(self._unique, len(self._items), part))

    def _annotations(self, extra: Extra) -> bytes:
        """Put what is said about a text to that text."""
        given = extra.fields.get("annotations")
        if not isinstance(self._open, MessageItem) or not isinstance(given, tuple):
            return b""
        found = [thaw(one) for one in given]
        return b"".join([self._all(self._open.annotate(one)) for one in found if isinstance(one, dict)])

    def _sealed(self, extra: Extra) -> bytes:
        """Put sealed thoughts into the item of the thoughts that are being told, or into one of their own."""
        events = b""
        for detail in details_of(extra.fields, RESPONSES):
            item, begun = self._item(ReasoningItem, "reasoning")
            assert isinstance(item, ReasoningItem)
            item.seal(closed(str(detail.get("data")), detail.get("id")))
            events += begun + self._close()
        return events

    def _begin(self, item: Item) -> tuple[Item, bytes]:
        closed = self._close()
        self._items.append(item)
        self._open = item
        return item, closed + self._all(item.begin())

    def _call(self, part: ToolCallPart) -> bytes:
        if part.id is None and not part.arguments:
            return b""  # only fields that this API does not have
        if isinstance(self._open, CallItem) and self._open.call == part.call:
            return self._all(self._open.add(part))
        if any(isinstance(item, CallItem) and item.call == part.call for item in self._items):
            raise TargetProtocolError("The target mixed its tool calls, which this API has no way to say.")
        tool = self._tools.get(part.name or "") or Tool(name=part.name or "")
        item, begun = self._begin(CallItem(self._unique, len(self._items), part, tool))
        return begun + self._all(item.add(part))

    def _close(self, status: str = "completed") -> bytes:
        item, self._open = self._open, None
        return self._all(item.done(status)) if item is not None else b""

    def _finish(self, usage: Usage) -> None:
        if self._reason is None:
            raise incomplete()
        why = _INCOMPLETE.get(self._reason)
        self._complete = True
        self._response |= {
            "output": [item.whole() for item in self._items],
            "status": "incomplete" if why else "completed",
            "incomplete_details": {"reason": why} if why else None,
            "usage": usage_fields(usage),
        }

    def _all(self, events: list[dict[str, Any]]) -> bytes:
        return b"".join([self._event(**event) for event in events])

    def _event(self, type: str, **fields: Any) -> bytes:  # noqa: A002 - OpenAI's name
        data = encode_json({"type": type, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: " + type.encode() + b"\ndata: " + data + b"\n\n"


class ResponsesAssembly:
    """Collector of one answer's deltas, which become a `response`."""

    def __init__(self, encoder: ResponsesStream) -> None:
        self._stream = encoder

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        self._stream.encode(delta)

    def body(self) -> bytes:
        """Return the whole response.

        Raises:
            TargetProtocolError: the answer did not come to its end.
        """
        return encode_json(self._stream.final())
