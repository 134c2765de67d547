"""Genuine clearances for tests: a small policy decides, the mint mints. There is no other way to get one."""

import itertools

from gateway.core.finding import Finding, Inspection
from gateway.core.labels import Label
from gateway.core.request import AnyRequest, Caller, Inbound
from gateway.core.secret import Credential
from gateway.core.snapshot import Snapshot
from gateway.core.target import Alias, Catalog, TargetInfo
from gateway.policy import Clearance, Evidence, decide, load_policy, mint

_NUMBERS = itertools.count(1)
_POLICY = """
version: 1
labels:
  default: internal
  tags: {{public: public, internal: internal, private: sensitive}}
  findings: {{financial: public, contact: public}}
otherwise: {{prefer: [{name}]}}
"""


def clearance_for(
    request: AnyRequest,
    info: TargetInfo,
    label: Label = Label.PUBLIC,
    *,
    credentials: tuple[Credential, ...] = (),
    found: tuple[str, ...] = (),
) -> Clearance:
    """A clearance to send `request` to the target `info` under `label`, where its caller has these credentials.

    `found`: categories that inspection is to have found in it.
    """
    catalog = Catalog(targets={info.name: info}, aliases={"auto": Alias(name="auto")}, unknown_model="auto")
    policy = load_policy([("test.yaml", _POLICY.format(name=info.name))], catalog)
    inbound = Inbound(
        id=f"req_{next(_NUMBERS)}",
        request=request,
        caller=Caller(),
        tags=frozenset({label.word}),
        credentials=credentials,
    )
    findings = tuple(
        Finding(detector="test", category=category, path="$", start=0, end=1, confidence=1.0) for category in found
    )
    evidence = Evidence(inbound=inbound, inspection=Inspection(findings=findings), snapshot=Snapshot())
    decision = decide(evidence, policy)
    return mint(decision, info.name, inbound, policy)
