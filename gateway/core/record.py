"""Receipts, reservations and settlements: the account of every request. Facts only, never content."""

import enum

import msgspec

from gateway.core.labels import Label, Zone
from gateway.core.limits import Account, Claim
from gateway.core.request import Dialect, Endpoint
from gateway.core.usage import Usage


class Outcome(enum.StrEnum):
    """How a request ended. `unknown` is written at the next start for requests that a crash cut off."""

    OK = "ok"
    ERROR = "error"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A decision, written before anything leaves. `facts` is what the policy saw, as JSON (no content)."""

    request_id: str
    received_at: float  # Unix seconds
    dialect: Dialect
    endpoint: Endpoint
    key: str
    user: str | None
    model: str  # as configured: an alias, or "other" for a name that no alias has
    stream: bool
    label: Label
    label_source: str  # tag, assigned_tag, unknown_tag, detector, taint, rule, default
    tags: tuple[str, ...]
    categories: tuple[tuple[str, int], ...]  # finding category → count
    doubts: tuple[str, ...]
    rule: str  # the rule that chose; "otherwise"; "-" for a refusal before any rule
    permitted: tuple[str, ...]  # target names in order; empty: refused
    refusal: str | None  # code of the refusal
    prompt_tokens: int | None
    policy_digest: str
    facts: bytes = b"{}"
    shadow: bool = False  # asked for comparison only: it may cost, but it answers nobody and saves nothing
    masked: tuple[tuple[str, int], ...] = ()  # category → findings that went out under pseudonyms
    budget: str | None = None  # the budget that kept the first choice out; None: none did
    zones: tuple[Zone, ...] | None = None  # where each of `permitted` runs, in the same order; None: not told
    conversation: bytes | None = None  # keyed hash of how its conversation begins; None: too little to tell


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Whom something that is kept belongs to."""

    key: str
    user: str | None = None
    conversation: bytes | None = None


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """Money set aside for a request on one target before it is sent there (micro-dollars, an upper estimate)."""

    target: str
    zone: Zone
    micros: int = 0
    accounts: tuple[Account, ...] = ()  # that it draws on, beside everybody's day and month and the key's month
    claims: tuple[Claim, ...] = ()  # on limits that gateways share


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a request; exactly one for each receipt."""

    request_id: str
    settled_at: float  # Unix seconds
    outcome: Outcome
    target: str | None  # which answered; None: none did
    zone: Zone | None
    server: str = ""  # which of the target's several servers; empty: it has one
    error: str | None = None  # error code
    usage: Usage = Usage()
    cost_micros: int = 0
    avoided_micros: int | None = None  # what the reference model would have cost; None: unpriced
    first_token_seconds: float | None = None
    duration_seconds: float = 0.0
    attempts: tuple[tuple[str, str], ...] = ()  # (target, error code) of each failed try


class Accrual(msgspec.Struct, frozen=True, kw_only=True):
    """Energy and what it cost, added up since the last accrual. Integers, so that sums are exact."""

    at: float  # Unix seconds
    device: str
    state: str  # request, idle
    source: str  # counter, power, estimate
    microjoules: int
    electricity_micros: int = 0
    hardware_micros: int = 0


class RequestEnergy(msgspec.Struct, frozen=True, kw_only=True):
    """Energy that one request used since the last report, and its cost. Integers, so that sums are exact."""

    request_id: str
    microjoules: int
    electricity_nanos: int = 0  # billionths of a US dollar


class Savings(msgspec.Struct, frozen=True, kw_only=True):
    """What a period's requests cost and avoided, in micro-dollars. Savings can be negative."""

    requests: int = 0
    local: int = 0
    cloud: int = 0
    refused: int = 0
    unpriced: int = 0
    sensitive: int = 0
    sensitive_left: int = 0  # answered by a cloud: must be 0
    avoided_micros: int = 0
    cloud_micros: int = 0
    electricity_micros: int = 0
    hardware_micros: int = 0

    @property
    def saved_micros(self) -> int:
        """Return what the reference model would have cost, minus electricity and hardware, in micro-dollars."""
        return self.avoided_micros - self.electricity_micros - self.hardware_micros


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Past request: what the decision saw, and how it ended."""

    facts: bytes
    label: int
    rule: str
    permitted: str
    target: str | None
    zone: str | None
    outcome: str | None
    cost_micros: int | None
    first_token_seconds: float | None
