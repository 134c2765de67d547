"""The request headers that are the gateway's own, in one place, and the refusal of whatever looks like one of them.

A header with a typing error would protect nothing and say nothing, so it is refused.
"""

import difflib
import functools
from collections.abc import Callable, Iterable
from typing import TypeVar

from gateway.core.errors import BadRequest

TAGS = "x-aduana-tags"  # tags of this request, with commas between them
EXPLAIN = "x-aduana-explain"  # an administrator asks for the decision instead of an answer
KEY = "x-aduana-key"  # a key of this gateway, beside the caller's own for a provider
REQUEST_HEADERS = (TAGS, EXPLAIN, KEY)
_PREFIX = "x-aduana-"
_NEAR = 0.85  # share of letters in common from which a name counts as mistyped
_CACHED_NAMES = 1024
_CACHED_HEADS = 256
_SHORT_HEAD = 2_048  # letters of all names together: who may not ask shall not fill the memory either
_LONGEST_NEAR = 64  # letters; a longer name is near none of ours
_SHOWN = 60

T = TypeVar("T")


def remembered(look: Callable[[tuple[str, ...]], T]) -> Callable[[tuple[str, ...]], T]:
    """Let a look at the names of a head be remembered, for a client sends the same ones with each request."""
    known = functools.lru_cache(_CACHED_HEADS)(look)

    def looked(names: tuple[str, ...]) -> T:
        return known(names) if sum(map(len, names)) <= _SHORT_HEAD else look(names)

    return looked


def refuse_unknown_headers(names: Iterable[str]) -> None:
    """Refuse a request with a header that looks like one of the gateway's own and is none.

    Raises:
        BadRequest: There is such a header; the message names the nearest one that exists.
    """
    for name in names:
        meant = _meant(name)
        if meant is not None:
            known = ", ".join(REQUEST_HEADERS)
            raise BadRequest(
                f"The header {name[:_SHOWN]!r} is not known here, and was not left out in silence. "
                f"Did you mean {meant!r}? Known: {known}.",
                param=name[:_SHOWN].encode("ascii", "replace").decode(),
                code="unknown_header",
            )


def all_known(names: tuple[str, ...]) -> bool:
    """Return whether none of the names is refused."""
    return all(_meant(name) is None for name in names)


def _meant(name: str) -> str | None:
    """Return the header that a name was probably meant to be; None where the name is in order or somebody else's."""
    if len(name) <= _LONGEST_NEAR:
        return _nearest(name)
    return TAGS if "aduana" in name.lower() else None


@functools.lru_cache(_CACHED_NAMES)
def _nearest(name: str) -> str | None:
    plain = name.lower()
    if plain in REQUEST_HEADERS:
        return None
    likely = _PREFIX + plain.replace("_", "-").replace("aduana", "").strip("-x").lstrip("-")
    near = difflib.get_close_matches(plain, REQUEST_HEADERS, n=1, cutoff=_NEAR)
    if near:
        return near[0]
    if "aduana" not in plain:
        return None
    return difflib.get_close_matches(likely, REQUEST_HEADERS, n=1, cutoff=0.0)[0]
