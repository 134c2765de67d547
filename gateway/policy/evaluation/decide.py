"""`decide`: which targets may answer a request, in order. Pure: same input, same output, in every process.

The order of the steps: the label is assessed; rules that tag or raise are worked from top to bottom; restrictions of
all matching rules are added up; the first matching rule with `prefer` gives the order; what may not or can not answer
is taken out; if nothing is left of a rule's order, `otherwise` is used; a target that is not healthy goes to the end.
"""

from collections.abc import Sequence
from functools import partial

from gateway.core.finding import Inspection
from gateway.core.labels import Label
from gateway.core.snapshot import Snapshot
from gateway.policy.evaluation.budgets import Left, in_the_way, limits
from gateway.policy.evaluation.compiled import GROW, Compiled, Policy
from gateway.policy.evaluation.decision import Candidate, Decision, Refusal, Removed, Subject, Why
from gateway.policy.evaluation.eligibility import obstacles
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.evaluation.fact_values import getter
from gateway.policy.evaluation.labels import assess_asked, unknown_tags
from gateway.policy.evaluation.refusals import refused_by_rule, unknown_model, unknown_tag, why_nothing
from gateway.policy.evaluation.request_view import RequestView
from gateway.policy.language.ast import Otherwise, Overrides, Rule, UnknownTags
from gateway.policy.language.conditions import ALWAYS, truth
from gateway.privacy.categories import covered, is_topic

LABELS = (Label.PUBLIC, Label.INTERNAL, Label.SENSITIVE)
_PLAIN = Overrides()
_NOTHING: frozenset[str] = frozenset()
_NO_RULES: Sequence[int] = ()
_UNRESTRICTED: "tuple[frozenset[str] | None, Rule | None, int | None]" = (None, None, None)


def decide(evidence: Evidence, policy: Policy) -> Decision:
    """Decide which targets may answer a request, in order. Never raises: what can't be answered is a refusal."""
    return decide_relieved(evidence, policy, frozenset())


def decide_relieved(evidence: Evidence, policy: Policy, relief: frozenset[str]) -> Decision:
    """Decide, while findings of the categories `relief` don't count for the label; rules see them all the same.

    Only `evaluation.masking` may pass any: it answers for their being masked in the request that this is about.
    """
    inbound, inspection, snapshot = evidence.inbound, evidence.inspection, evidence.snapshot
    alias = policy.catalog.resolve(inbound.request.model)
    if alias is None:
        return _refused(evidence, policy, "", unknown_model(inbound, policy.catalog), Why.ALIAS)
    strangers = unknown_tags(inbound, policy.document.labels)
    if strangers and policy.document.labels.unknown_tags is UnknownTags.REFUSE:
        wording = unknown_tag(strangers, policy.document.labels.known_tags)
        return _refused(evidence, policy, alias.name, wording, Why.REFUSED)
    view = RequestView(evidence, alias, policy.locals[alias.name])
    label, source = assess_asked(inbound, inspection, alias.name, policy.catalog, policy.document.labels, relief)
    view.label = label
    compiled = policy.compiled
    standing = compiled.index.fixed(view)
    grown: list[int] = []
    if standing & compiled.grow:
        _grow(view, policy, standing, grown)
        if view.label > label:
            source = "rule"
    standing = compiled.index.moving(view, standing)
    rules = policy.document.rules
    restricting, granting = standing & compiled.restrict, standing & compiled.permit
    acting = _rules(compiled, restricting) if restricting else _NO_RULES
    permitting = _rules(compiled, granting) if granting else _NO_RULES
    only, refusal, cap = _restrictions(rules, acting) if acting else _UNRESTRICTED
    left = limits(snapshot.budgets, inbound.caller.key, view.tags)
    against = partial(obstacles, policy.catalog.targets, inbound.request, snapshot, alias, view.label, only, cap, left)
    found = against()
    route = standing & compiled.route
    number = compiled.rule_of[compiled.index.entry_of[(route & -route).bit_length() - 1]] if route else None
    order, rule, reason = _order(view, policy, number, found)
    if not order and Why.CONTEXT in found.values():  # an answer that ends with the window is better than none
        found = against(whole=False)
        order, rule, reason = _order(view, policy, number, found)
    overrides = _overrides(rules, cap, permitting, found) if acting or permitting else _PLAIN
    if refusal is not None:
        rule, reason, order = refusal.name, "refused", ()
        said: Refusal | None = refused_by_rule(refusal)
    elif not order:
        reason = "refused"
        named = _named(view, policy, number)
        said = why_nothing(inbound, snapshot, view.label, found, named, view.tags)
    else:
        said = None
    return Decision(
        request_id=inbound.id,
        subject=Subject(inbound.request),
        alias=alias.name,
        label=LABELS[view.label],
        label_source=source,
        tags=view.tags,
        rule=rule,
        reason=reason,
        candidates=_candidates(order, policy, snapshot),
        removed=_removed(order, found, refusal is not None),
        policy_digest=policy.digest,
        refusal=said,
        budget=_kept_out(view, policy, number, found, left) if left and refusal is None else None,
        overrides=overrides,
        mask=frozenset().union(*(rules[number].mask for number in permitting)) if permitting else _NOTHING,
        masked=_masked(inspection, relief),
        unknown_tags=strangers,
        restrictions=_names(rules, {*grown, *acting, *permitting}) if grown or acting or permitting else (),
        found=frozenset({finding.category for finding in inspection.findings}) if inspection.findings else _NOTHING,
    )


