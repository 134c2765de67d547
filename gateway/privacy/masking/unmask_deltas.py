"""Restoring the deltas of an answer to a masked request, once, below all dialects. Pure.

Each choice's text, thinking and refusal, and each tool call's arguments, are streams of their own. Arguments are JSON,
and so is the text of an answer that was asked for as JSON: values are written there as JSON strings have them.

Log probabilities belong to tokens that the model drew. They stay with the text that went through as it came; those of a
delta that a pseudonym touches are left out, because no token of the model says what the client reads there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import assert_never

import msgspec

from gateway.core.delta import (
    Delta,
    Extra,
    Finish,
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
from gateway.core.document import Json
from gateway.core.provider_fields import DELTAS
from gateway.privacy.masking.unmask_text import Piece, PseudonymMapping, Restoring, as_json, as_text

Channel = tuple[str, int, int]  # kind, choice, number of the call


class _Waiting(msgspec.Struct):
    """Text delta of which `left` characters have not gone on yet."""

    left: int
    logprobs: tuple[TokenLogprob, ...]
    touched: bool = False


class Unmasking:
    """Restoring of one answer. `feed` gives what may go on; nothing is left behind after the usage report."""

    def __init__(self, mapping: PseudonymMapping, *, json_text: bool = False) -> None:
        self._mapping = mapping
        self._json_text = json_text
        self._streams: dict[Channel, Restoring] = {}
        self._waiting: dict[Channel, list[_Waiting]] = {}

    def feed(self, delta: Delta) -> Iterator[Delta]:
        """Take one delta, and yield those that may go on now."""
        match delta:
            case Text():
                yield from self._text(delta)
            case Reasoning():
                yield from self._said(("reasoning", delta.index, 0), delta.text)
            case ModelRefusal():
                yield from self._said(("refusal", delta.index, 0), delta.text)
            case ToolCallPart():
                yield from self._call(delta)
            case Extra():
                yield self._cited(delta)
            case Picture() | Sound() | Transcript():
                yield delta
            case Finish():
                yield from self._close(delta.index)
                yield delta
            case UsageReport():
                yield from self._close(None)
                yield delta
            case _:
                assert_never(delta)

    def _stream(self, channel: Channel) -> Restoring:
        stream = self._streams.get(channel)
        if stream is None:
            quoted = channel[0] == "call" or (channel[0] == "text" and self._json_text)
            stream = self._streams[channel] = Restoring(self._mapping, as_json if quoted else as_text)
        return stream

    def _text(self, delta: Text) -> Iterator[Delta]:
        channel = ("text", delta.index, 0)
        stream = self._stream(channel)
        fresh = not stream.holding
        pieces = stream.push(delta.text)
        if fresh and not stream.holding and not any(piece.restored for piece in pieces):
            yield delta
            return
        self._waiting.setdefault(channel, []).append(_Waiting(len(delta.text), delta.logprobs))
        yield from self._pieces(channel, pieces)

    def _said(self, channel: Channel, text: str) -> Iterator[Delta]:
        yield from self._pieces(channel, self._stream(channel).push(text))

    def _call(self, part: ToolCallPart) -> Iterator[Delta]:
        channel = ("custom" if part.custom else "call", part.index, part.call)
        arguments = "".join(piece.text for piece in self._stream(channel).push(part.arguments))
        name = None if part.name is None else self._mapping.whole(part.name)
        if arguments or part.id is not None or name is not None or part.extra:
            yield msgspec.structs.replace(part, arguments=arguments, name=name)

    def _cited(self, extra: Extra) -> Extra:
        """Restore what citations quote; what a provider signed or sealed stays as it came."""
        if DELTAS not in extra.fields:
            return extra
        fields = MappingProxyType({**extra.fields, DELTAS: self._whole(extra.fields[DELTAS])})
        return msgspec.structs.replace(extra, fields=fields)

    def _whole(self, value: Json) -> Json:
        match value:
            case str():
                return self._mapping.whole(value)
            case tuple():
                return tuple([self._whole(item) for item in value])
            case Mapping():
                return MappingProxyType({name: self._whole(item) for name, item in value.items()})
            case _:
                return value

    def _close(self, index: int | None) -> Iterator[Delta]:
        """Let what is held back go on: of one choice, or of all."""
        for channel in [known for known in self._streams if index is None or known[1] == index]:
            yield from self._pieces(channel, self._streams.pop(channel).end())

    def _pieces(self, channel: Channel, pieces: Iterable[Piece]) -> Iterator[Delta]:
        kind, index, call = channel
        found = list(pieces)
        text = "".join(piece.text for piece in found)
        if not text:
            return
        match kind:
            case "text":
                yield Text(text=text, index=index, logprobs=self._kept(channel, found))
            case "reasoning":
                yield Reasoning(text=text, index=index)
            case "refusal":
                yield ModelRefusal(text=text, index=index)
            case _:
                yield ToolCallPart(call=call, arguments=text, index=index, custom=kind == "custom")

    def _kept(self, channel: Channel, pieces: Sequence[Piece]) -> tuple[TokenLogprob, ...]:
        """Return the log probabilities of deltas that have gone on whole and as they came."""
        waiting = self._waiting.get(channel, [])
        kept: list[TokenLogprob] = []
        for piece in pieces:
            raw = piece.raw
            while waiting and raw:
                first = waiting[0]
                taken = min(raw, first.left)
                first.left -= taken
                first.touched = first.touched or piece.restored
                raw -= taken
                if not first.left:
                    kept += () if first.touched else first.logprobs
                    waiting.pop(0)
        return tuple(kept)
