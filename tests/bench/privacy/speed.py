"""What inspection costs, whatever it is given: `python -m tests.bench.privacy.speed`.

CPU milliseconds for a megabyte of each kind and for half of it (a ratio near 2 is linear), 4 KB of prose, and the next
turn of a conversation beside the same turn alone. Beside each megabyte: the same text through `json.dumps` and one
regular expression of RE2, which is what inspection can't do without.
"""

import base64
import itertools
import json
import random
import statistics
import sysconfig
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import re2 as untyped_re2

from gateway.privacy import InspectionSettings, Inspector

re2: Any = untyped_re2
MEGABYTE = 1_000_000
_LEAST = re2.compile(r"\b[A-Za-z0-9+/_-]{20,}\b|\b[0-9]{8}[A-Z]\b|[\w.+-]+@[\w-]+\.\w+")
_DRAW = random.Random(2026)
_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "that",
    "it",
    "was",
    "for",
    "on",
    "are",
    "with",
    "as",
    "his",
    "they",
    "be",
    "at",
    "one",
    "have",
    "this",
    "from",
    "by",
    "hot",
    "word",
    "but",
]


def library() -> str:
    """Source code of the standard library."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    return "\n".join(file.read_text("utf-8", errors="ignore") for file in files)


def repeated(piece: Callable[[], str], size: int) -> str:
    """New pieces until there are so many characters."""
    parts, length = [], 0
    while length < size:
        parts.append(piece())
        length += len(parts[-1]) + 1
    return " ".join(parts)[:size]


def sentence() -> str:
    """Plain words."""
    return " ".join(_DRAW.choice(_WORDS) for _ in range(_DRAW.randint(6, 18))).capitalize() + "."


def digits(count: int) -> str:
    """So many."""
    return "".join(_DRAW.choice("0123456789") for _ in range(count))


def nested(size: int) -> str:
    """JSON in strings in JSON, until it is so long."""
    value: object = sentence()
    for _ in range(12):
        value = {"payload": json.dumps(value), "n": 1}
    once = json.dumps(value)
    return (once * (size // len(once) + 1))[:size]


def kinds(size: int) -> Iterator[tuple[str, object]]:
    """Name and document."""
    code = library()
    blobs = [base64.b64encode(sentence().encode() * 2).decode() for _ in range(10_000)]
    yield "prose", repeated(sentence, size)
    yield "prose, Spanish accents", repeated(lambda: sentence().replace("e", "é").replace("o", "ó"), size)
    yield "source code", (code * (size // len(code) + 1))[:size]
    yield "digits", digits(size)
    yield "numbers", repeated(lambda: digits(_DRAW.randint(4, 16)), size)
    yield "hexadecimal", _DRAW.randbytes(size // 2).hex()
    yield "base64, one blob", base64.b64encode(_DRAW.randbytes(size * 3 // 4)).decode()
    yield "base64 of prose, one blob", base64.b64encode(repeated(sentence, size * 3 // 4).encode()).decode()
    yield "10,000 small blobs", " ".join(itertools.islice(itertools.cycle(blobs), size // 120))[:size]
    yield "percent escapes", urllib.parse.quote(repeated(sentence, size // 2), safe="")[:size].ljust(size, "a")
    yield "one character", "a" * size
    yield "one character, spaced", "a " * (size // 2)
    yield "open brackets", "[{(" * (size // 3)
    yield "JSON in strings", nested(size)
    yield "Chinese", "".join(chr(_DRAW.randint(0x4E00, 0x9FA5)) for _ in range(size // 3))
    yield "emoji", "🏳️‍🌈👩🏽‍🚀" * (size // 30)
    yield "almost IBANs", repeated(lambda: "ES" + digits(22), size)
    yield "almost DNIs", repeated(lambda: digits(8) + "-" + _DRAW.choice("ABCXYZ"), size)
    yield "e-mail addresses", repeated(lambda: f"user{digits(5)}@mail{digits(3)}.example.com", size)
    yield "telephone numbers", repeated(lambda: f"+34 6{digits(2)} {digits(3)} {digits(3)}", size)
    yield "assignments", repeated(lambda: f'password = "{digits(4)}"', size)
    yield "10,000 short messages", tuple({"role": "user", "content": sentence()} for _ in range(size // 100))


def cpu(inspector: Inspector, document: object) -> tuple[float, int]:
    """Milliseconds, and the doubts."""
    began = time.process_time()
    inspection = inspector.inspect({"prompt": document})  # type: ignore[dict-item]
    return (time.process_time() - began) * 1000, len(inspection.doubts)


def least(document: object) -> float:
    """Milliseconds of what can't be spared."""
    began = time.process_time()
    text = json.dumps(document)
    for _ in _LEAST.finditer(text):
        pass
    return (time.process_time() - began) * 1000


def conversation() -> None:
    """The next turn after 100, and alone."""
    turns = tuple({"role": "user", "content": repeated(sentence, 4096)} for _ in range(100))
    together, alone = [], []
    for _ in range(15):
        known = Inspector(InspectionSettings(seconds=30))
        known.inspect({"messages": turns})
        new = {"role": "user", "content": repeated(sentence, 4096)}
        began = time.process_time()
        known.inspect({"messages": (*turns, new)})
        together.append(time.process_time() - began)
        began = time.process_time()
        Inspector.inspect(known, {"messages": ({"role": "user", "content": repeated(sentence, 4096)},)})
        alone.append(time.process_time() - began)
    one, other = statistics.median(together) * 1000, statistics.median(alone) * 1000
    print(f"turn 101 of 4 KB: {one:.2f} ms; a new turn alone: {other:.2f} ms; ratio {one / other:.2f}")


def main() -> None:
    """Everything."""
    inspector = Inspector(InspectionSettings(cached_strings=0, seconds=60.0))
    inspector.inspect({"prompt": sentence()})
    pieces = [repeated(sentence, 4096) for _ in range(400)]
    spent = sorted(cpu(inspector, piece)[0] for piece in pieces)
    print(f"4 KB of prose: p50 {statistics.median(spent):.2f} ms, p99 {spent[int(len(spent) * 0.99)]:.2f} ms")
    conversation()
    half = {name: cpu(inspector, document)[0] for name, document in kinds(MEGABYTE // 2)}
    for name, document in kinds(MEGABYTE):
        milliseconds, doubts = cpu(inspector, document)
        beside = milliseconds / least(document)
        line = f"{name:28}{milliseconds:8.0f} ms   {milliseconds / half[name]:5.2f} × half of it"
        print(f"{line}   {beside:7.1f} × the least" + (f"   {doubts} doubts" if doubts else ""))


if __name__ == "__main__":
    main()
