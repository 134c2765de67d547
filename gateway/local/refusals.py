"""The one answer to whoever is too many for a target: at once, with a time to come back that is measured."""

from gateway.core.errors import TargetBusy
from gateway.core.route import Room
from gateway.local.queue_shares import QueueShares
from gateway.local.throughput import Throughput

_SHORTEST = 1.0  # seconds, for Retry-After


def room_of(shares: QueueShares, throughput: Throughput, key: str, now: float) -> Room:
    """Return the places that a key has left in its share; `now` is in monotonic seconds."""
    ahead = shares.ahead(key)
    wait = 0.0 if ahead is None else throughput.expected_wait(ahead, shares.slots, now)
    return Room(limit=shares.most, left=shares.left(key), wait=wait)


def refusal_beyond_share(
    name: str,
    shares: QueueShares,
    throughput: Throughput,
    key: str,
    count: int,
    *,
    now: float,
    longest_wait: float | None,
) -> TargetBusy | None:
    """Return the refusal of `count` more of a key where its share of the queue is used up, or the wait too long.

    Args:
        name: Of the target.
        shares: What runs and waits there.
        throughput: How fast it works.
        key: Who asks.
        count: How many places are wanted.
        now: Monotonic seconds.
        longest_wait: Seconds that a request may be expected to wait. None: any.

    Returns:
        The error, with the expected wait as the time to come back. None: there is a place.
    """
    if shares.free(count):
        return None
    ahead = shares.ahead(key)
    wait = 0.0 if ahead is None else throughput.expected_wait(ahead, shares.slots, now)
    if not shares.fits(key, count):
        return TargetBusy(
            f"The queue of {name!r} is full ({shares.waiting} of {shares.queue} waiting).",
            retry_after=max(_SHORTEST, wait or 0.0),
        )
    if longest_wait is not None and wait is not None and wait > longest_wait:
        return TargetBusy(
            f"A request to {name!r} would wait {wait:.0f} seconds now, longer than it may ({longest_wait:g}).",
            retry_after=max(_SHORTEST, wait - longest_wait),
        )
    return None