def _names(rules: Sequence[Rule], numbers: set[int]) -> tuple[str, ...]:
    return tuple([rules[number].name for number in sorted(numbers)])


def _masked(inspection: Inspection, relief: frozenset[str]) -> frozenset[str] | None:
    if not relief:
        return None
    categories = {finding.category for finding in inspection.findings if covered(finding.category, relief)}
    return frozenset(category for category in categories if not is_topic(category))


def _rules(compiled: Compiled, bits: int) -> list[int]:
    """Return the numbers of the rules behind rows, in order, each once."""
    found: list[int] = []
    entry_of, rule_of = compiled.index.entry_of, compiled.rule_of
    while bits:
        low = bits & -bits
        number = rule_of[entry_of[low.bit_length() - 1]]
        if not found or found[-1] != number:
            found.append(number)
        bits ^= low
    return found


def _grow(view: RequestView, policy: Policy, standing: int, grown: list[int]) -> None:
    """Apply tags and raises from top to bottom, each rule once: it sees what the ones above it made."""
    compiled, mapped = policy.compiled, policy.document.labels.tags
    left = standing & compiled.grow
    while left:
        now = compiled.index.moving(view, left)
        if not now:
            return
        low = now & -now
        entry = compiled.index.entry_of[low.bit_length() - 1]
        number = compiled.rule_of[entry]
        rule = policy.document.rules[number]
        assert compiled.deed_of[entry] == GROW
        grown.append(number)
        view.tags = view.tags | rule.tag
        levels = [view.label, rule.raise_to or 0, *(mapped[tag] for tag in rule.tag if tag in mapped)]
        view.label = int(max(levels))
        # Rows above this rule were passed: they don't get a second chance.
        left &= ~((low << 1) - 1) & ~compiled.index.entry_bits[entry]


def _restrictions(
    rules: Sequence[Rule], acting: Sequence[int]
) -> tuple[frozenset[str] | None, Rule | None, int | None]:
    """Join the restrictions: the targets that every `only` permits, the first rule that refuses, the smallest cap."""
    only: frozenset[str] | None = None
    refusal: Rule | None = None
    cap: int | None = None
    for number in acting:
        rule = rules[number]
        if rule.only is not None:
            only = rule.only if only is None else only & rule.only
        if rule.refuse is not None and refusal is None:
            refusal = rule
        limit = rule.overrides.max_output_tokens if rule.overrides is not None else None
        if limit is not None:
            cap = limit if cap is None else min(cap, limit)
    return only, refusal, cap


def otherwise_for(view: RequestView, policy: Policy) -> Otherwise:
    """Return the `otherwise` of the key, else of the alias, else of the policy."""
    for entry in policy.document.otherwise:
        if entry.when is ALWAYS or truth(entry.when, lambda fact: getter(fact)(view)):
            return entry
    return policy.document.otherwise[-1]


