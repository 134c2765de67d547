"""Output of the worker: tokens of one choice become deltas, with thinking, tool calls and log-probabilities. Pure."""

import math
import secrets
from collections.abc import Callable, Sequence

import msgspec

from gateway.core.delta import Delta, Finish, FinishReason, Reasoning, Text, TokenLogprob, ToolCallPart
from gateway.core.usage import Usage
from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.messages import TokenLog
from gateway.local.embedded.text.detokenizer import Detokenizer, StopStrings
from gateway.local.embedded.text.formats.answer_format import AnswerFormat, Tool, is_marker
from gateway.local.embedded.text.formats.reader import AnswerReader, CallArguments, CallBegun, Event, Said, Thought


def _call_id() -> str:
    return "call_" + secrets.token_hex(12)


class Choice:
    """Reader of one choice of an answer, from its first token to its `Finish`."""

    def __init__(
        self,
        index: int,
        vocabulary: Vocabulary,
        *,
        stops: tuple[str, ...] = (),
        form: AnswerFormat | None = None,
        tools: tuple[Tool, ...] = (),
        thinking: bool = False,
        scored: Sequence[int] = (),
        echo: str = "",
        silent: bool = False,
        call_id: Callable[[], str] = _call_id,
    ) -> None:
        """Begin before the first token.

        Args:
            index: number of the choice in the answer.
            vocabulary: of the model.
            stops: strings that end the answer.
            form: how the model marks thoughts and calls; None: all of it is text.
            tools: what the answer may call.
            thinking: the prompt ends inside a thought.
            scored: tokens of the prompt, if its log-probabilities come.
            echo: text of the prompt, in the same case.
            silent: only the prompt is wanted.
            call_id: makes the id of a tool call.
        """
        self.index = index
        self.tokens = 0
        self._scored, self._echo = scored, echo
        self._prompt_logs: list[TokenLog] = []
        self._silent = silent
        self.reasoning_tokens = 0
        self.stopped = False  # a stop string was found: no more tokens are wanted
        self._vocabulary = vocabulary
        self._form = form
        self._characters = Detokenizer()
        self._stops = StopStrings(stops)
        self._reader = AnswerReader(form, tools, thinking=thinking) if form is not None else None
        self._calls = 0
        self._call_id = call_id
        self._logprobs: list[TokenLogprob] = []

    def prompt(self, logs: Sequence[TokenLog]) -> list[Delta]:
        """Take log-probabilities of the prompt's tokens, from its second token on.

        Returns the text of the prompt once they are complete.
        """
        self._prompt_logs += logs
        return self._echoed() if len(self._prompt_logs) == len(self._scored) - 1 else []

    def _echoed(self) -> list[Delta]:
        if not self._scored:
            return []
        logs = [TokenLog(logprob=math.nan), *self._prompt_logs]
        logprobs = [
            _logprob(self._vocabulary, token, self._vocabulary.piece(token, special=True), log)
            for token, log in zip(self._scored, logs, strict=True)
        ]
        self._scored = ()
        return [Text(text=self._echo, index=self.index, logprobs=tuple(logprobs))]

    def token(self, token: int, log: TokenLog | None) -> list[Delta]:
        """Return the deltas that a token completes."""
        echoed = self._echoed() if self._scored else []  # a prompt of one token
        if self._silent:
            return echoed
        self.tokens += 1
        if self._reader is not None and self._reader.thinking:
            self.reasoning_tokens += 1
        piece = self._vocabulary.piece(token)
        if not piece and self._form is not None:  # a control token, which may mean something to the reader
            special = self._vocabulary.piece(token, special=True)
            piece = special if is_marker(self._form, special.decode("utf-8", "replace")) else piece
        if log is not None:
            self._logprobs.append(_logprob(self._vocabulary, token, piece, log))
        return echoed + self._emit(self._stops.feed(self._characters.feed(piece)))

    def finish(self, reason: FinishReason) -> list[Delta]:
        """Return the rest, and the `Finish`."""
        echoed = self._echoed() if self._scored else []
        rest = "" if self._stops.stopped else self._stops.flush()
        deltas = echoed + (self._emit(rest) if rest else [])
        if self._reader is not None:
            deltas += self._deltas(self._reader.flush(complete=reason is FinishReason.STOP))
        if self._calls and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALLS
        stop = self._stops.found if reason is FinishReason.STOP else None
        return [*deltas, Finish(reason=reason, index=self.index, stop=stop)]

    @property
    def unreadable(self) -> int:
        """How many tool calls could not be read, so that they are text."""
        return self._reader.unreadable if self._reader is not None else 0

    def _emit(self, text: str) -> list[Delta]:
        self.stopped = self._stops.stopped
        if not text:
            return []
        return self._deltas(self._reader.feed(text) if self._reader is not None else [Said(text)])

    def _deltas(self, events: list[Event]) -> list[Delta]:
        deltas: list[Delta] = []
        for event in events:
            match event:
                case Said():
                    logprobs, self._logprobs = tuple(self._logprobs), []
                    deltas.append(Text(text=event.text, index=self.index, logprobs=logprobs))
                case Thought():
                    deltas.append(Reasoning(text=event.text, index=self.index))
                case CallBegun():
                    number, self._calls = self._calls, self._calls + 1
                    deltas.append(ToolCallPart(call=number, id=self._call_id(), name=event.name, index=self.index))
                case CallArguments():
                    last = deltas[-1] if deltas else None
                    if isinstance(last, ToolCallPart):
                        deltas[-1] = msgspec.structs.replace(last, arguments=last.arguments + event.text)
                    else:
                        deltas.append(ToolCallPart(call=self._calls - 1, arguments=event.text, index=self.index))
        return deltas


def _logprob(vocabulary: Vocabulary, token: int, piece: bytes, log: TokenLog) -> TokenLogprob:
    top = tuple(
        ((raw := vocabulary.piece(other, special=True)).decode("utf-8", "replace"), value, raw)
        for other, value in log.top
    )
    return TokenLogprob(token=piece.decode("utf-8", "replace"), logprob=log.logprob, raw=piece, top=top)


class Count:
    """Counter of the usage of one request. A prompt counts once, however many choices continue it."""

    def __init__(self, prompts: Sequence[int], choices_each: int) -> None:
        self._prompts = prompts
        self._each = choices_each
        self.cached: dict[int, int] = {}  # choice → prompt tokens from the cache

    def usage(self, choices: Sequence[Choice]) -> Usage:
        """Return the usage so far."""
        cached = sum(self.cached.get(prompt * self._each, 0) for prompt in range(len(self._prompts)))
        reasoning = sum(choice.reasoning_tokens for choice in choices)
        return Usage(
            input=sum(self._prompts) - cached,
            input_cached=cached,
            output=sum(choice.tokens for choice in choices) - reasoning,
            reasoning=reasoning,
        )


def joined_texts(deltas: list[Delta]) -> list[Delta]:
    """Join neighbouring texts of one choice: a reader that is behind gets fewer, longer deltas."""
    result: list[Delta] = []
    for delta in deltas:
        last = result[-1] if result else None
        if isinstance(delta, Text) and isinstance(last, Text) and last.index == delta.index:
            result[-1] = Text(text=last.text + delta.text, index=delta.index, logprobs=last.logprobs + delta.logprobs)
        else:
            result.append(delta)
    return result
