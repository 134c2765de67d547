"""The audit's requests: canaries in every place, dialect and encoding, and clean requests that must pass."""

from collections.abc import Iterator, Mapping
from itertools import cycle

import msgspec

from gateway.cli.audit.dialects import PLACES, TALKING, UNREADABLE
from gateway.cli.audit.encodings import CANARIES, Canary, compositions, disguises, encoded
from gateway.cli.audit.places import Place

MARKER = "Marker{}end"


class AuditCase(msgspec.Struct, frozen=True, kw_only=True):
    """Request of the audit. Only its body has `marker`; `values` are the forms of what must not leave."""

    group: str
    name: str
    sensitive: bool
    path: str
    body: dict[str, object]
    marker: str
    values: tuple[str, ...] = ()
    left_out: bool = False  # the dialect may leave the value's place out and send the rest
    headers: tuple[tuple[str, str], ...] = ()
    category: str = ""


class Numbers:
    """Source of markers that no other request has."""

    def __init__(self) -> None:
        self._next = 0

    def marker(self) -> str:
        """Return a new marker."""
        self._next += 1
        return MARKER.format(self._next)


CLEAN = (
    "What is the capital of Portugal?",
    "Explica la fotosíntesis en dos frases.",
    "Write a Python function that reverses a list.",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b broke the build, why?",
    "¿Qué es la diabetes?",
    "If 12 apples cost 36 euros, how much do 7 cost?",
    "Decode this for me: SG9sYSwgwr9xdcOpIHRhbCBlc3TDoXMgaG95Pw==",
    "Translate to Spanish: the meeting is on 12/05/2027 at 10:30 in room 4.",
    "The build number is 20261123.4 and the id 550e8400-e29b-41d4-a716-446655440000.",
    "Compute 12345678 * 87654321 and show 15 digits of pi: 3.14159265358979.",
    "SELECT name, count(*) FROM orders WHERE total > 1000 GROUP BY name;",
    "Fix this: for (int i = 0; i < 10; i++) { printf(\"%d\\n\", i); }",
)  # fmt: skip


def cases(own: Mapping[str, str] | None = None, numbers: Numbers | None = None) -> Iterator[AuditCase]:
    """Yield all requests of the audit.

    Args:
        own: Texts that the user's own words and lists must find, by category.
        numbers: Where markers come from.
    """
    numbers = numbers or Numbers()
    chat = PLACES["chat"]["user"]
    for canary, encoding, text in disguises():
        yield planted("encodings", f"{canary.name}, {encoding}", chat, canary, text, numbers)
    for canary, chain, text in compositions():
        yield planted("encodings in encodings", f"{canary.name}, {chain}", chat, canary, text, numbers)
    yield from _places(numbers)
    for name, place in UNREADABLE.items():
        yield planted("unreadable parts", name, place, CANARIES[0], CANARIES[0].text, numbers)
    turn = cycle(TALKING)
    for category, text in (own or {}).items():
        canary = Canary(name=category, category=category, text=text, identifier=False)
        dialect = next(turn)
        yield planted("your own words", f"{category}, {dialect}", TALKING[dialect], canary, text, numbers)
        for encoding in ("base64", "percent", "zero width"):
            hidden = encoded(text, encoding)
            yield planted("your own words", f"{category}, {encoding}", chat, canary, hidden, numbers)
    yield from clean(numbers)


def _places(numbers: Numbers) -> Iterator[AuditCase]:
    """Yield every place of a chat with every canary, and places of other dialects with the canaries in turn."""
    turn = cycle(CANARIES)
    for dialect, places in PLACES.items():
        for name, place in places.items():
            for canary in CANARIES if dialect == "chat" else (next(turn), next(turn)):
                yield planted(dialect, f"{canary.name}, {name}", place, canary, canary.text, numbers)


def through_all(group: str, numbers: Numbers) -> Iterator[AuditCase]:
    """Yield one canary through each dialect and way of asking: what every fault is tried with."""
    turn = cycle(CANARIES)
    for name, place in TALKING.items():
        canary = next(turn)
        yield planted(group, f"{canary.name}, {name}", place, canary, canary.text, numbers)


def planted(group: str, name: str, place: Place, canary: Canary, text: str, numbers: Numbers) -> AuditCase:
    """Return a request that has the canary, written as `text`, in a place."""
    marker = numbers.marker()
    return AuditCase(
        group=group,
        name=name,
        sensitive=True,
        path=place.path,
        body=place.body(marker, text),
        marker=marker,
        values=tuple(dict.fromkeys((text, canary.text))),
        left_out=place.left_out,
        category=canary.category,
    )


def clean(numbers: Numbers, group: str = "clean") -> Iterator[AuditCase]:
    """Yield requests in which there is nothing to find."""
    for text, (dialect, place) in zip(CLEAN, cycle(TALKING.items()), strict=False):
        yield _clean(group, f"{dialect}: {text[:40]}", place, text, numbers)
    for text in CLEAN:
        yield _clean(group, text[:48], PLACES["chat"]["user"], text, numbers)


def clean_one(group: str, numbers: Numbers) -> AuditCase:
    """Return the plainest request in which there is nothing to find."""
    return _clean(group, "clean", PLACES["chat"]["user"], CLEAN[0], numbers)


def _clean(group: str, name: str, place: Place, text: str, numbers: Numbers) -> AuditCase:
    marker = numbers.marker()
    return AuditCase(
        group=group, name=name, sensitive=False, path=place.path, body=place.body(marker, text), marker=marker
    )
