"""Decide which of several servers that run the same model a request goes to. Pure.

A conversation has a home: the server that is likely to have its beginning in its prefix cache. Weighted rendezvous
hashing finds it (Thaler and Ravishankar, 1998; with weights: Schindelhauer and Schomaker, 2005), so every gateway finds
the same one, and when a server comes or goes only its own conversations move. A home keeps its conversations while it
has a free place, and a little longer: until it has a quarter more than its share of what all servers have (Mirrokni,
Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", 2016). Everything else goes where the shortest wait
is expected.
"""

import hashlib
import math
from collections.abc import Sequence

import msgspec

_ABOVE_SHARE = 1.25  # times its share, that a home may have of its own conversations
_MOST_APART = 2.0  # times: no server counts as faster or slower than so much, for its measurement may be an old one


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one server is doing, as far as that is known."""

    name: str
    weight: float = 1.0
    slots: int = 16  # requests that it computes at once
    load: int = 0  # requests that it has, running and waiting
    waiting: int = 0  # of these, those that wait in a queue of its own
    seconds: float | None = None  # that a request takes there; None: not measured
    available: bool = True


def in_order(servers: Sequence[Standing], beginning: bytes | None = None) -> tuple[str, ...]:
    """Return the names of all servers, in the order in which a request should try them.

    Args:
        servers: How each is doing. Those that are not available come last: they may be back by then.
        beginning: A digest of how the conversation begins; None: the request continues nothing.
    """
    there = [server for server in servers if server.available]
    usual = _usual_seconds(there)
    far = sorted(servers, key=lambda server: _distance(server, beginning or b""))
    near = sorted(there, key=lambda server: (_expected_wait(server, usual), _distance(server, beginning or b"")))
    if beginning is not None and there:
        home = next(server for server in far if server.available)
        if _has_room(home, there):
            near.remove(home)
            near.insert(0, home)
    return tuple([server.name for server in (*near, *(one for one in far if not one.available))])


def _has_room(home: Standing, servers: Sequence[Standing]) -> bool:
    """Say whether a home may have one request more."""
    if home.load < home.slots and not home.waiting:
        return True
    share = home.weight / sum(server.weight for server in servers)
    most = math.ceil(_ABOVE_SHARE * share * (1 + sum(server.load for server in servers)))
    return home.load < most


def _expected_wait(server: Standing, usual: float) -> float:
    """Return the work that a server has when it takes one more request, in seconds."""
    seconds = usual if server.seconds is None else server.seconds
    seconds = min(max(seconds, usual / _MOST_APART), usual * _MOST_APART)
    return seconds * (server.load + 1) / server.slots


def _usual_seconds(servers: Sequence[Standing]) -> float:
    """Return what a request takes on the average server; 1 where nothing was measured."""
    known = [server.seconds for server in servers if server.seconds is not None]
    return sum(known) / len(known) if known else 1.0


def _distance(server: Standing, beginning: bytes) -> float:
    """Return how far a conversation is from being at home on a server: the nearest is its home."""
    name = server.name.encode()
    digest = hashlib.blake2b(len(name).to_bytes(4, "big") + name + beginning, digest_size=8).digest()
    uniform = ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2**53  # above 0 and below 1
    return -math.log(uniform) / server.weight
