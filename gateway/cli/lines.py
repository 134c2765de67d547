"""Print sentences so that a terminal breaks no word of them. What goes into a file or a pipe stays as it is."""

import io
import os
import re
import sys
from typing import TextIO

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SIGN = re.compile(r" *(?:- |\S+ {2,})?")  # what stands before a text: blanks, a dash, a word with its own column


def print_line(text: str, *, to_errors: bool = False) -> None:
    """Print a sentence; on a terminal its further lines stand below its first word, or below what follows its sign."""
    stream = sys.stderr if to_errors else sys.stdout
    text = harmless(text)
    if _watched(stream):
        import shutil  # not for every command: 'aduana --help' is to be quick

        text = wrapped(text, shutil.get_terminal_size().columns)
    print(text, file=stream, flush=True)


def harmless(text: str) -> str:
    """Return a text without what would steer a terminal or can't be written: servers and files choose their words."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def writable_streams() -> None:
    """Let standard output write a question mark for a letter that the terminal's encoding does not have."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def let_go_of_output() -> None:
    """Write what is still to be written; where nobody takes it, throw it away, so that Python does not complain."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def wrapped(text: str, width: int) -> str:
    """Return a text in lines of so many columns; only a word that is longer makes a longer one."""
    import textwrap

    lines: list[str] = []
    for line in text.split("\n"):
        found = _SIGN.match(line)
        beside = " " * len(found[0]) if found is not None and len(found[0]) < width // 2 else ""
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=beside,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        ) or [""]
    return "\n".join(lines)


def _watched(stream: TextIO) -> bool:
    return stream is not None and stream.isatty()
