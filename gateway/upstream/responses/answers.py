"""Read the answers of OpenAI's Responses API: events of a stream, or one response → deltas. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from gateway.core.delta import (
    Delta,
    Extra,
    Finish,
    FinishReason,
    ModelRefusal,
    Reasoning,
    Text,
    ToolCallPart,
    UsageReport,
)
from gateway.core.document import JsonObject, freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.core.provider_fields import FIELD, RESPONSES, sealed
from gateway.upstream.errors import complaint, fault_in_stream, incomplete
from gateway.upstream.finish_reasons import finish_reason
from gateway.upstream.framing.sse import ServerSentEvent
from gateway.upstream.logprobs import read_logprobs
from gateway.upstream.usage import estimated_usage, reported_usage

_DECODER = msgspec.json.Decoder(dict[str, Any])
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}


class _Call:
    """One call while it is read."""

    def __init__(self, number: int, *, custom: bool) -> None:
        self.number = number
        self.custom = custom
        self.pieces = 0


class ResponsesReader:
    """Reader of one answer of `target` to `document`, which is the chat document."""

    def __init__(self, target: str, document: JsonObject) -> None:
        self._target = target
        self._document = document
        self._calls: dict[int, _Call] = {}  # by the item's place in the output
        self._thoughts = 0  # sealed ones
        self._texts: set[int] = set()  # places of messages that have come in pieces
        self._reason: FinishReason | None = None
        self._usage: object = None
        self._said = 0  # characters
        self._thought = 0
        self.done = False

    @property
    def ended(self) -> bool:
        """Whether the answer said why it ended, so that nothing can follow."""
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
        return self._read(given)

    def end(self) -> Iterator[Delta]:
        """Yield the finish and the usage report, the last delta.

        Raises:
            TargetProtocolError: the answer did not say why it ended.
        """
        if self.done:
            return
        if self._reason is None:
            raise incomplete(self._target)
        self.done = True
        yield Finish(reason=self._reason)
        usage = reported_usage(self._usage, answered=bool(self._said or self._thought))
        yield UsageReport(usage=usage or estimated_usage(self._document, answer=self._said, reasoning=self._thought))

    def _read(self, given: dict[str, Any]) -> Iterator[Delta]:
        kind, place = given.get("type"), _place(given.get("output_index"))
        match kind:
            case "error":
                inner = given.get("error")
                raise fault_in_stream(self._target, complaint(inner if inner is not None else given))
            case "response.output_text.delta":
                self._texts.add(place)
                yield from self._text(given.get("delta"), given.get("logprobs"))
            case "response.refusal.delta":
                self._texts.add(place)
                yield from self._refusal(given.get("delta"))
            case "response.reasoning_summary_part.added" if given.get("summary_index"):
                yield from self._thinking("\n\n")
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield from self._thinking(given.get("delta"))
            case "response.output_item.added":
                yield from self._begun(place, _object(given.get("item")))
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                yield from self._piece(place, given.get("delta"))
            case "response.output_item.done":
                yield from self._whole_item(place, _object(given.get("item")))
            case str() if kind in _ENDS:
                self._ends(_object(given.get("response")))
                yield from self.end()
            case _ if given.get("object") == "response":
                yield from self._whole(given)
            case _:
                pass  # what only announces, and events that may come one day

    def _whole(self, response: dict[str, Any]) -> Iterator[Delta]:
        """Yield the deltas of an answer that came in one piece although a stream was asked for."""
        output = response.get("output")
        for place, item in enumerate(output if isinstance(output, list) else ()):
            found = _object(item)
            for part in (*_objects(found.get("summary")), *_objects(found.get("content"))):
                if found.get("type") == "reasoning":
                    yield from self._thinking(part.get("text"))
            yield from self._begun(place, found)
            yield from self._whole_item(place, found)
        self._ends(response)
        yield from self.end()

    def _ends(self, response: dict[str, Any]) -> None:
        self._usage = response.get("usage")
        match response.get("status"):
            case "completed":
                self._reason = FinishReason.TOOL_CALLS if self._calls else FinishReason.STOP
            case "incomplete":
                try:
                    self._reason = finish_reason(_object(response.get("incomplete_details")).get("reason"))
                except ValueError as error:
                    raise incomplete(self._target) from error
                self._reason = self._reason or FinishReason.LENGTH
            case _:
                raise fault_in_stream(self._target, complaint(response.get("error")))

    def _begun(self, place: int, item: dict[str, Any]) -> Iterator[Delta]:
        kind = str(item.get("type"))
        if kind not in _CALLS or place in self._calls:
            return
        call = self._calls[place] = _Call(len(self._calls), custom=kind == "custom_tool_call")
        call_id, name = str(item.get("call_id") or f"call_{call.number}"), str(item.get("name") or "")
        yield ToolCallPart(call=call.number, id=call_id, name=name, custom=call.custom)

    def _piece(self, place: int, piece: object) -> Iterator[Delta]:
        call = self._calls.get(place)
        if call is None:
            raise TargetProtocolError(f"The target {self._target!r} went on with a call that it had not begun.")
        if isinstance(piece, str) and piece:
            call.pieces += 1
            self._said += len(piece)
            yield ToolCallPart(call=call.number, arguments=piece, custom=call.custom)

    def _whole_item(self, place: int, item: dict[str, Any]) -> Iterator[Delta]:
        """Yield what of a finished item has not come in pieces."""
        kind = str(item.get("type"))
        if kind in _CALLS:
            yield from self._begun(place, item)
            if not self._calls[place].pieces:
                yield from self._piece(place, item.get(_CALLS[kind]) or ("{}" if kind == "function_call" else ""))
        elif kind == "reasoning":
            data, item_id = item.get("encrypted_content"), item.get("id")
            if isinstance(data, str) and data:
                named = {"id": item_id} if isinstance(item_id, str) else {}
                detail = sealed(data, RESPONSES, self._thoughts, **named)
                self._thoughts += 1
                yield Extra(fields=freeze_object({FIELD: [detail]}))
        elif kind == "message":
            for part in _objects(item.get("content")):
                if place not in self._texts:
                    yield from self._text(part.get("text"), part.get("logprobs"))
                    yield from self._refusal(part.get("refusal"))
                if found := [_annotation(one) for one in _objects(part.get("annotations"))]:
                    yield Extra(fields=freeze_object({"annotations": found}))

    def _text(self, text: object, logprobs: object) -> Iterator[Delta]:
        if isinstance(text, str) and text:
            self._said += len(text)
            yield Text(text=text, logprobs=read_logprobs({"content": logprobs}) if logprobs else ())

    def _refusal(self, text: object) -> Iterator[Delta]:
        if isinstance(text, str) and text:
            self._said += len(text)
            yield ModelRefusal(text=text)

    def _thinking(self, text: object) -> Iterator[Delta]:
        if isinstance(text, str) and text:
            self._thought += len(text)
            yield Reasoning(text=text)


def _annotation(given: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation in the form of chat completions, where its fields stand under its kind."""
    kind = str(given.get("type"))
    return {"type": kind, kind: {name: value for name, value in given.items() if name != "type"}}


def _place(given: object) -> int:
    """Return the place of an item in the output; one that names none is taken for the first."""
    return given if isinstance(given, int) else 0


def _object(given: object) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _objects(given: object) -> list[dict[str, Any]]:
    return [item for item in (given if isinstance(given, list) else ()) if isinstance(item, dict)]
