"""The wording of refusals: what happened, and what the caller can do."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from gateway.core.errors import BadRequest, ContextLengthExceeded, PolicyRefused, Unavailable
from gateway.core.labels import Label
from gateway.core.request import AnyRequest, ChatRequest, Inbound, endpoint_of
from gateway.core.snapshot import Snapshot
from gateway.core.target import Catalog, TargetState
from gateway.core.yaml_source import known_names, suggest
from gateway.policy.evaluation.budgets import Left, budget_refusal, in_the_way, limits
from gateway.policy.evaluation.decision import Refusal, Why
from gateway.policy.evaluation.eligibility import needs
from gateway.policy.language.ast import Rule

RETRY_SECONDS = 5.0  # where no target says how long it takes
_MAY_NOT = frozenset({Why.ALIAS, Why.LABEL, Why.ONLY})


def refused_by_rule(rule: Rule) -> Refusal:
    """Word the refusal of a rule that says `refuse`."""
    message = rule.refuse or f"The policy refuses this request (rule {rule.name!r})."
    return Refusal(code=PolicyRefused.code, message=message, status=PolicyRefused.status)


def unknown_model(inbound: Inbound, catalog: Catalog) -> Refusal:
    """Word the refusal of a model name that no alias has, where unknown names are refused."""
    names = ", ".join(sorted(catalog.aliases))
    message = f"The model {inbound.request.model[:100]!r} does not exist here. Ask for one of: {names}."
    return Refusal(code="model_not_found", message=message, status=404, param="model")


def unknown_tag(unknown: Iterable[str], known: Iterable[str]) -> Refusal:
    """Word the refusal of a tag that nobody declared, where the policy refuses unknown tags."""
    tag, names = min(unknown), sorted(known)
    hint = suggest(tag, names) or known_names(tag, names)
    return Refusal(
        code="unknown_tag",
        message=f"The tag {tag!r} is not known to the policy here, so it would protect nothing.{hint}",
        status=BadRequest.status,
        param="x-aduana-tags",
    )


def why_nothing(
    inbound: Inbound,
    snapshot: Snapshot,
    label: int,
    found: Mapping[str, Why | None],
    named: frozenset[str],
    tags: Collection[str] = (),
) -> Refusal:
    """Word the refusal of a request for which no candidate is left.

    What only time can change is 503, or 429 where it is money; what a shorter prompt can change is 400, all else 403.
    """
    request = inbound.request
    permitted = {name: found[name] for name in named if found[name] not in _MAY_NOT}
    broken = [name for name, why in permitted.items() if why is Why.BREAKER]
    if broken:
        waits = [wait for name in broken if (wait := _wait(snapshot.targets[name])) is not None]
        return Refusal(
            code=Unavailable.code,
            message=f"{_listed(broken)} may answer this request but can't be reached just now. Try again later.",
            status=Unavailable.status,
            retry_after=max(1.0, min(waits)) if waits else RETRY_SECONDS,
        )
    dear = sorted(name for name, why in permitted.items() if why is Why.BUDGET)
    if dear:
        return _no_money(snapshot, dear, limits(snapshot.budgets, inbound.caller.key, tags))
    word = Label(label).word
    if Why.CONTEXT in permitted.values():
        small = [name for name, why in permitted.items() if why is Why.CONTEXT]
        return Refusal(
            code=ContextLengthExceeded.code,
            message=f"The prompt doesn't fit the context window of {_listed(small)}, "
            f"and this request (label {word}) may go nowhere else. Shorten the prompt.",
            status=ContextLengthExceeded.status,
            param="messages",
        )
    endpoint = endpoint_of(request)
    lacking = sorted(name for name, why in permitted.items() if why is Why.ENDPOINT)
    if lacking and len(lacking) == len(permitted):
        return Refusal(
            code="not_supported",
            message=f"{_listed(lacking)} may answer this request (label {word}), but doesn't serve '{endpoint}'. "
            f"If its server does, the owner of this gateway can add '{endpoint}' to its 'endpoints'.",
            status=BadRequest.status,
        )
    if permitted:
        able = ", ".join(sorted(needs(request))) or "this endpoint"
        return Refusal(
            code="not_supported",
            message=f"{_listed(sorted(permitted))} may answer this request (label {word}), but can't do: {able}. "
            f"If its server can, the owner of this gateway can add it to its 'capabilities'{_as_text(request)}.",
            status=BadRequest.status,
        )
    return Refusal(
        code=PolicyRefused.code,
        message=f"The policy permits no target for this request (label {word}, model {request.model[:100]!r}).",
        status=PolicyRefused.status,
    )


def _no_money(snapshot: Snapshot, dear: Sequence[str], left: Left) -> Refusal:
    """Word the refusal of a request for which budgets closed these targets: by the one that may soonest be asked."""
    closed = [
        (snapshot.budgets[budget].resets, price, budget)
        for name in dear
        if (budget := in_the_way(left.of(name), price := snapshot.prices.get(name))) is not None
    ]
    _, price, budget = min(
        closed,
        key=lambda one: (one[0] is None, one[0].timestamp() if one[0] else 0.0, one[1] is None, one[1] or 0.0),
    )
    return budget_refusal(budget, snapshot.budgets[budget], price, snapshot.now)


def _as_text(request: AnyRequest) -> str:
    """Return what else the owner can do for a request with attachments."""
    if not request.media or not isinstance(request, ChatRequest):
        return ""
    return ", or have such models given what attachments say ('attachments: {for_text_models: true}')"


def _wait(state: TargetState) -> float | None:
    """Return the seconds until a target that failed is tried again and has loaded its model; None: nobody knows."""
    known = [seconds for seconds in (state.retry_in, state.load_seconds) if seconds is not None]
    return sum(known) if known else None


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
