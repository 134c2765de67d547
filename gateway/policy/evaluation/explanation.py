"""`explain`: the whole decision, rule by rule. Pure, and slower than `decide`, whose result it shows."""

import msgspec

from gateway.core.attachment import SeenAttachment
from gateway.core.finding import Inspection
from gateway.core.labels import Label
from gateway.core.yaml_source import known_names, suggest
from gateway.policy.evaluation.compiled import Policy, deeds
from gateway.policy.evaluation.decide import decide, otherwise_for
from gateway.policy.evaluation.decision import Decision, Why
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.evaluation.fact_values import getter
from gateway.policy.evaluation.labels import assess_asked, label_of_category, taint_masked
from gateway.policy.evaluation.masking import foresee
from gateway.policy.evaluation.request_view import RequestView
from gateway.policy.language.ast import Rule, UnknownTags
from gateway.policy.language.conditions import Condition, FactRef, FactValue, atoms, truth
from gateway.privacy.categories import covered, is_topic

TRUTH = {True: "true", False: "false", None: "unknown"}
REASONS = {
    Why.ALIAS: "the model name asked for does not include it",
    Why.LABEL: "the label is above its ceiling",
    Why.ONLY: "a rule's 'only' leaves it out",
    Why.ENDPOINT: "it does not serve this endpoint",
    Why.CAPABILITY: "it can't do what the request needs",
    Why.CONTEXT: "the prompt, or room for the answer, doesn't fit its window",
    Why.BUDGET: "it costs money, and a budget does not allow for it",
    Why.BREAKER: "it failed often just now and is left alone for a while",
    Why.NOT_PREFERRED: "neither the rule that chose nor 'otherwise' names it here",
    Why.REFUSED: "a rule refuses the request",
}


_MOST_TRACES = 5  # that are told in words; all of them are in the JSON
_MOST_FINDINGS = 100  # whose places are told
_MOST_ATTACHMENTS = 20  # that are told in words
_MOST_PLACES = 3  # sentences of one topic that are named


