"""What the pipeline tells observers. Observers never answer and never raise into a request."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from gateway.core.attachment import FileKind
from gateway.core.labels import Zone
from gateway.core.limits import Scope
from gateway.core.progress import Progress
from gateway.core.record import Receipt, Settlement


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt was written. `stages`: each stage (parse, inspect, count, decide, receipt, total) and its seconds."""

    receipt: Receipt
    first_zone: Zone | None
    reason: str  # why the first target is first: "rule", "otherwise", "only_permitted", "refused"
    stages: tuple[tuple[str, float], ...] = ()
    queue_wait_seconds: float | None = None  # for a slot of the first target, as expected; None: not known
    unknown_tags: tuple[str, ...] = ()  # tags of the request that nobody declared


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """A target is asked; what it processes is counted in `progress` while it answers."""

    request_id: str
    target: str
    zone: Zone
    progress: Progress


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate policy decided a request too, and sent nothing. `change` is a word of `policy.comparing.Change`."""

    request_id: str
    change: str
    money: float | None = None  # estimated US dollars, candidate minus policy in force; None: not priced


class Shadowed(msgspec.Struct, frozen=True, kw_only=True):
    """A shadow target answered too; nobody sees its answer. `seconds`: how much longer it took (negative: quicker)."""

    request_id: str
    target: str
    shadow: str
    similarity: float  # words in common, 0 to 1
    seconds: float


class AttachmentRead(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody looked into an attachment. `outcome`: whole, partly, nothing, or skipped (too many waited)."""

    kind: FileKind
    outcome: str
    seconds: float


class FellBack(msgspec.Struct, frozen=True, kw_only=True):
    """A target failed before its first byte; the next one of the same decision is tried."""

    source: str
    target: str
    reason: str  # error code


class BudgetDenied(msgspec.Struct, frozen=True, kw_only=True):
    """Another request took the money between this one's decision and its reservation: its target is left out."""

    request_id: str
    budget: str


class LimitReached(msgspec.Struct, frozen=True, kw_only=True):
    """A limit had no room for a request, or for one of its targets. `limit`: a word of the configuration."""

    request_id: str
    scope: Scope
    limit: str  # requests_per_minute, tokens_per_minute, tokens_per_day, parallel


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A request has ended and is settled: the last event of every request."""

    receipt: Receipt
    settlement: Settlement
    gaps: Sequence[float] = ()  # seconds between two pieces of its answer's text


class ViolationStopped(msgspec.Struct, frozen=True, kw_only=True):
    """A last check before the wire stopped a request that was not cleared for its target. Must never happen."""

    request_id: str
    target: str


Event: TypeAlias = (
    Decided
    | Began
    | Compared
    | Shadowed
    | AttachmentRead
    | FellBack
    | BudgetDenied
    | LimitReached
    | Settled
    | ViolationStopped
)
