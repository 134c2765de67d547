"""The audit's requests: what makes one, those with a planted value, and clean requests that must pass."""

from collections.abc import Iterator, Mapping
from itertools import count, cycle

import msgspec

from gateway.cli.audit.planted.dialects import PLACES, TALKING
from gateway.cli.audit.planted.encodings import CANARIES, Canary, compositions, disguises, encoded
from gateway.cli.audit.planted.places import Place
from gateway.cli.audit.planted.seams import seams
from gateway.cli.audit.planted.tags import TYPED, Headers, lowered
from gateway.cli.audit.planted.unreadable import UNREADABLE

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
        self._numbers = count(1)

    def marker(self) -> str:
        """Return a new marker. May be called from several threads."""
        return MARKER.format(next(self._numbers))


# Keys of the gateway under audit: the audit's own, another one without tags, and two that the owner holds private.
KEY = "sk-audit-of-this-machine-only"
OTHER_KEY = f"{KEY}-another"
OWNER_KEY = f"{KEY}-with-a-tag"
STRICT_KEY = f"{KEY}-sensitive-by-default"
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


def cases(
    own: Mapping[str, str] | None = None, numbers: Numbers | None = None, *, full: bool = False
) -> Iterator[AuditCase]:
    """Yield all requests with a planted value, and clean ones.

    Args:
        own: Texts that the user's own words and lists must find, by category.
        numbers: Where markers come from.
        full: Whether to yield all products of canaries, places and encodings instead of a sample.
    """
    numbers = numbers or Numbers()
    chat = PLACES["chat"]["user"]
    for canary, encoding, text in disguises():
        yield planted("encodings", f"{canary.name}, {encoding}", chat, canary, text, numbers)
    for canary, chain, text in compositions(full=full):
        yield planted("encodings in encodings", f"{canary.name}, {chain}", chat, canary, text, numbers)
    yield from _places(numbers, full=full)
    for canary, name, place, whole in seams(full=full):
        yield planted("seams", f"{canary.name}, {name}", place, canary, whole, numbers)
    for name, place in UNREADABLE.items():
        yield planted("unreadable parts", name, place, CANARIES[0], CANARIES[0].text, numbers)
    yield from _tagged(numbers)
    turn = cycle(TALKING)
    for category, text in (own or {}).items():
        canary = Canary(name=category, category=category, text=text, identifier=False)
        dialect = next(turn)
        yield planted("your own words", f"{category}, {dialect}", TALKING[dialect], canary, text, numbers)
        for encoding in ("base64", "percent", "zero width"):
            hidden = encoded(text, encoding)
            yield planted("your own words", f"{category}, {encoding}", chat, canary, hidden, numbers)
    yield from clean(numbers)


def _places(numbers: Numbers, *, full: bool) -> Iterator[AuditCase]:
    """Yield every place of a chat with every canary, and places of other dialects with the canaries in turn."""
    turn = cycle(CANARIES)
    for dialect, places in PLACES.items():
        for name, place in places.items():
            for canary in CANARIES if full or dialect == "chat" else (next(turn), next(turn)):
                yield planted(dialect, f"{canary.name}, {name}", place, canary, canary.text, numbers)


def _tagged(numbers: Numbers) -> Iterator[AuditCase]:
    """Yield requests that only a tag keeps at home: written as people write it, and where the owner attached it."""
    for name, headers in TYPED.items():
        yield remembered("tags and headers", name, TALKING["chat"], numbers.marker(), "hola", headers=headers)
    for name, model, headers in lowered(OWNER_KEY, STRICT_KEY):
        case = remembered("tags of keys and names", name, TALKING["chat"], numbers.marker(), "hola", headers=headers)
        yield msgspec.structs.replace(case, body=case.body | {"model": model})


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


def remembered(group: str, name: str, place: Place, marker: str, text: str, *, headers: Headers = ()) -> AuditCase:
    """Return a request whose text must not leave, although no detector finds anything in it."""
    return AuditCase(
        group=group,
        name=name,
        sensitive=True,
        path=place.path,
        body=place.body(marker, text),
        marker=marker,
        values=(text,) if text else (),
        left_out=place.left_out,
        headers=headers,
    )


def released(group: str, name: str, place: Place, marker: str, text: str, *, headers: Headers = ()) -> AuditCase:
    """Return a request in which nothing is sensitive: it must get to the cloud."""
    return AuditCase(
        group=group,
        name=name,
        sensitive=False,
        path=place.path,
        body=place.body(marker, text),
        marker=marker,
        headers=headers,
    )


def clean(numbers: Numbers, group: str = "clean") -> Iterator[AuditCase]:
    """Yield requests in which there is nothing to find."""
    for text, (dialect, place) in zip(CLEAN, cycle(TALKING.items()), strict=False):
        yield released(group, f"{dialect}: {text[:40]}", place, numbers.marker(), text)
    for text in CLEAN:
        yield released(group, text[:48], PLACES["chat"]["user"], numbers.marker(), text)


def clean_one(group: str, numbers: Numbers) -> AuditCase:
    """Return the plainest request in which there is nothing to find."""
    return released(group, "clean", PLACES["chat"]["user"], numbers.marker(), CLEAN[0])
