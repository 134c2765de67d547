"""Write-ahead memory of the answer to a sensitive request.

INVARIANT: a client gets no piece of the answer by which a passage is complete before that passage is remembered, so
nothing is forgotten that a client has: not where it goes away in the middle, and not where the process is killed.
Choices, calls and reasoning are texts of their own, however their pieces come.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from typing import TypeAlias

from gateway.core.delta import (
    Delta,
    Extra,
    Finish,
    ModelRefusal,
    Picture,
    Reasoning,
    Sound,
    Text,
    ToolCallPart,
    Transcript,
    UsageReport,
)
from gateway.core.document import strings
from gateway.privacy.taint.conversation import Turn, exchange, turn_digest
from gateway.privacy.taint.fingerprints import SURE, letters, passages, passages_of
from gateway.privacy.taint.readings import readings

_Said: TypeAlias = Text | Reasoning | ModelRefusal | ToolCallPart | Extra | Picture | Sound | Transcript
_INLINE = 16 * 1024  # characters
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")
_ANSWER = "text"

Keep = Callable[[Sequence[bytes], Sequence[bytes]], Awaitable[None]]


class _Part:
    """One text of an answer, as far as it has come."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._tail = ""  # letters and digits that new ones may make a passage with
        self._held = ""  # the beginning of an escape
        self._known: set[bytes] = set()

    def add(self, piece: str, key: bytes) -> tuple[bytes, ...]:
        """Take a piece, and return the passages that it completes."""
        self.pieces.append(piece)
        text = self._held + piece
        cut = _CUT_ESCAPE.search(text)
        self._held = cut[0] if cut else ""
        new = letters(text[: cut.start()] if cut else text)
        if not new:
            return ()
        run = self._tail + new
        self._tail = run[1 - SURE :]
        fresh = tuple(item for item in passages_of(run, key) if item not in self._known)
        self._known.update(fresh)
        return fresh


def _said(delta: _Said) -> Iterator[tuple[str, str]]:
    """Yield the texts of a delta, each with the name of the text that it goes on with."""
    match delta:
        case Text():
            yield _ANSWER, delta.text
        case Reasoning():
            yield "reasoning", delta.text
        case ModelRefusal():
            yield "refusal", delta.text
        case ToolCallPart():
            yield f"call {delta.call}", delta.arguments
            yield from strings(delta.extra, f"call {delta.call}")
        case Extra():
            yield from strings(delta.fields, "extra")
        case Picture():
            yield "revised prompt", delta.revised_prompt
        case Sound() | Transcript():
            pass  # no text, or none that did not come before


class AnswerMemory:
    """Memory of one running answer. Owned by the request's own task."""

    def __init__(self, key: bytes, turns: Sequence[tuple[int, Turn]], keep: Keep, *, streamed: bool = True) -> None:
        self._key = key
        self._streamed = streamed  # an answer in one piece is given when it is whole, so it is remembered at once
        self._waiting: list[bytes] = []
        self._turns = turns
        self._keep = keep  # passages and hashes of the conversation; durable when it returns
        self._parts: dict[tuple[int, str], _Part] = {}
        self._open: set[int] = set()  # choices that have begun and not ended

    async def ahead(self, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
        """Yield the same deltas, each behind the memory of what it completes.

        Raises:
            LedgerUnavailable: It can't be remembered; the rest of the answer is held back.
        """
        try:
            async for delta in deltas:
                match delta:
                    case Finish():
                        if self._streamed:
                            await self._end((delta.index,))
                    case UsageReport():
                        await self.end()
                    case _:
                        await self._grow(delta)
                yield delta
        finally:
            await deltas.aclose()

    async def end(self) -> None:
        """Remember choices that have not ended as far as they have come.

        Raises:
            LedgerUnavailable: It can't be written.
        """
        await self._end(tuple(self._open))

    async def _grow(self, delta: _Said) -> None:
        self._open.add(delta.index)
        fresh: list[bytes] = []
        for name, piece in _said(delta):
            fresh += self._parts.setdefault((delta.index, name), _Part()).add(piece, self._key)
        if not self._streamed:
            self._waiting += fresh
        elif fresh:
            await self._keep(fresh, ())

    async def _end(self, choices: Sequence[int]) -> None:
        found, self._waiting = self._waiting, []
        short: list[bytes] = []
        for (index, name), part in self._parts.items():
            if index not in choices or index not in self._open:
                continue
            text = "".join(part.pieces)
            found += self._decoded(text) if len(text) <= _INLINE else await asyncio.to_thread(self._decoded, text)
            if name == _ANSWER:
                short += exchange(self._turns, Turn(*turn_digest(text, self._key), False), self._key)
        self._open.difference_update(choices)
        if found or short:
            await self._keep(found, short)

    def _decoded(self, text: str) -> list[bytes]:
        """Return the passages of what the whole text says when encodings are taken off."""
        return [item for reading in list(readings(text))[1:] for item in passages(reading, self._key)]
