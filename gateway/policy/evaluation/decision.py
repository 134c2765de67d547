"""A decision as data, and the error behind a refusal."""

import enum
from typing import final

import msgspec

from gateway.core.errors import (
    AduanaError,
    BadRequest,
    BudgetSpent,
    ContextLengthExceeded,
    NotFound,
    PolicyRefused,
    Unavailable,
)
from gateway.core.labels import Label, Zone
from gateway.core.request import AnyRequest
from gateway.policy.language.ast import Overrides


class Why(enum.StrEnum):
    """Reason why a target is not among the candidates. The order is that in which the reasons are looked at."""

    ALIAS = "alias"  # the model name asked for does not include it
    LABEL = "label"  # the label is above its ceiling
    ONLY = "only"  # a rule's `only` leaves it out
    ENDPOINT = "endpoint"  # it does not serve this endpoint
    CAPABILITY = "capability"  # it can't do what the request needs
    CONTEXT = "context"  # prompt and answer don't fit its window
    BUDGET = "budget"  # it costs money that a budget does not allow for
    BREAKER = "breaker"  # it failed often just now; tried again later
    NOT_PREFERRED = "not_preferred"  # the rule that chose does not name it
    REFUSED = "refused"  # a rule refuses the request


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A target that may answer."""

    target: str
    zone: Zone


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """A target that may not answer, and why."""

    target: str
    reason: Why


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The reason why nothing may answer, as the client is told. `refusal_error` makes the error of it."""

    code: str
    message: str
    status: int
    retry_after: float | None = None
    param: str | None = None


@final
class Subject:
    """The very request that a decision is about. Opaque, so that a decision shows and stores no content."""

    __slots__ = ("_request",)

    def __init__(self, request: AnyRequest) -> None:
        self._request = request

    def is_(self, request: AnyRequest) -> bool:
        """Return whether `request` is that very object, not only an equal one."""
        return request is self._request

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and self._request == other._request

    __hash__ = None  # type: ignore[assignment]  # holds mappings

    def __repr__(self) -> str:
        return "Subject(…)"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `decide`. Either `candidates` in the order of trying, or a refusal."""

    request_id: str
    subject: Subject
    alias: str
    label: Label
    label_source: str  # tag, assigned_tag, unknown_tag, detector, taint, rule, default
    tags: frozenset[str]
    rule: str  # the rule that chose; "otherwise"; "-": refused before any rule
    reason: str  # rule, otherwise, only_permitted, refused
    candidates: tuple[Candidate, ...]
    removed: tuple[Removed, ...]
    policy_digest: str
    refusal: Refusal | None = None
    budget: str | None = None  # the budget that kept out who would have been asked first
    overrides: Overrides = Overrides()
    mask: frozenset[str] = frozenset()  # categories that matching rules permit to mask
    masked: frozenset[str] | None = None  # categories that are masked in what this decision is about; None: not masked
    unknown_tags: frozenset[str] = frozenset()  # tags of the request that nobody declared
    restrictions: tuple[str, ...] = ()  # names of the rules that tagged, raised, restricted or set something
    found: frozenset[str] = frozenset()  # categories that inspection found in what this decision is about


def refusal_error(decision: Decision) -> AduanaError:
    """Return the error to raise for a decision without candidates."""
    refusal = decision.refusal
    if refusal is None:
        return Unavailable("No permitted target can answer now.")
    kinds: dict[int, type[AduanaError]] = {403: PolicyRefused, 404: NotFound, 429: BudgetSpent, 503: Unavailable}
    family = kinds.get(refusal.status, BadRequest)
    if refusal.code == ContextLengthExceeded.code:
        family = ContextLengthExceeded
    return family(
        refusal.message,
        code=refusal.code,
        status=refusal.status,
        retry_after=refusal.retry_after,
        param=refusal.param,
    )
