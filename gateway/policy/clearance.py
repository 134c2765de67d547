"""The clearance: the only ticket into the cloud. It is minted here and nowhere else.

It holds the exact document that will be sent, deeply immutable. It can't be constructed, changed, copied, pickled or
subclassed elsewhere; whoever tries gets a TypeError, and the type checker says so before.
"""

from typing import Final, Never, NoReturn, SupportsIndex, final

import msgspec

from gateway.core.document import JsonObject
from gateway.core.errors import PolicyRefused
from gateway.core.labels import Label, Zone
from gateway.core.outbound import outbound_document
from gateway.core.request import LOCAL_ENDPOINTS, Dialect, Endpoint, Inbound, MediaRequest, MediaWork, endpoint_of
from gateway.core.secret import Credential, CredentialForm
from gateway.core.target import Api, TargetInfo
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.decision import Decision
from gateway.policy.evaluation.overrides import overridden


@final
class _Seal:
    """The mark of a genuine clearance. Only this module has one; without it a clearance is refused at every use."""

    __slots__ = ()


_SEAL: Final = _Seal()


class Cleared(msgspec.Struct, frozen=True, kw_only=True):
    """What a clearance holds. It permits nothing: nobody takes it in a clearance's place."""

    request_id: str
    target: str
    label: Label
    endpoint: Endpoint
    document: JsonObject
    credential: Credential | None = None
    work: MediaWork | None = None
    policy_digest: str = ""
    known: frozenset[str] = frozenset()
    prefix: str = ""

    def __repr__(self) -> str:
        return f"Cleared(request_id={self.request_id!r}, target={self.target!r}, label={self.label.word})"


@final
class Clearance:
    """Permission to send one document to one cloud target once."""

    __slots__ = ("_cleared", "_seal")

    def __init__(
        self,
        seal: _Seal,
        *,
        request_id: str,
        target: str,
        label: Label,
        endpoint: Endpoint,
        document: JsonObject,
        credential: Credential | None = None,
        work: MediaWork | None = None,
        policy_digest: str = "",
        known: frozenset[str] = frozenset(),
        prefix: str = "",
    ) -> None:
        if seal is not _SEAL or hasattr(self, "_seal"):
            raise TypeError("a clearance is minted by the policy, never constructed")
        cleared = Cleared(
            request_id=request_id,
            target=target,
            label=label,
            endpoint=endpoint,
            document=document,
            credential=credential,
            work=work,
            policy_digest=policy_digest,
            known=known,
            prefix=prefix,
        )
        object.__setattr__(self, "_seal", seal)
        object.__setattr__(self, "_cleared", cleared)

    def opened(self) -> Cleared:
        """Return what was cleared, all of it with one look at the seal.

        Raises:
            TypeError: Nobody minted this clearance.
        """
        if getattr(self, "_seal", None) is not _SEAL:
            raise TypeError("this clearance was not minted by the policy")
        return self._cleared  # type: ignore[attr-defined,no-any-return]

    @property
    def request_id(self) -> str:
        """Id of the request it was minted for."""
        return self.opened().request_id

    @property
    def target(self) -> str:
        """The only target that may use it."""
        return self.opened().target

    @property
    def label(self) -> Label:
        """The request's label, at most the target's ceiling."""
        return self.opened().label

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that is asked for."""
        return self.opened().endpoint

    @property
    def work(self) -> MediaWork | None:
        """What of the endpoint is asked for; None: it has no kinds."""
        return self.opened().work

    @property
    def document(self) -> JsonObject:
        """The document that is sent; nothing else is."""
        return self.opened().document

    @property
    def policy_digest(self) -> str:
        """Digest of the policy that permitted it."""
        return self.opened().policy_digest

    @property
    def known(self) -> frozenset[str]:
        """Categories that inspection found in the document and the decision let pass. What was masked is none."""
        return self.opened().known

    @property
    def prefix(self) -> str:
        """Text that the policy itself put before the conversation; empty: none."""
        return self.opened().prefix

    @property
    def credential(self) -> Credential | None:
        """The caller's own credential for this target's provider; None: none came, or the target wants none."""
        return self.opened().credential

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a clearance never changes")

    def __delattr__(self, name: str) -> NoReturn:
        raise TypeError("a clearance never changes")

    def __init_subclass__(cls, **_: Never) -> None:
        raise TypeError("a clearance has no subclasses")

    def __copy__(self) -> NoReturn:
        raise TypeError("a clearance is not copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a clearance is not copied")

    def __replace__(self, **_: object) -> NoReturn:
        raise TypeError("a clearance is not copied")

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a clearance does not leave this process")

    def __repr__(self) -> str:
        return f"Clearance(request_id={self.request_id!r}, target={self.target!r}, label={self.label.word})"


def mint(decision: Decision, target: str, inbound: Inbound, policy: Policy) -> Clearance:
    """Mint the clearance for sending this request to this cloud target.

    Everything is checked once more, independently of `decide`: that the decision is about this very request and was
    made under this policy, that it permits the target, and that the label is not above the target's ceiling.

    Raises:
        PolicyRefused: One of these checks fails.
    """
    info = policy.catalog.targets.get(target)
    if decision.request_id != inbound.id or not decision.subject.is_(inbound.request):
        raise _stopped("the decision is about another request")
    if decision.policy_digest != policy.digest:
        raise _stopped("the decision was made under another policy")
    permitted = {candidate.target for candidate in decision.candidates} | {decision.overrides.shadow}
    if decision.refusal is not None or not decision.candidates or target not in permitted:
        raise _stopped(f"the decision does not permit the target {target!r}")
    if info is None or info.zone is not Zone.CLOUD:
        raise _stopped(f"{target!r} is not a cloud target")
    if decision.label > info.ceiling or decision.label >= Label.SENSITIVE:
        raise _stopped(f"the label {decision.label.word} is above the ceiling of {target!r}")
    if endpoint_of(inbound.request) in LOCAL_ENDPOINTS:
        raise _stopped("no cloud is asked such a thing")
    request = overridden(inbound.request, decision.overrides)
    return Clearance(
        _SEAL,
        request_id=inbound.id,
        target=target,
        label=decision.label,
        endpoint=endpoint_of(request),
        document=outbound_document(request, info),
        credential=_credential_for(info, inbound),
        work=request.work if isinstance(request, MediaRequest) else None,
        policy_digest=policy.digest,
        known=decision.found - (decision.masked or frozenset()),
        prefix=decision.overrides.system_prefix or "",
    )


def _credential_for(info: TargetInfo, inbound: Inbound) -> Credential | None:
    """Return the caller's own credential of the form that a target's provider takes, where the target wants one.

    INVARIANT: a key that came for one kind of provider goes to no other. `x-api-key` is Anthropic's; a Bearer token is
    Anthropic's in Anthropic's dialect, and nobody's but an OpenAI-like provider's in the others.
    """
    if not info.client_credential:
        return None
    given = {one.form: one for one in inbound.credentials}
    bearer = given.get(CredentialForm.BEARER)
    of_anthropic = inbound.request.dialect is Dialect.ANTHROPIC
    if info.api is Api.MESSAGES:
        return given.get(CredentialForm.API_KEY) or (bearer if of_anthropic else None)
    return None if of_anthropic else bearer


def _stopped(reason: str) -> PolicyRefused:
    return PolicyRefused(f"This request was stopped at the border: {reason}.", code="clearance_refused")
