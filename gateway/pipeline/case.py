"""A request that was decided on, and where its answer came from: frozen data that the steps hand on."""

import msgspec

from gateway.core.labels import Label, Zone
from gateway.core.outbound import withheld
from gateway.core.request import Inherited
from gateway.core.target import Api
from gateway.pipeline.masking import Outgoing
from gateway.pipeline.settlement import RequestAccount
from gateway.policy import Decision, Evidence, Policy, Sensitivity
from gateway.upstream.unsaid import unsaid


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The way that a request took, for the answer's headers."""

    request_id: str
    label: Label
    rule: str
    target: str | None = None
    zone: Zone | None = None
    masked: tuple[tuple[str, int], ...] = ()  # category → findings that went out under pseudonyms
    unknown_tags: tuple[str, ...] = ()  # tags of the request that nobody declared
    dropped: tuple[str, ...] = ()  # fields of the body that the target was not sent


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

    def bequest(self) -> Inherited:
        """Return what whatever continues this request, or its answer, inherits from it."""
        return Inherited(label=self.first.label, causes=self.causes, tags=self.evidence.inbound.tags)

    def route_ahead(self) -> Route:
        """Return the way before anybody was asked; where only one target may answer, it is known already."""
        candidates = self.decision.candidates
        return self.route(candidates[0].target, candidates[0].zone) if len(candidates) == 1 else self.route()

    def route(self, target: str | None = None, zone: Zone | None = None) -> Route:
        """Return what the answer's headers say about the request's way.

        Of a masked request that went to a cloud they name the label and the categories under pseudonyms, of any other
        one the label of the original.
        """
        decision, request = self.decision, self.evidence.inbound.request
        left = self.masked is not None and zone is Zone.CLOUD
        return Route(
            request_id=self.evidence.inbound.id,
            label=decision.label if left else self.first.label,
            rule=decision.rule,
            target=target,
            zone=zone,
            masked=self.masked.counts if self.masked is not None and left else (),
            unknown_tags=tuple(sorted(self.first.unknown_tags)),
            dropped=(*request.left_out, *self._unsaid(target), *(withheld(request) if zone is Zone.CLOUD else ())),
        )

    def _unsaid(self, target: str | None) -> tuple[str, ...]:
        """Return what of the request the target is not told, because its API has no words for it."""
        request, info = self.evidence.inbound.request, self.policy.catalog.targets.get(target or "")
        marked = () if info is not None and info.marks else request.marked
        api = Api.CHAT if info is None else info.api
        return (*marked, *unsaid(api, request.document))
