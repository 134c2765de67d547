"""Read the answers of OpenAI-compatible servers: event payloads → deltas. Pure.

Holds the invariant of `core.delta`: an answer that does not come to its end is an error, and a finish reason is never
made up. What is only odd is survived: no text that arrived is lost, and what leaves has one form.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.core.delta import Delta, Extra, Finish, FinishReason, ModelRefusal, Reasoning, Text, UsageReport
from gateway.core.document import JsonObject, freeze_object
from gateway.core.errors import TargetProtocolError
from gateway.upstream.chunk import Choice, Chunk, Message, decode_chunk, plain_text, plain_texts
from gateway.upstream.errors import complaint, fault_in_stream, incomplete
from gateway.upstream.finish_reasons import finish_reason
from gateway.upstream.framing.sse import ServerSentEvent
from gateway.upstream.logprobs import read_logprobs
from gateway.upstream.tool_calls import ToolCalls, number_of
from gateway.upstream.usage import UsageReports, estimated_usage

_KEEP_ALIVE = frozenset({"ping", "keepalive", "keep-alive", "heartbeat"})
_MOST_MISSES = 8
_THOUGHTS = frozenset({"thinking", "reasoning", "reasoning_text", "summary_text"})


class _ChoiceState:
    """What one choice has said so far."""

    def __init__(self, index: int, document: JsonObject) -> None:
        self.index = index
        self.calls = ToolCalls(index, document)
        self.reason: FinishReason | None = None
        self.stop: str | None = None  # the stop text that ended it
        self.text = 0  # characters
        self.thought = 0
        self.said_more = False  # the last finish reason came together with text, or before some

    @property
    def said(self) -> int:
        """Characters of any kind."""
        return self.text + self.thought + self.calls.characters

    def final_reason(self, *, marked: bool) -> FinishReason | None:
        """Return why the choice ended; None: it did not. `marked`: the server said that the answer is over."""
        if self.reason is None:
            return FinishReason.TOOL_CALLS if marked and self.calls.whole() else None
        if self.calls and self.reason is FinishReason.STOP:
            return FinishReason.TOOL_CALLS
        return FinishReason.STOP if self.reason is FinishReason.TOOL_CALLS and not self.calls else self.reason


class AnswerReader:
    """Reader of one answer of `target`. `document` is what was sent.

    Finish reasons go out at the end, because some servers send one with every piece.
    """

    def __init__(self, target: str, document: JsonObject) -> None:
        self._target = target
        self._document = document
        self._states = [_ChoiceState(index, document) for index in range(choices_of(document))]
        self._only: int | None = None  # where one choice was asked for: the number that the server gave it
        self._usage = UsageReports()
        self._more: dict[str, Any] = {}  # what was said of the whole answer; the last word counts
        self._reasons = False  # whether any choice has ended
        self._plain = True  # as the last piece was: the next one is likely to be, too
        self._misses = 0  # times that it was not
        self.done = False

    @property
    def ended(self) -> bool:
        """Whether every choice has ended and nothing but its usage can follow, although the server did not say so."""
        if not self._reasons:  # asked at each piece
            return False
        return all(one.reason is not None and one.said and not one.said_more for one in self._states)

    def event(self, event: ServerSentEvent) -> Iterable[Delta]:
        """Return the deltas of one server-sent event.

        Raises:
            AduanaError: the event reports an error, can't be read, or ends the answer too early.
        """
        data = event.data
        if data.startswith(b"{") and not event.name and not self.done:
            return self.payload(data)
        data = data.strip()
        if self.done or not data or event.name.lower() in _KEEP_ALIVE:
            return ()
        if data.strip(b'"')[:6].upper() == b"[DONE]":
            return self.end(marked=True)
        return self.payload(data, is_error=event.name == "error")

    def texts(self, payloads: Sequence[bytes]) -> deque[Delta] | None:
        """Return what payloads of nothing but text say; None: they are others, and nothing of them was read."""
        if not self._plain or self._only or self.done or len(self._states) > 1:
            return None
        texts = plain_texts(payloads)
        if texts is None:
            return None
        self._said_plainly(sum(map(len, texts)))
        return deque([Text(text=text) for text in texts])

    def _said_plainly(self, characters: int) -> None:
        state = self._states[0]
        state.text += characters
        state.said_more = True
        self._only = 0

    def payload(self, data: bytes, *, is_error: bool = False) -> Iterable[Delta]:
        """Return the deltas of one JSON payload: a chunk, or a whole answer. A fault comes behind the text beside it.

        Raises:
            AduanaError: the payload reports an error or can't be read.
        """
        if self._plain and b'"delta"' in data and not (is_error or self._only or len(self._states) > 1):
            text = plain_text(data)
            if text is not None:
                self._said_plainly(len(text))
                return (Text(text=text),)
            self._misses += 1
        self._plain = False
        try:
            chunk = decode_chunk(data)
        except ValueError as error:
            raise TargetProtocolError(f"The target {self._target!r} sent an event that can't be read.") from error
        return self._deltas(chunk, is_error)

    def _deltas(self, chunk: Chunk, is_error: bool) -> Iterator[Delta]:
        self._usage.whole(chunk.usage)
        self._more |= chunk.more()
        broken_off = False
        for place, choice in enumerate(chunk.choices or ()):
            state = self._state(choice.index, place)
            if state is None:
                continue  # a choice that nobody asked for
            said = state.said
            yield from self._said(state, choice)
            self._usage.choice(state.index, choice.usage)
            try:
                reason = finish_reason(choice.finish_reason)
            except ValueError:
                broken_off = True
                continue
            if reason is not None:
                state.reason = reason
                self._reasons = True
                state.stop = next(
                    (one for one in (choice.stop_reason, choice.matched_stop) if isinstance(one, str)), None
                )
            if reason is not None or state.said > said:
                state.said_more = state.said > said
        if is_error or _is_fault(chunk.error):
            raise fault_in_stream(self._target, complaint(chunk.error))
        if broken_off:
            raise TargetProtocolError(f"The target {self._target!r} broke off its answer.", code="incomplete_answer")

    def end(self, *, marked: bool = False) -> Iterator[Delta]:
        """End the answer: yield what still waits, a finish for each choice, and the usage report, the last delta.

        Args:
            marked: Whether the server said that the answer is over (`[DONE]`). A choice of whole tool calls needs no
                finish reason then.

        Raises:
            TargetProtocolError: a choice did not finish.
        """
        if self.done:
            return
        for state in self._states:
            yield from state.calls.end()
        finishes: list[Delta] = []
        for state in self._states:
            reason = state.final_reason(marked=marked)
            if reason is None:
                raise incomplete(self._target)
            finishes.append(Finish(reason=reason, index=state.index, stop=state.stop))
        self.done = True
        if self._more:
            yield Extra(fields=freeze_object(self._more), whole=True)
        yield from finishes
        answer = sum(state.text + state.calls.characters for state in self._states)
        reasoning = sum(state.thought for state in self._states)
        usage = self._usage.usage(answered=bool(answer or reasoning))
        yield UsageReport(
            usage=usage or estimated_usage(self._document, answer=answer, reasoning=reasoning), told=self._usage.told()
        )

    def _state(self, given: object, place: int) -> _ChoiceState | None:
        """Return the choice that a number means; None: it was not asked for."""
        number = number_of(given)
        if number is None:
            number = place
        if len(self._states) == 1:
            if self._only is None:
                self._only = number
            return self._states[0] if number == self._only else None
        return self._states[number] if number < len(self._states) else None

    def _said(self, state: _ChoiceState, choice: Choice) -> Iterator[Delta]:
        before = state.said
        if choice.delta is not None:
            yield from self._message(state, choice.delta, choice.logprobs)
        if choice.message is not None and not state.said:  # else it repeats at the end what was streamed
            yield from self._message(state, choice.message, choice.logprobs)
        if isinstance(choice.text, str) and choice.text and state.said == before:
            yield self._text(state, choice.text, choice.logprobs)

    def _message(self, state: _ChoiceState, message: Message, logprobs: Any) -> Iterator[Delta]:
        if thoughts := message.reasoning_content or message.reasoning:
            for thought in _texts(thoughts):
                yield self._thought(state, thought)
        if isinstance(message.content, str):
            if message.content:
                yield self._text(state, message.content, logprobs)
        elif message.content:
            yield from self._parts(state, message.content)
        if isinstance(message.refusal, str) and message.refusal:
            state.text += len(message.refusal)
            yield ModelRefusal(text=message.refusal, index=state.index)
        if extra := message.extra():
            yield Extra(fields=freeze_object(extra), index=state.index)
        if message.tool_calls:
            yield from state.calls.take(message.tool_calls)
        elif message.function_call:
            yield from state.calls.take([{"function": message.function_call}])

    def _parts(self, state: _ChoiceState, parts: object) -> Iterator[Delta]:
        """Yield the texts of content that comes in parts; parts of other kinds have none."""
        for part in parts if isinstance(parts, list) else [parts]:
            thought = isinstance(part, Mapping) and (part.get("type") in _THOUGHTS or part.get("thinking"))
            for text in _texts(part):
                yield self._thought(state, text) if thought else self._text(state, text, None)

    def _text(self, state: _ChoiceState, text: str, logprobs: object) -> Text:
        state.text += len(text)
        self._plain = logprobs is None and self._misses < _MOST_MISSES
        return Text(text=text, index=state.index, logprobs=read_logprobs(logprobs))

    def _thought(self, state: _ChoiceState, text: str) -> Reasoning:
        state.thought += len(text)
        return Reasoning(text=text, index=state.index)


def choices_of(document: JsonObject) -> int:
    """Count the choices that a chat or completion document asks for."""
    n = document.get("n")
    prompts = document.get("prompt")
    count = n if type(n) is int else 1
    if isinstance(prompts, tuple) and prompts and type(prompts[0]) is not int:
        return count * len(prompts)
    return count


def _texts(given: object) -> Iterator[str]:
    """Yield the texts in a value that is a text, an object with one, or a list of these."""
    match given:
        case str() if given:
            yield given
        case list():
            for one in given:
                yield from _texts(one)
        case Mapping():
            for name in ("text", "thinking", "content", "value", "refusal", "summary"):
                if given.get(name):
                    yield from _texts(given[name])
                    return


def _is_fault(error: object) -> bool:
    """Say whether an `error` field tells of an error: some servers send one with nothing in it beside each text."""
    if error is None:
        return False
    return any(error.values()) if isinstance(error, Mapping) else bool(error)
