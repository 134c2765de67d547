"""Turns for templates that want one system message, and then user and assistant by turns."""

from typing import Any

import pytest

from gateway.local.embedded.text.alternation import alternating, shows_systems


def turn(role: str, content: str | None, **more: Any) -> dict[str, object]:
    return {"role": role, "content": content, **more}


CALL = turn("assistant", None, tool_calls=[{"id": "c"}])
CASES: dict[str, tuple[list[dict[str, object]], list[dict[str, object]]]] = {
    "in order": ([turn("system", "s"), turn("user", "a")], [turn("system", "s"), turn("user", "a")]),
    "several systems": (
        [turn("system", "s"), turn("system", "t"), turn("user", "a")],
        [turn("system", "s\n\nt"), turn("user", "a")],
    ),
    "a system in the middle": (
        [turn("user", "a"), turn("assistant", "b"), turn("system", "s"), turn("user", "c")],
        [turn("user", "a"), turn("assistant", "b"), turn("user", "s\n\nc")],
    ),
    "a system at the end": ([turn("user", "a"), turn("system", "s")], [turn("user", "a\n\ns")]),
    "users in a row": ([turn("user", "a"), turn("user", "b")], [turn("user", "a\n\nb")]),
    "answers in a row": (
        [turn("user", "a"), turn("assistant", "b"), turn("assistant", "c")],
        [turn("user", "a"), turn("assistant", "b\n\nc")],
    ),
    "a text, then a call": (
        [turn("user", "a"), turn("assistant", "b"), CALL, turn("tool", "r")],
        [turn("user", "a"), turn("assistant", "b", tool_calls=[{"id": "c"}]), turn("tool", "r")],
    ),
    "results in a row": (
        [turn("user", "a"), CALL, turn("tool", "r"), turn("tool", "q")],
        [turn("user", "a"), CALL, turn("tool", "r"), turn("tool", "q")],
    ),
    "an answer first": (
        [turn("assistant", "Welcome."), turn("user", "a")],
        [turn("user", ""), turn("assistant", "Welcome."), turn("user", "a")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_turns_alternate_and_nothing_is_lost(name: str) -> None:
    """Turns of one role are joined, and what a system says later is told in the user's turn at that place."""
    given, expected = CASES[name]
    assert alternating(given) == expected


@pytest.mark.parametrize(("prompt", "shown"), [("<s>Be brief.</s>", True), ("<s></s>", False)])
def test_a_system_that_a_template_passes_over_is_noticed(prompt: str, shown: bool) -> None:
    """A template that leaves a system's words out without an error is noticed."""
    assert shows_systems(prompt, [turn("user", "x"), turn("system", " Be brief.\n")]) is shown