class FactLine(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that a rule asked about. Header values are not shown."""

    name: str
    value: str


class RuleLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rule and what became of it."""

    name: str
    place: str
    condition: str  # true, false, unknown
    matched: bool
    effect: str  # what it did, or why nothing
    facts: tuple[FactLine, ...]


class TargetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A target and what became of it."""

    name: str
    zone: str
    ceiling: str
    position: int | None  # order of trying, from 1
    reason: str


class TraceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the request that is known as sensitive from before: where it stands, and by what it is known."""

    kind: str
    path: str


class AttachmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment and how far it was read: `no`, `whole` or `in part`, with the reasons."""

    path: str
    kind: str
    pages: int
    read: str
    reasons: tuple[str, ...]


class FindingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A finding: its category, and where it stands, in characters of the string at a path. Never the text."""

    category: str
    path: str
    start: int
    end: int


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one decision, without content. `decision` is what `decide` gave."""

    request_id: str
    policy_digest: str
    alias: str
    label: str
    label_source: str
    label_steps: tuple[str, ...]
    findings: tuple[FindingLine, ...]  # the first hundred
    tainted: bool
    traces: tuple[TraceLine, ...]
    attachments: tuple[AttachmentLine, ...]
    tags: tuple[str, ...]
    rules: tuple[RuleLine, ...]
    otherwise: tuple[str, ...]
    targets: tuple[TargetLine, ...]
    chosen_by: str
    candidates: tuple[str, ...]
    masked: tuple[str, ...] | None  # categories that go out under pseudonyms; None: nothing is masked
    refusal: str | None
    refusal_status: int | None
    overrides: tuple[FactLine, ...]

    def json(self) -> bytes:
        """Return the explanation as JSON."""
        return msgspec.json.encode(self)


def explain(evidence: Evidence, policy: Policy, *, masks: bool = True) -> Explanation:
    """Decide about a request, and explain how the decision came about.

    `masks` is False where masking was tried and left something.
    """
    first = decide(evidence, policy)
    second = foresee(first, evidence, policy) if masks else None
    decision = second or first
    alias = policy.catalog.resolve(evidence.inbound.request.model)
    rules: tuple[RuleLine, ...] = ()
    otherwise: tuple[str, ...] = ()
    if alias is not None:
        view = RequestView(evidence, alias, policy.locals[alias.name])
        view.label, view.tags = int(decision.label), decision.tags
        applied = frozenset((*first.restrictions, *decision.restrictions))
        rules = tuple(_rule_line(rule, view, decision, applied) for rule in policy.rules)
        otherwise = otherwise_for(view, policy).prefer
    return Explanation(
        request_id=evidence.inbound.id,
        policy_digest=policy.digest,
        alias=decision.alias,
        label=decision.label.word,
        label_source=decision.label_source,
        label_steps=_label_steps(evidence, decision, policy, first.mask if second else frozenset()),
        findings=tuple(
            FindingLine(category=one.category, path=one.path, start=one.start, end=one.end)
            for one in evidence.inspection.findings[:_MOST_FINDINGS]
        ),
        tainted=evidence.inspection.tainted,
        traces=tuple(TraceLine(kind=trace.kind, path=trace.path) for trace in evidence.inspection.traces),
        attachments=tuple(_attachment_line(one) for one in evidence.inspection.attachments),
        tags=tuple(sorted(decision.tags)),
        rules=rules,
        otherwise=otherwise,
        targets=_target_lines(decision, policy),
        chosen_by=decision.rule,
        candidates=tuple(candidate.target for candidate in decision.candidates),
        masked=None if decision.masked is None else tuple(sorted(decision.masked)),
        refusal=decision.refusal.message if decision.refusal else None,
        refusal_status=decision.refusal.status if decision.refusal else None,
        overrides=tuple(
            FactLine(name=name, value=str(value))
            for name, value in msgspec.structs.asdict(decision.overrides).items()
            if value not in (None, 0)
        ),
    )


def _attachment_line(one: SeenAttachment) -> AttachmentLine:
    read = "no" if not one.read else "whole" if one.whole else "in part"
    return AttachmentLine(path=one.path, kind=one.kind, pages=one.pages, read=read, reasons=one.reasons)


def _rule_line(rule: Rule, view: RequestView, decision: Decision, applied: frozenset[str]) -> RuleLine:
    value = truth(rule.when, lambda fact: getter(fact)(view))
    polarity = [restricts for _, restricts in deeds(rule)]
    matched = value is True or (value is None and any(polarity)) or rule.name in applied
    return RuleLine(
        name=rule.name,
        place=str(rule.place),
        condition=TRUTH[value],
        matched=matched,
        effect=_effect(rule, value, matched, decision, applied),
        facts=_fact_lines(rule.when, view),
    )


def _effect(rule: Rule, value: bool | None, matched: bool, decision: Decision, applied: frozenset[str]) -> str:
    if not matched:
        if value is None:
            return "not used: a fact is unknown, and a rule that permits then counts as not matched"
        return "not matched"
    said: list[str] = []
    if rule.name == decision.rule:
        said.append("refused the request" if decision.reason == "refused" else "chose the order of targets")
    if rule.name in applied:
        said.append("applied: " + ", ".join(_actions(rule)))
    if not said:
        said.append("matched; an earlier rule had chosen" if rule.prefer is not None else "matched")
    if rule.prefer is not None and decision.rule == "otherwise":
        said = ["matched, but none of its targets may or can answer; 'otherwise' was used"]
    return "; ".join(said) + (
        " (a fact is unknown; a rule that restricts then counts as matched)" if value is None else ""
    )


def _actions(rule: Rule) -> list[str]:
    found: list[str] = []
    if rule.only is not None:
        found.append("only " + ", ".join(sorted(rule.only)))
    if rule.refuse is not None:
        found.append("refuse")
    if rule.tag:
        found.append("tag " + ", ".join(sorted(rule.tag)))
    if rule.raise_to is not None:
        found.append(f"raise to {rule.raise_to.word}")
    if rule.mask:
        found.append("mask " + ", ".join(sorted(rule.mask)))
    if rule.overrides is not None:
        found.append("settings")
    return found


def _fact_lines(condition: Condition, view: RequestView) -> tuple[FactLine, ...]:
    seen: dict[FactRef, FactLine] = {}
    for atom in atoms(condition):
        value = getter(atom.fact)(view)
        seen.setdefault(atom.fact, FactLine(name=str(atom.fact), value=_shown(atom.fact, value)))
    return tuple(seen.values())


def _shown(fact: FactRef, value: FactValue) -> str:
    if value is None:
        return "unknown"
    if fact.name == "header":
        return "present" if value else "absent"
    if fact.name == "label":
        return Label(int(value)).word if isinstance(value, int | float) else "unknown"
    if fact.name == "time" and isinstance(value, int | float):
        return f"{int(value) // 60:02}:{int(value) % 60:02}"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _places(category: str, inspection: Inspection) -> str:
    """Return where a topic is told: the most certain sentences, by path and characters, never their text."""
    if not is_topic(category):
        return ""
    found = sorted((one for one in inspection.findings if one.category == category), key=lambda one: -one.confidence)
    named = [f"{one.path} {one.start}-{one.end} ({one.confidence:.0%})" for one in found[:_MOST_PLACES]]
    more = f" and {len(found) - len(named)} more" if len(found) > len(named) else ""
    return f", at {', '.join(named)}{more}"


def _attachment_step(one: SeenAttachment, inspection: Inspection) -> str:
    """Return what was read of an attachment, and which categories were found in which places of it."""
    line = _attachment_line(one)
    pages = f", {one.pages} page{'s' if one.pages != 1 else ''}" if one.pages else ""
    why = f" ({', '.join(line.reasons)})" if line.reasons else ""
    found: dict[str, list[str]] = {}
    for finding in inspection.findings:
        if finding.path == one.path or finding.path.startswith(f"{one.path} "):
            found.setdefault(finding.path.removeprefix(one.path).strip(), []).append(finding.category)
    said = [f"{place}: " * bool(place) + ", ".join(sorted(set(words))) for place, words in found.items()]
    clean = "; clean, so that it may leave" if one.left else ""
    there = f"; found {'; '.join(said)}" if said else ""
    return f"attachment {one.path}: {one.kind}{pages}, read: {line.read}{why}{there}{clean}"


def _label_steps(evidence: Evidence, decision: Decision, policy: Policy, relief: frozenset[str]) -> tuple[str, ...]:
    inbound, inspection, labels = evidence.inbound, evidence.inspection, policy.labels
    steps = [f"tag {tag}: {labels.tags[tag].word}" for tag in sorted(inbound.tags) if tag in labels.tags]
    steps += [_attachment_step(one, inspection) for one in inspection.attachments[:_MOST_ATTACHMENTS]]
    categories = sorted({finding.category for finding in inspection.findings})
    steps += [
        f"found {category}: {'masked' if covered(category, relief) else label_of_category(category, labels).word}"
        + _places(category, inspection)
        for category in categories
    ]
    steps += [f"could not inspect {doubt}: {labels.doubts.get(doubt, Label.SENSITIVE).word}"
              for doubt in sorted({doubt.reason for doubt in inspection.doubts})]  # fmt: skip
    if inspection.tainted and relief and taint_masked(inspection, relief):
        steps.append("an earlier turn of the conversation was sensitive by what is masked")
    elif inspection.tainted:
        steps.append("an earlier turn of the conversation was sensitive: sensitive")
    steps += [f"known from before: a {trace.kind} at {trace.path}" for trace in inspection.traces[:_MOST_TRACES]]
    steps += _unknown_tag_steps(decision, policy)
    first, source = assess_asked(inbound, inspection, decision.alias, policy.catalog, labels, relief)
    if source == "assigned_tag":
        steps.append(f"the tag of the key or model itself lowers it to {Label(first).word}, below the default")
    if source == "tag" and first < labels.default:
        steps.append(f"the policy lets a clean text with this tag be {Label(first).word}, below its default")
    if source == "default":
        steps.append(f"nothing else says more; the default: {Label(first).word}")
        if any(labels.tags.get(tag, first) < first for tag in inbound.tags):
            steps.append("a tag that the caller sends does not lower the default of its key or model")
    if decision.label > first:
        steps.append(f"rules raised it to {decision.label.word}")
    return tuple(steps)


def _unknown_tag_steps(decision: Decision, policy: Policy) -> list[str]:
    effect = {
        UnknownTags.REFUSE: "the policy refuses such requests",
        UnknownTags.SENSITIVE: "sensitive, for it may be a typing error",
        UnknownTags.IGNORE: "the policy ignores it",
    }[policy.labels.unknown_tags]
    known = policy.labels.known_tags
    return [
        f"tag {tag}: not known; {effect}.{suggest(tag, known) or known_names(tag, known)}"
        for tag in sorted(decision.unknown_tags)
    ]


def _target_lines(decision: Decision, policy: Policy) -> tuple[TargetLine, ...]:
    order = {candidate.target: number for number, candidate in enumerate(decision.candidates, 1)}
    removed = {item.target: item.reason for item in decision.removed}
    return tuple(
        TargetLine(
            name=name,
            zone=info.zone,
            ceiling=info.ceiling.word,
            position=order.get(name),
            reason="" if name in order else REASONS[removed[name]],
        )
        for name, info in policy.catalog.targets.items()
    )
