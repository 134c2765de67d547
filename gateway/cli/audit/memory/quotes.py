"""What was told in private, quoted without its tag: told in each place, quoted in each place, encoding and cut."""

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, product

from gateway.cli.audit.cases import AuditCase, Numbers, remembered
from gateway.cli.audit.planted.dialects import PLACES, TALKING
from gateway.cli.audit.planted.encodings import SINGLE
from gateway.cli.audit.planted.places import CHAT, Place
from gateway.cli.audit.planted.seams import SEAMS
from gateway.cli.audit.planted.tags import PRIVATE
from gateway.cli.audit.stories import clauses, story

# What a person, an app's documents, its tools or a model said. (Descriptions and schemas are an app's own, in every
# request alike: what they say is not told by anybody.)
_SAYING: Mapping[str, tuple[str, ...]] = {
    "chat": ("user", "user, streamed", "text part", "system", "developer", "assistant", "reasoning", "tool call",
             "tool result", "tool result, part", "tool result, JSON"),
    "completions": ("prompt", "prompts"),
    "embeddings": ("input", "input in a list"),
    "rerank": ("query", "document"),
    "Responses": ("input", "input, streamed", "message", "part", "instructions", "call", "call output",
                  "call output, parts", "reasoning", "answer so far"),
    "Anthropic": ("user", "user, streamed", "block", "assistant", "thinking", "tool use", "tool result",
                  "tool result, blocks", "document", "search answer", "system", "system block"),
    "Ollama": ("chat", "chat, streamed", "chat, system", "chat, assistant", "chat, call", "chat, tool result",
               "generate", "generate, system", "generate, raw", "embed", "embed, list", "embeddings"),
    "llama.cpp": ("completion", "completion, streamed", "infill, prefix", "infill, prompt", "infill, other file"),
}  # fmt: skip
_SHORT = frozenset({"metadata key"})  # has no room for a quotation
_QUOTING: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "in a transcript": lambda text: f"Write a title for this conversation:\nUser: {text}\nAssistant: I see.",
    "with > before each line": lambda text: "\n".join(f"> {part}" for part in text.split(". ")),
    "within other words": lambda text: f"Look: «{text}» What now?",
    "one sentence of it": lambda text: f"What is this?\n{text.split('. ')[1]}.",
    "a part of it": lambda text: text[: 3 * len(text) // 5],
    "the end of it": lambda text: text[2 * len(text) // 5 :],
    "in capitals": str.upper,
    "on short lines": lambda text: "\n".join(text[place : place + 40] for place in range(0, len(text), 40)),
    "without stops and commas": lambda text: text.replace(",", "").replace(".", ""),
    "in Markdown": lambda text: "\n".join(f"* **{part}**" for part in text.split(". ")),
    "in HTML": lambda text: "".join(f"<p>{part}</p>" for part in text.split(". ")),
    "in a log": lambda text: "\n".join(
        f"2027-05-12T10:00:0{n}Z INFO {part}" for n, part in enumerate(text.split(". "))
    ),
}
Pair = tuple[AuditCase, AuditCase]


def quotes(numbers: Numbers, *, full: bool = False) -> Iterator[Pair]:
    """Yield pairs of a request that tells a story in private, and a later one that quotes it (full: all products)."""
    yield from _told(numbers, full=full)
    yield from _quoted(numbers, full=full)
    yield from _in_clauses(numbers)


def some_quotes(group: str, numbers: Numbers) -> Iterator[Pair]:
    """Yield such pairs through each way of asking: what is tried once more under another key and after a restart."""
    for name, place in TALKING.items():
        yield _pair(group, name, CHAT["user"], place, str, numbers)
    yield _pair(group, "told in a tool's result", CHAT["tool result"], CHAT["user"], str, numbers)
    for name in ("base64", "percent", "gzip"):
        yield _pair(group, name, CHAT["user"], CHAT["user"], SINGLE[name], numbers)


def some_of_apps(group: str, numbers: Numbers) -> Iterator[Pair]:
    """Yield pairs whose story an app told, in a system message: that is remembered for the app's own key alone."""
    for role in ("system", "developer"):
        yield _pair(group, f"told in {role}", CHAT[role], CHAT["user"], str, numbers)


def _told(numbers: Numbers, *, full: bool) -> Iterator[Pair]:
    turn = cycle(TALKING.items())
    for dialect, names in _SAYING.items():
        for name in names:
            for asked, quoting in TALKING.items() if full else (("chat", CHAT["user"]), next(turn)):
                told = PLACES[dialect][name]
                yield _pair("memory: told where", f"{dialect}, {name}, quoted in {asked}", told, quoting, str, numbers)


def _quoted(numbers: Numbers, *, full: bool) -> Iterator[Pair]:
    told = CHAT["user"]
    everywhere = {
        f"{dialect}, {name}": place
        for dialect, places in PLACES.items()
        for name, place in places.items()
        if name not in _SHORT
    }
    for name, place in everywhere.items():
        yield _pair("memory: quoted where", name, told, place, str, numbers)
    for name, encode in {**_QUOTING, **SINGLE}.items():
        group = "memory: quoted how" if name in _QUOTING else "memory: quoted in an encoding"
        yield _pair(group, name, told, CHAT["user"], encode, numbers)
    both = list(product(everywhere.items(), {**_QUOTING, **SINGLE}.items()))
    for (name, place), (how, encode) in both if full else random.Random(2027).sample(both, 80):  # noqa: S311
        yield _pair("memory: quoted where and how", f"{name}, {how}", told, place, encode, numbers)


def _in_clauses(numbers: Numbers) -> Iterator[Pair]:
    """Yield quotations of which each string holds one clause only."""
    for name, seam in SEAMS.items():
        told, later = numbers.marker(), numbers.marker()
        pieces = [f"{clause}, " for clause in clauses(told)]
        yield (
            _telling(told, CHAT["user"], "".join(pieces)),
            remembered("memory: clause by clause", name, seam(pieces), later, ""),
        )


def _pair(group: str, name: str, told: Place, quoted: Place, encode: Callable[[str], str], numbers: Numbers) -> Pair:
    first, later = numbers.marker(), numbers.marker()
    text = story(first)
    return _telling(first, told, text), remembered(group, name, quoted, later, encode(text))


def _telling(marker: str, place: Place, text: str) -> AuditCase:
    return remembered("memory: the telling", marker, place, marker, text, headers=PRIVATE)