def _order(
    view: RequestView, policy: Policy, number: int | None, found: dict[str, Why | None]
) -> tuple[tuple[str, ...], str, str]:
    """Return the target names in order, the rule that chose, and why the first is first."""
    if number is not None:
        rule = policy.document.rules[number]
        wished = rule.prefer or ()
        order = tuple([name for name in wished if found[name] is None])
        if order:
            return order, rule.name, "rule" if order[0] == wished[0] else "only_permitted"
    wished = otherwise_for(view, policy).prefer
    order = tuple([name for name in wished if found[name] is None])
    first = bool(order) and number is None and order[0] == wished[0]
    return order, "otherwise", "otherwise" if first else "only_permitted"


def _kept_out(
    view: RequestView, policy: Policy, number: int | None, found: dict[str, Why | None], left: Left
) -> str | None:
    """Return the budget that kept out the target that would have been asked first; None: no budget did."""
    if Why.BUDGET not in found.values():
        return None
    wished = policy.document.rules[number].prefer if number is not None else None
    for name in (*(wished or ()), *otherwise_for(view, policy).prefer):
        if found[name] is None:
            return None
        if found[name] is Why.BUDGET:
            return in_the_way(left.of(name), view.snapshot.prices.get(name))
    return None


def _named(view: RequestView, policy: Policy, number: int | None) -> frozenset[str]:
    """Return every target that the policy would have used, had nothing stood against it."""
    wished = policy.document.rules[number].prefer if number is not None else None
    return frozenset((*(wished or ()), *otherwise_for(view, policy).prefer))


def _candidates(order: Sequence[str], policy: Policy, snapshot: Snapshot) -> tuple[Candidate, ...]:
    ready = policy.candidates
    ill: list[str] = []
    if len(order) > 1:
        states = snapshot.targets
        for name in order:
            state = states.get(name)
            if state is not None and not state.healthy:
                ill.append(name)
        if ill:
            order = [name for name in order if name not in ill] + ill
    return tuple([ready[name] for name in order])


def _removed(order: Sequence[str], found: dict[str, Why | None], refused: bool) -> tuple[Removed, ...]:
    if len(order) == len(found):  # a target stands in the order only where nothing stands against it
        return ()
    left = Why.REFUSED if refused else Why.NOT_PREFERRED
    return tuple(
        [
            Removed(target=name, reason=why or left)
            for name, why in found.items()
            if why is not None or name not in order
        ]
    )


def _overrides(
    rules: Sequence[Rule], cap: int | None, permitting: Sequence[int], found: dict[str, Why | None]
) -> Overrides:
    """Join the settings: the smallest cap, the first temperature, prefix and shadow, the first priority."""
    temperature: float | None = None
    prefix: str | None = None
    shadow: str | None = None
    priority = 0
    for number in permitting:
        settings = rules[number].overrides or _PLAIN
        temperature = settings.temperature if temperature is None else temperature
        prefix = settings.system_prefix if prefix is None else prefix
        priority = priority or settings.priority
        if shadow is None and settings.shadow is not None and found[settings.shadow] is None:
            shadow = settings.shadow
    return Overrides(
        max_output_tokens=cap, temperature=temperature, system_prefix=prefix, priority=priority, shadow=shadow
    )


def _refused(evidence: Evidence, policy: Policy, alias: str, refusal: Refusal, why: Why) -> Decision:
    """Refuse what no rule is asked about: a model or a tag that does not exist."""
    inbound, labels = evidence.inbound, policy.document.labels
    label, source = assess_asked(inbound, evidence.inspection, alias, policy.catalog, labels)
    return Decision(
        request_id=inbound.id,
        subject=Subject(inbound.request),
        alias=alias or "other",
        label=LABELS[label],
        label_source=source,
        tags=inbound.tags,
        rule="-",
        reason="refused",
        candidates=(),
        removed=tuple(Removed(target=name, reason=why) for name in policy.catalog.targets),
        policy_digest=policy.digest,
        refusal=refusal,
        unknown_tags=unknown_tags(inbound, labels),
    )
