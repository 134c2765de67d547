"""Questions to a person at a terminal, and the same questions answered by their defaults where nobody is asked."""

from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from gateway.core.errors import AduanaError
from gateway.core.translation import Translator

_YES = frozenset({"y", "yes", "s", "si", "sí"})
_NO = frozenset({"n", "no"})


class Answers(Protocol):
    """Whoever answers: a person, or the defaults."""

    def one(self, question: str, options: Sequence[tuple[str, str]], default: int) -> int:
        """Return the place of the chosen option. An option is a name and what it means."""

    def some(self, question: str, options: Sequence[tuple[str, str]], default: int) -> list[int]:
        """Return the places of one or several chosen options, in the person's order."""

    def whether(self, question: str, *, default: bool) -> bool:
        """Return yes or no."""

    def text(self, question: str, default: str) -> str:
        """Return a line of text."""


class Defaults:
    """Nobody is asked: every answer is the default."""

    def one(self, question: str, options: Sequence[tuple[str, str]], default: int) -> int:
        """Return the default."""
        return default

    def some(self, question: str, options: Sequence[tuple[str, str]], default: int) -> list[int]:
        """Return the default alone."""
        return [default]

    def whether(self, question: str, *, default: bool) -> bool:
        """Return the default."""
        return default

    def text(self, question: str, default: str) -> str:
        """Return the default."""
        return default


class Person:
    """A person at the terminal. Enter takes the default; what can't be understood is asked again."""

    def __init__(self, console: Console, tell: Translator) -> None:
        self._console = console
        self._tell = tell

    def one(self, question: str, options: Sequence[tuple[str, str]], default: int) -> int:
        """Show the options with numbers, and ask for one number or name."""
        return self._chosen(question, options, default, several=False)[0]

    def some(self, question: str, options: Sequence[tuple[str, str]], default: int) -> list[int]:
        """Show the options with numbers, and ask for numbers or names."""
        return self._chosen(question, options, default, several=True)

    def whether(self, question: str, *, default: bool) -> bool:
        """Ask until the answer is a yes or a no, in either language."""
        keys = self._tell("Y/n") if default else self._tell("y/N")
        while True:
            answer = self._ask(f"{question} [{keys}]").lower()
            if not answer or answer in _YES or answer in _NO:
                return default if not answer else answer in _YES
            self._console.print(self._tell("Please answer yes or no."))

    def text(self, question: str, default: str) -> str:
        """Ask for a line."""
        self._console.print()
        return self._ask(f"{question} [{default}]") or default

    def _chosen(self, question: str, options: Sequence[tuple[str, str]], default: int, *, several: bool) -> list[int]:
        self._console.print(f"\n[bold]{escape(question)}[/]")
        width = max(len(name) for name, _ in options)
        for number, (name, about) in enumerate(options, 1):
            self._show(f"{number:>3}  {name:{width}}", about)
        prompt = self._tell("Number, or several of them") if several else self._tell("Number")
        while True:
            words = self._ask(f"{prompt} [{default + 1}]").replace(",", " ").split() or [str(default + 1)]
            places = [_place(word, options) for word in words]
            known = [place for place in places if place is not None]
            if len(known) == len(places) and (several or len(known) == 1):
                return list(dict.fromkeys(known))
            self._console.print(self._tell("Please type a number from 1 to {count}.", count=len(options)))

    def _show(self, head: str, about: str) -> None:
        """Print one option; what does not fit beside its name goes on below it, where it began."""
        column = len(head) + 2
        if column + 20 > self._console.width:
            self._console.print(escape(head))
            column = 5
        else:
            self._console.print(escape(head + "  "), end="")
        first, *rest = _wrapped(about, self._console.width - column) or [""]
        self._console.print(escape(first if column > 5 or not about else " " * 5 + first))
        for line in rest:
            self._console.print(escape(" " * column + line))

    def _ask(self, prompt: str) -> str:
        """Return what a person typed. A prompt that is too long for the terminal has its default on a line of its own.

        Raises:
            AduanaError: They closed the terminal's input.
        """
        question, _, default = prompt.rpartition(" [")
        if len(prompt) + 10 > self._console.width:
            self._console.print(escape(question))
            prompt = f"[{default}"
        self._console.print(escape(f"{prompt}: "), end="", soft_wrap=True)
        try:
            return input().strip()
        except EOFError:
            self._console.print()
            raise AduanaError(self._tell("Stopped. Nothing was written.")) from None


def _place(word: str, options: Sequence[tuple[str, str]]) -> int | None:
    if word.isdecimal() and 1 <= int(word) <= len(options):
        return int(word) - 1
    return next((place for place, (name, _) in enumerate(options) if name.lower() == word.lower()), None)


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
