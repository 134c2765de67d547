"""Conversations made of unmistakable words, rendered by a template to see what it writes around them."""

import json
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from gateway.local.embedded.text.formats.segments import shared_start

USER, CONTENT, THOUGHT, SYSTEM, RESULT = "userneedle", "contentneedle", "thoughtneedle", "systemneedle", "resultneedle"
NAMES = ("fnalpha", "fnbeta")
TEXT_KEY, NUMBER_KEY = "argalpha", "argbeta"
TEXT, NUMBER = "valalpha", 4815
IDS = ("idalpha01", "idalpha02")


class Render(Protocol):
    """Function that renders a conversation by a template.

    Raises:
        TemplateError: as `error` says, for whatever goes wrong.
    """

    def __call__(
        self,
        turns: Sequence[Mapping[str, object]],
        tools: Sequence[object] = (),
        *,
        generate: bool,
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """Render turns; `generate`: up to where the next answer begins."""
        ...


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a template wants its messages."""

    text_arguments: bool = False  # the arguments of calls as JSON text, not as objects
    null_content: bool = False  # the text of an answer of calls alone as none, not as an empty one
    shows_calls: bool = True
    shows_several: bool = True  # calls of one answer
    shows_results: bool = True
    shows_system: bool = True
    shows_tools: bool = True
    call_id: str = "call{number:05d}"  # nine letters and digits, as Mistral's templates want them


class Probe:
    """One template, rendered as often as it takes to know it."""

    def __init__(self, render: Render, fault: type[Exception]) -> None:
        self._render = render
        self._fault = fault
        self._variables: Mapping[str, object] = {}
        self.text_arguments = False
        self.null_content = False
        self.call_id = ""

    def rendered(self, turns: Sequence[Mapping[str, object]], *, tools: bool = True, generate: bool = False) -> str:
        """Render turns; an empty text where the template can't."""
        try:
            return self._render(list(turns), TOOLS if tools else (), generate=generate, variables=self._variables)
        except self._fault:
            return ""

    def answer(self, **turn: object) -> str:
        """Return what the template writes of an answer; empty: it can't."""
        said = {"role": "assistant", "content": "", **turn}
        if self.null_content and "tool_calls" in turn and not said["content"]:
            said["content"] = None
        return self._behind_question(self.rendered([_user(), said]))

    def prompt_end(self) -> str:
        """Return what the template writes where an answer is to begin."""
        return self._behind_question(self.rendered([_user()], generate=True))

    def _behind_question(self, whole: str) -> str:
        asked = self.rendered([_user()])
        if asked == self.rendered([_user()], generate=True):  # it always begins an answer
            return whole.rpartition(USER)[2]
        return whole[len(shared_start(whole, asked)) :]

    def calls(self, count: int) -> list[dict[str, object]]:
        """Return so many calls of the tools, as the template wants them."""
        arguments: dict[str, object] = {TEXT_KEY: TEXT, NUMBER_KEY: NUMBER}
        given: object = json.dumps(arguments) if self.text_arguments else arguments
        made: list[dict[str, object]] = []
        for place in range(count):
            number = self.call_id.format(name=NAMES[place], number=place) or IDS[place]
            function = {"name": NAMES[place], "arguments": given}
            made.append({"id": number, "type": "function", "function": function})
        return made

    def thought_fields(self) -> dict[str, object]:
        """Return an answer's thought, under each name that templates know it by."""
        return dict.fromkeys(("reasoning_content", "reasoning", "thinking", "thought"), THOUGHT)

    def shape(self, source: str) -> Shape:
        """Find out how the template wants its messages."""
        if "<|tool_call_argument_begin|>" in source:  # Kimi's ids say which function was called
            self.call_id = "functions.{name}:{number}"
        self.text_arguments = not self._reads_objects()
        if NAMES[0] not in self.answer(tool_calls=self.calls(1)):
            self.null_content = True
            self.text_arguments = not self._reads_objects()
            self.null_content = NAMES[0] in self.answer(tool_calls=self.calls(1))
        call = self.calls(1)
        result = {"role": "tool", "content": RESULT, "name": NAMES[0], "tool_call_id": IDS[0]}
        asked: list[Mapping[str, object]] = [_user(), {"role": "assistant", "content": "", "tool_calls": call}]
        return Shape(
            **({"call_id": self.call_id} if self.call_id else {}),
            text_arguments=self.text_arguments,
            null_content=self.null_content,
            shows_calls=NAMES[0] in self.answer(tool_calls=call),
            shows_several=NAMES[1] in self.answer(tool_calls=self.calls(2)),
            shows_results=RESULT in self.rendered([*asked, result], generate=True),
            shows_system=any(
                SYSTEM in self.rendered([{"role": "system", "content": SYSTEM}, _user()], tools=tools, generate=True)
                for tools in (False, True)
            ),
            shows_tools="toolneedle" in self.rendered([_user()], generate=True),
        )

    def _reads_objects(self) -> bool:
        """Say whether arguments that are objects come out as JSON, or at least without an error."""
        answer = self.answer(tool_calls=self.calls(1))
        if TEXT_KEY in answer and f"'{TEXT_KEY}'" not in answer:
            return True
        self.text_arguments = True
        as_text = self.answer(tool_calls=self.calls(1))
        self.text_arguments = False
        return TEXT_KEY not in as_text or (TEXT_KEY in answer and f'"{TEXT_KEY}"' not in as_text)


def _user() -> dict[str, object]:
    return {"role": "user", "content": USER}


TOOLS: tuple[object, ...] = tuple(
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "toolneedle",
            "parameters": {
                "type": "object",
                "properties": {
                    TEXT_KEY: {"type": "string", "description": "a"},
                    NUMBER_KEY: {"type": "integer", "description": "b"},
                },
                "required": [TEXT_KEY],
            },
        },
    }
    for name in NAMES
)
