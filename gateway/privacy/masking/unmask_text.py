"""Restoring one stream of text: pseudonyms become what they stand for. Pure; knows no deltas.

Only a true prefix of a known pseudonym at the end of what came is held back, until the next text says whether it goes
on. A pseudonym counts as a whole word: `Persona-K471` is another name, made up by the model, and is left alone. A model
that writes a pseudonym in capitals or in small letters gets the value in that case. Any hyphen, dash or space is as
good as another, and a noun may be translated or in the plural: `Persona K47`, `Person–K47`, `Personas-K47`.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.privacy.masking.pseudonyms import SPOKEN, PseudonymEntry, code_of, is_noun_start, plainly
from gateway.privacy.patterns import late

Escape = Callable[[str], str]
_LONGEST_NOUN = 24  # characters of a noun with its code
_ESCAPES = late(r"\\+(?:[bfnrt]|u([0-9a-fA-F]{4}))")  # of JSON, and of JSON inside its strings
_LONGEST_ESCAPE = 6  # characters, behind the last of its backslashes


def as_text(value: str) -> str:
    """Return the value as it is."""
    return value


def as_json(value: str) -> str:
    """Return the value as it stands inside a JSON string."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


class Piece(msgspec.Struct, frozen=True):
    """Text that may go on. `raw` is the number of characters that came for it; `restored`: it was a pseudonym."""

    text: str
    raw: int
    restored: bool


class PseudonymMapping:
    """Pseudonyms of a conversation, ready for restoring. Immutable; shared by all streams of an answer."""

    def __init__(self, entries: Sequence[PseudonymEntry]) -> None:
        self._exact = {plainly(entry.pseudonym): entry.original for entry in entries}
        self._folded = {plainly(entry.pseudonym.lower()): entry.original for entry in reversed(entries)}
        self._codes = {
            code: entry.original for entry in reversed(entries) if (code := code_of(entry.pseudonym)) is not None
        }
        self._code_starts = frozenset(f"{code}s"[:end] for code in self._codes for end in range(len(code) + 2))
        others = sorted((name for name in self._folded if code_of(name) is None), key=len, reverse=True)
        spoken = (SPOKEN.pattern,) if self._codes else ()
        self.pattern = re.compile("|".join((*map(_whole_word, others), *spoken)) or r"(?!)")
        self._prefixes = frozenset(name[:end] for name in others for end in range(1, len(name) + 1))
        self._longest = max(map(len, (*others, *(("x" * _LONGEST_NOUN,) if self._codes else ()))), default=0)

    def original(self, found: str) -> str | None:
        """Return what a pseudonym stands for, in the case in which it was written; None: the model made it up."""
        exact = self._exact.get(found)
        if exact is not None:
            return exact
        value = self._folded.get(found.lower()) or self._coded(found)
        if value is None:
            return None
        return value.upper() if found.isupper() else value.lower() if found.islower() else value

    def _coded(self, found: str) -> str | None:
        code = code_of(found)
        if code is None:
            return None
        return self._codes.get(code) or self._codes.get(code.removesuffix("s"))

    def open_end(self, text: str, before: str) -> int:
        """Return how many characters at the end of `text` may begin a pseudonym; `before` stands before `text`."""
        for length in range(min(self._longest, len(text)), 0, -1):
            start = len(text) - length
            end = text[start:].lower()
            if end in self._prefixes or self._begins(end):
                previous = text[start - 1] if start else before
                if not _joined(previous, text[start]):
                    return length
        return 0

    def _begins(self, end: str) -> bool:
        """Tell whether a text in small letters is the beginning of a known code behind a noun, in any spelling."""
        noun, hyphen, code = end.partition("-")
        return bool(self._codes) and is_noun_start(noun) and (not hyphen or code in self._code_starts)

    def whole(self, text: str, escape: Escape = as_text) -> str:
        """Return a whole text, restored."""
        stream = Restoring(self, escape)
        return "".join(piece.text for piece in (*stream.push(text), *stream.end()))


class Restoring:
    """Restoring of one stream: the text of one choice, its thinking, or the arguments of one call."""

    def __init__(self, mapping: PseudonymMapping, escape: Escape = as_text) -> None:
        self._mapping = mapping
        self._escape = escape
        self._held = ""
        self._before = ""  # what came before what is held, as far as an escape may reach

    @property
    def holding(self) -> bool:
        """Tell whether something is held back."""
        return bool(self._held)

    def push(self, text: str) -> Iterable[Piece]:
        """Take the next text, and return what may go on now."""
        return self._out(self._held + text, final=False)

    def end(self) -> Iterable[Piece]:
        """Return what was held back: nothing follows."""
        return self._out(self._held, final=True)

    def _out(self, whole: str, *, final: bool) -> list[Piece]:
        plain = _without_escapes(plainly(self._before + whole))
        offset = len(self._before)

        def closed(start: int) -> int:
            """Return the place in `whole`, `start` or later, from which the rest may still become a pseudonym."""
            before, rest = plain[: offset + start][-1:], plain[offset + start :]
            return len(whole) if final else len(whole) - self._mapping.open_end(rest, before)

        until = closed(0)
        pieces: list[Piece] = []
        done = 0
        for match in self._mapping.pattern.finditer(plain, offset):
            start, end = match.start() - offset, match.end() - offset
            if start >= until:
                break
            if end > until:  # it ends inside what looked like a beginning (Persona-K47@… and k47@…): only the rest may
                until = closed(end)
            value = self._mapping.original(match[0])
            if value is None:
                continue
            if start > done:
                pieces.append(Piece(whole[done:start], start - done, False))
            pieces.append(Piece(self._escape(value), end - start, True))
            done = end
        if until > done:
            pieces.append(Piece(whole[done:until], until - done, False))
        self._held = whole[until:]
        self._before = (self._before + whole[:until])[-_LONGEST_ESCAPE:]
        return pieces


def _without_escapes(text: str) -> str:
    r"""Return a text of equal length without JSON's escapes: the `n` of `\nPersona-K47` is no letter of that word."""
    return _ESCAPES.sub(_blank, text) if "\\" in text else text


def _blank(escape: re.Match[str]) -> str:
    letter = escape[1] is not None and _in_word(chr(int(escape[1], 16)))
    return ("x" if letter else "\n") * len(escape[0])


def _whole_word(pseudonym: str) -> str:
    """Return a pattern for a pseudonym as a whole word.

    Small and capital letters of ASCII count alike; what stands beside it may be of any alphabet.
    """
    before = r"(?<!\w)" if _in_word(pseudonym[0]) else ""
    return rf"{before}(?ai:{re.escape(pseudonym)})(?!\w)"


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _joined(before: str, first: str) -> bool:
    return _in_word(before) and _in_word(first)
