"""Output of the worker: tokens of one choice become deltas, with thinking, tool calls and log-probabilities. Pure."""

import math
import secrets
from collections.abc import Callable, Sequence

from gateway.core.delta import Delta, Finish, FinishReason, Reasoning, Text, TokenLogprob, ToolCallPart
from gateway.core.usage import Usage
from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.messages import TokenLog
from gateway.local.embedded.text.detokenizer import Detokenizer, StopStrings, overlap
from gateway.local.embedded.text.tool_parser import Call, ToolCallReader

_THINK, _END_THINK = "<think>", "</think>"
_LONGEST_START = 32  # characters in which an answer that begins with a thought must show it
_MOST_BLANKS = 4  # of them before its first letter
# Control tokens that mean something to the readers of an answer; all others are no text.
_MARKERS = frozenset((b"<think>", b"</think>", b"<tool_call>", b"</tool_call>", b"<|python_tag|>"))


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
        tools: tuple[str, ...] = (),
        thinking: bool = False,
        may_think: bool = False,
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
            tools: names that the answer may call.
            thinking: the prompt ends inside a `<think>` block.
            may_think: the answer may begin with one.
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
        self._markers = bool(tools) or thinking or may_think
        self._characters = Detokenizer()
        self._stops = StopStrings(stops)
        self._tools = ToolCallReader(tools) if tools else None
        self._thinking = thinking
        self._undecided = may_think and not thinking  # the answer may begin with <think>
        self._after_thought = False  # blank lines between thought and answer belong to neither
        self._held = ""
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
        if self._thinking:
            self.reasoning_tokens += 1
        piece = self._vocabulary.piece(token)
        if not piece and self._markers:
            special = self._vocabulary.piece(token, special=True)
            piece = special if special in _MARKERS else piece
        if log is not None:
            self._logprobs.append(_logprob(self._vocabulary, token, piece, log))
        return echoed + self._emit(self._stops.feed(self._characters.feed(piece)))

    def finish(self, reason: FinishReason) -> list[Delta]:
        """Return the rest, and the `Finish`."""
        echoed = self._echoed() if self._scored else []
        rest = "" if self._stops.stopped else self._stops.feed(self._characters.flush()) + self._stops.flush()
        deltas = echoed + (self._emit(rest) if rest else [])
        if self._held:
            deltas += self._reasoned(self._held) if self._thinking else self._answer(self._held)
            self._held = ""
        if self._tools is not None:
            deltas += self._called(self._tools.flush())
        if self._calls and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALLS
        return [*deltas, Finish(reason=reason, index=self.index)]

    def _emit(self, text: str) -> list[Delta]:
        self.stopped = self._stops.stopped
        if not text:
            return []
        if self._undecided:
            text, self._held = self._held + text, ""
            start = text.lstrip()
            longest = _LONGEST_START if start else _MOST_BLANKS
            if len(start) < len(_THINK) and _THINK.startswith(start) and len(text) < longest:
                self._held = text
                return []
            self._undecided = False
            self._thinking = start.startswith(_THINK)
            if self._thinking:
                text = start.removeprefix(_THINK)
        if not self._thinking:
            return self._answer(text)
        text, self._held = self._held + text, ""
        place = text.find(_END_THINK)
        if place < 0:
            keep = overlap(text, _END_THINK)
            self._held = text[len(text) - keep :]
            return self._reasoned(text[: len(text) - keep])
        self._thinking, self._after_thought = False, True
        return self._reasoned(text[:place]) + self._answer(text[place + len(_END_THINK) :])

    def _reasoned(self, text: str) -> list[Delta]:
        return [Reasoning(text=text, index=self.index)] if text else []

    def _answer(self, text: str) -> list[Delta]:
        if self._after_thought:
            text = text.lstrip("\n")
            self._after_thought = not text
        if not text:
            return []
        if self._tools is not None:
            return self._called(self._tools.feed(text))
        logprobs, self._logprobs = tuple(self._logprobs), []
        return [Text(text=text, index=self.index, logprobs=logprobs)]

    def _called(self, items: list[str | Call]) -> list[Delta]:
        deltas: list[Delta] = []
        for item in items:
            if isinstance(item, str):
                logprobs, self._logprobs = tuple(self._logprobs), []
                deltas.append(Text(text=item, index=self.index, logprobs=logprobs))
                continue
            deltas.append(
                ToolCallPart(
                    call=self._calls, id=self._call_id(), name=item.name, arguments=item.arguments, index=self.index
                )
            )
            self._calls += 1
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
