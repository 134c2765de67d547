"""A request that was decided on, and where its answer came from: frozen data that the steps hand on."""

import re

import msgspec

from gateway.core.labels import Label, Zone
from gateway.core.outbound import withheld
from gateway.core.request import AnyRequest, ChatRequest, Inherited
from gateway.core.route import Room, Route
from gateway.core.target import TargetInfo
from gateway.pipeline.attachments.attached import Attached
from gateway.pipeline.masking import Outgoing
from gateway.pipeline.rate_limits import Need
from gateway.pipeline.settlement import RequestAccount
from gateway.policy import Decision, Evidence, Policy, Sensitivity, label_without, reasons_of
from gateway.upstream.unsaid import unsaid

_PLAIN = re.compile(r"(?!.*[0-9]{9})[A-Za-z][A-Za-z0-9_]{0,47}")  # other names could be content


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was decided on, with everything its decision rests on."""

    evidence: Evidence
    policy: Policy
    decision: Decision
    account: RequestAccount
    first: Decision  # about the request as it came; the same as `decision` where nothing is masked
    masked: Outgoing | None = None
    sensitivity: Sensitivity = Sensitivity()  # why `first` says that it is sensitive
    causes: frozenset[str] | None = None  # categories that alone made the request sensitive
    need: Need  # the tokens that it may take
    attached: Attached = Attached()  # with what was read, where that could matter

    def bequest(self) -> Inherited:
        """Return what whatever continues this request, or its answer, inherits from it."""
        rest = label_without(self.evidence, self.policy, self.causes) if self.causes else Label.PUBLIC
        own = Inherited(label=self.first.label, causes=self.causes, tags=self.evidence.inbound.tags, rest=rest)
        past = self.evidence.inbound.inherited
        return own if past is None else msgspec.structs.replace(own, rest=max(rest, past.least))

    def ahead(self) -> tuple[str | None, Zone | None]:
        """Return who will answer, before anybody was asked: known where only one target may."""
        candidates = self.decision.candidates
        return (candidates[0].target, candidates[0].zone) if len(candidates) == 1 else (None, None)

    def route(
        self, target: str | None = None, zone: Zone | None = None, room: Room | None = None, tokens: Room | None = None
    ) -> Route:
        """Return what the answer's headers say about the request's way, and what is left of its limits.

        Of a masked request that went to a cloud they name the label and the categories under pseudonyms, of any other
        one the label of the original.
        """
        decision, request = self.decision, self.evidence.inbound.request
        left = self.masked is not None and zone is Zone.CLOUD
        info = self.policy.catalog.targets.get(target or "")
        return Route(
            request_id=self.evidence.inbound.id,
            label=decision.label if left else self.first.label,
            rule=decision.rule,
            target=target,
            zone=zone,
            masked=self.masked.counts if self.masked is not None and left else (),
            unknown_tags=tuple(sorted(self.first.unknown_tags)),
            dropped=(
                *request.left_out,
                *unsaid(request, info),
                *_unrun(request, info),
                *(withheld(request) if zone is Zone.CLOUD else ()),
            ),
            reasons=() if left else reasons_of(self.first, self.evidence, self.policy),
            dialect=request.dialect,
            room=room,
            tokens=tokens,
        )


def _unrun(request: AnyRequest, info: TargetInfo | None) -> tuple[str, ...]:
    """Return the tools that an embedded model is not offered, because only a provider could run them."""
    if info is None or info.kind != "embedded" or not isinstance(request, ChatRequest):
        return ()
    return tuple(f"tools[].{kind}" for kind in request.provider_tools if _PLAIN.fullmatch(kind))


def refused_route(decision: Decision, evidence: Evidence, policy: Policy) -> Route:
    """Return the way of a request that is sent nowhere."""
    return Route(
        request_id=evidence.inbound.id,
        label=decision.label,
        rule=decision.rule,
        refused=decision.refusal is not None or not decision.candidates,
        unknown_tags=tuple(sorted(decision.unknown_tags)),
        reasons=reasons_of(decision, evidence, policy),
        dialect=evidence.inbound.request.dialect,
    )
