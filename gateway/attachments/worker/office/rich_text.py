"""Rich Text Format: its text, also what it hides. Never whole: pictures and objects stand in it as digits.

Specification: Rich Text Format 1.9.1, Microsoft.
"""

import re
from collections.abc import Iterator

from gateway.attachments.worker.parts import Budget, Parts, Reason, Unread
from gateway.core.attachment import Piece

_TOKEN = re.compile(
    rb"\\(?:'([0-9a-fA-F]{2})|([a-zA-Z]{1,32})(-?\d{1,10})? ?|([^a-zA-Z]))|([{}])|([^\\{}\r\n]+)|[\r\n]+"
)
_BREAKS = {b"par": "\n", b"line": "\n", b"row": "\n", b"page": "\n", b"sect": "\n", b"tab": "\t", b"cell": "\t"}
_SIGNS = {
    b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“",
    b"rdblquote": "”",
}  # fmt: skip
_CODE_PAGE = re.compile(rb"\\ansicpg(\d{3,5})")
_TABLES = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"pict", b"objdata", b"themedata", b"colorschememapping",
                     b"datastore", b"latentstyles", b"listtable", b"rsidtbl"})  # fmt: skip


def read(data: bytes, budget: Budget) -> Parts:
    """Yield the text of the body, of margins, notes and properties."""
    text = "".join(_texts(data, budget))
    if text.strip():
        yield Piece(place="", text=text)
    yield Unread(reason=Reason.UNREADABLE)


def _texts(data: bytes, budget: Budget) -> Iterator[str]:
    page = _CODE_PAGE.search(data[:1024])
    encoding = f"cp{page.group(1).decode()}" if page else "cp1252"
    left_out = 0  # depth of groups within a table of the program's own
    skipped = 0  # characters that stand in for the last one in Unicode
    for number, found in enumerate(_TOKEN.finditer(data)):
        if number % 4096 == 0:
            budget.time()
        code, word, value, sign, bracket, plain = found.groups()
        if bracket is not None:
            left_out = max(0, left_out + (1 if bracket == b"{" else -1)) if left_out else 0
        elif left_out:
            continue
        elif word in _TABLES:
            left_out = 1
        elif word == b"u" and value is not None:
            yield chr(int(value) % 65_536)
            skipped = 1
        elif word is not None:
            yield _BREAKS.get(word, _SIGNS.get(word, ""))
        elif skipped and (code or plain):
            skipped = 0
            yield _in(encoding, plain[1:]) if plain else ""
        elif code is not None:
            yield _in(encoding, bytes([int(code, 16)]))
        elif plain is not None:
            yield _in(encoding, plain)
        elif sign is not None:
            yield {b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}.get(sign, "")


def _in(encoding: str, data: bytes) -> str:
    try:
        return data.decode(encoding, "replace")
    except LookupError:
        return data.decode("cp1252", "replace")
