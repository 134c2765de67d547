"""What a request inherits from stored turns that it continues. Pure.

The stored turns are part of its document, so they are inspected like all else. What is no longer to be seen in them (a
tag that came in a header, a rule of that hour, a model name with a default of its own) is inherited.
"""

from collections.abc import Callable, Iterator

import msgspec

from gateway.core.finding import Trace, TraceKind
from gateway.core.labels import Label, Zone
from gateway.core.request import Inbound, Inherited
from gateway.pipeline.ports import Recollection
from gateway.policy import Decision, Evidence

_STORED = Trace(kind=TraceKind.STORED, path="$")


def with_tags(inbound: Inbound) -> Inbound:
    """Return the request with the tags of what it continues beside its own; those alone it then inherits.

    Headers that policies look at are handed down too, where the request has none of that name itself.
    """
    inherited = inbound.inherited
    if inherited is None:
        return inbound
    further = inherited.tags - inbound.tags
    inherited = msgspec.structs.replace(inherited, tags=further)
    headers = {name: value for head in inherited.heads for name, value in head} | dict(inbound.headers)
    return msgspec.structs.replace(
        inbound, tags=inbound.tags | further, headers=tuple(headers.items()), inherited=inherited
    )


def recollected(recalled: Recollection, inherited: Inherited | None) -> Recollection:
    """Return what is known of a request, with the sensitive past of what it continues."""
    if inherited is None or inherited.label is not Label.SENSITIVE:
        return recalled
    past = Inherited(label=Label.SENSITIVE if recalled.tainted else Label.PUBLIC, causes=recalled.causes)
    return msgspec.structs.replace(
        recalled, traces=(*recalled.traces, _STORED), turn=1, causes=inherited.joined(past).causes
    )


def upheld(
    evidence: Evidence, own: Inbound, decision: Decision, decide: Callable[[Evidence], Decision]
) -> tuple[Evidence, Decision]:
    """Return evidence and decision, in which no label has fallen by what is inherited, nor below it.

    INVARIANT: the label is no lower than that of what is continued, no lower than it would be without its tags (a tag
    may also lower the default of a policy), and no lower than under the headers of turns that nobody decided on. Where
    it would be, or one of these would have stayed at home, the request counts as tainted: sensitive.

    Args:
        evidence: What the decision rests on, with the inherited tags and headers.
        own: The request with its own ones alone.
        decision: The decision about it.
        decide: Decides, with the same policy.
    """
    inbound = evidence.inbound
    if inbound.inherited is None:
        return evidence, decision
    least = inbound.inherited.label
    alone = msgspec.structs.replace(inbound, tags=own.tags, headers=own.headers)
    if alone != inbound:
        least = max(least, decide(msgspec.structs.replace(evidence, inbound=alone)).label)
    under = [decide(msgspec.structs.replace(evidence, inbound=other)) for other in _under_heads(inbound)]
    least = max((least, *(other.label for other in under)))
    stays = _leaves(decision) and not all(map(_leaves, under))
    if decision.label >= least and not stays:
        return evidence, decision
    inspection = msgspec.structs.replace(
        evidence.inspection, tainted=True, causes=None, traces=(*evidence.inspection.traces, _STORED)
    )
    evidence = msgspec.structs.replace(evidence, inspection=inspection)
    return evidence, decide(evidence)


def least_masked(evidence: Evidence, label_of: Callable[[Evidence], Label]) -> Label:
    """Return the label below which masking must not bring a request, for the sake of what it continues.

    INVARIANT: masking takes away what was found, and nothing else that is inherited: not the label of an earlier turn
    that had other reasons, and not what the label would be without the inherited tags.

    Args:
        evidence: What the decision about the masked request rests on.
        label_of: Gives the label of a masked request.
    """
    inbound, inherited = evidence.inbound, evidence.inbound.inherited
    if inherited is None:
        return Label.PUBLIC
    others = list(_under_heads(inbound))
    if inherited.tags or inherited.heads:
        handed = {pair for head in inherited.heads for pair in head}
        headers = tuple([pair for pair in inbound.headers if pair not in handed])
        others.append(msgspec.structs.replace(inbound, tags=inbound.tags - inherited.tags, headers=headers))
    labels = [label_of(msgspec.structs.replace(evidence, inbound=other)) for other in others]
    return max((inherited.least, *labels))


def _leaves(decision: Decision) -> bool:
    return any(candidate.zone is Zone.CLOUD for candidate in decision.candidates)


def _under_heads(inbound: Inbound) -> Iterator[Inbound]:
    """Yield the request as it would be with the headers of each turn that it continues and nobody decided on."""
    heads = () if inbound.inherited is None else inbound.inherited.heads
    for head in heads:
        yield msgspec.structs.replace(inbound, headers=tuple((dict(inbound.headers) | dict(head)).items()))
