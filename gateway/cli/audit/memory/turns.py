"""Short conversations: what keeps a later turn at home is that it goes on from a private one.

No line is longer than a sentence, and the model's answers are short, so that no long passage gives them away.
"""

from collections.abc import Callable, Iterator
from typing import Any

from gateway.cli.audit.cases import AuditCase, Numbers, remembered
from gateway.cli.audit.planted.dialects import TALKING
from gateway.cli.audit.planted.places import Body, Place
from gateway.cli.audit.planted.tags import PRIVATE, Headers
from gateway.cli.audit.recorder import SHORT, short_answer
from gateway.cli.audit.stories import line

_PATH = "/v1/chat/completions"
Turn = dict[str, Any]


class Conversation:
    """Conversation of nine turns whose first one was private. Told are the requests that come before the later ones."""

    def __init__(self, group: str, numbers: Numbers, *, system: str | None = None) -> None:
        self._group = group
        self._numbers = numbers
        self._system = system
        self._name = numbers.marker()
        self._asked = [numbers.marker() for _ in range(2)]

    def told(self) -> list[AuditCase]:
        """Return the first request, with its tag, and the second one, without: they come in this order."""
        first, second = self._asked
        return [
            self._case("the first turn", self.turns(1), first, headers=PRIVATE),
            self._case("the next turn", self.turns(2), second),
        ]

    def turns(self, count: int, *, first: int = 1) -> list[Turn]:
        """Return the client's turns `first` to `count` with the answers between them."""
        made: list[Turn] = []
        for number in range(first, count + 1):
            made.append({"role": "user", "content": line(f"{self._name}, turn {number}")})
            if number < count:
                made.append({"role": "assistant", "content": self._answer(number)})
        return made

    def _answer(self, number: int) -> str:
        """Return the answer to a turn: the model's, where it was asked; else one that the client made up."""
        return short_answer(self._asked[number - 1]) if number <= len(self._asked) else f"Sí, {number}."

    def _case(self, name: str, turns: list[Turn], marker: str = "", headers: Headers = ()) -> AuditCase:
        return self._through(name, _PATH, lambda given: self._chat(given, turns), marker, headers)

    def _chat(self, marker: str, turns: list[Turn]) -> Body:
        system = [{"role": "system", "content": self._system.format(marker)}] if self._system else []
        return {"model": "auto", "max_tokens": SHORT, "x_audit": marker, "messages": [*system, *turns]}

    def _through(
        self, name: str, path: str, make: Callable[[str], Body], marker: str = "", headers: Headers = ()
    ) -> AuditCase:
        place = Place(path=path, body=lambda given, _: make(given))
        return remembered(self._group, name, place, marker or self._numbers.marker(), "", headers=headers)

    def later(self) -> Iterator[AuditCase]:
        """Yield requests that go on from the private turn or hold it, in every form that clients give them."""
        yield self._case("the same again", self.turns(1))
        yield self._case("turn nine", self.turns(9))
        yield self._case("the first message trimmed", [*self.turns(3, first=2)])
        yield self._case("another first message", [{"role": "user", "content": "Go on."}, *self.turns(3, first=1)])
        yield self._case("without the answers", [turn for turn in self.turns(3) if turn["role"] == "user"])
        yield self._case("other answers", [_with_answer(turn, "Vale.") for turn in self.turns(3)])
        yield self._case("a title", [{"role": "user", "content": f"Write a title:\n{_transcript(self.turns(2))}"}])
        yield self._case("one line alone", self.turns(1)[:1])
        yield self._case("one line in a list", [{"role": "user", "content": f"- {self._line()}\n- And this?"}])
        yield self._case("one line in capitals", [{"role": "user", "content": self._line().upper()}])
        yield self._case("one line as a tool's result", _tool_result(self._line()))
        yield self._case("one line in a system message", [{"role": "system", "content": self._line()}, *_HELLO])
        yield self._through("Anthropic", "/v1/messages", lambda marker: self._anthropic(marker))
        yield self._through("Responses", "/v1/responses", lambda marker: self._responses(marker))
        yield self._through("Ollama", "/api/chat", lambda marker: self._ollama(marker))
        yield self._through("an earlier answer by its id", "/v1/responses", lambda marker: _by_id(marker))
        for name, place in TALKING.items():
            yield remembered(self._group, f"one line, {name}", place, self._numbers.marker(), f"\n{self._line()}")

    def _line(self) -> str:
        return str(self.turns(1)[0]["content"])

    def _anthropic(self, marker: str) -> Body:
        return {
            "model": "auto",
            "max_tokens": 60,
            "system": f"The time is {marker}.",
            "messages": self.turns(3),
        }

    def _responses(self, marker: str) -> Body:
        return {"model": "auto", "instructions": f"The time is {marker}.", "input": self.turns(3)}

    def _ollama(self, marker: str) -> Body:
        system = {"role": "system", "content": f"The time is {marker}."}
        return {"model": "auto", "stream": False, "messages": [system, *self.turns(3)]}


_HELLO = [{"role": "user", "content": "Hola"}]


def _with_answer(turn: Turn, text: str) -> Turn:
    return turn | {"content": text} if turn["role"] == "assistant" else turn


def _by_id(marker: str) -> Body:
    return {"model": "auto", "input": f"{marker} go on", "previous_response_id": "resp_1"}


def _transcript(turns: list[Turn]) -> str:
    return "\n".join(f"{turn['role'].capitalize()}: {turn['content']}" for turn in turns)


def _tool_result(text: str) -> list[Turn]:
    call = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    return [
        *_HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": text},
    ]


def conversations(group: str, numbers: Numbers) -> list[Conversation]:
    """Return a conversation without a system prompt, one with, and one whose system prompt holds a clock."""
    prompt = "You are a helpful assistant. Answer briefly."
    return [
        Conversation(f"{group}: plain", numbers),
        Conversation(f"{group}: with a system prompt", numbers, system=prompt),
        Conversation(
            f"{group}: the system prompt has a clock", numbers, system="You are a helpful assistant. Now: {}."
        ),
    ]
