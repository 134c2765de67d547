"""A typical house: one embedded model, a workstation, two clouds, a few keys. And short ways to ask."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.document import freeze_object
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.labels import Label, Zone
from gateway.core.request import AnyRequest, Caller, ChatRequest, Dialect, Endpoint, Inbound, Message
from gateway.core.snapshot import Snapshot
from gateway.core.target import Alias, Capability, Catalog, TargetInfo
from gateway.policy import Decision, Evidence, Policy, decide, load_policy

EVERYTHING = frozenset({Capability.TOOLS, Capability.IMAGES, Capability.JSON_SCHEMA, Capability.LOGPROBS})


def target(name: str, zone: Zone, ceiling: Label, context: int | None = None, **fields: object) -> TargetInfo:
    """A target with all capabilities, unless said otherwise."""
    values: dict[str, object] = {"kind": "openai", "model": f"{name}-1", "capabilities": EVERYTHING, **fields}
    return TargetInfo(name=name, zone=zone, ceiling=ceiling, context=context, **values)  # type: ignore[arg-type]


def catalog_of(*targets: TargetInfo, **fields: object) -> Catalog:
    """A catalog with the alias `auto` and one for each target."""
    aliases = {"auto": Alias(name="auto")} | {
        info.name: Alias(name=info.name, targets=(info.name,)) for info in targets
    }
    values: dict[str, object] = {"aliases": aliases, "unknown_model": "auto", **fields}
    return Catalog(targets={info.name: info for info in targets}, **values)  # type: ignore[arg-type]


HOME = target(
    "home", Zone.LOCAL, Label.SENSITIVE, 8192, kind="embedded",
    capabilities=frozenset({Capability.TOOLS, Capability.JSON_SCHEMA, Capability.LOGPROBS}),
)  # fmt: skip
WORKSTATION = target("workstation", Zone.LOCAL, Label.SENSITIVE, 32768)
BIG = target("big", Zone.CLOUD, Label.PUBLIC, 400_000)
TRUSTED = target("trusted", Zone.CLOUD, Label.INTERNAL, 128_000, endpoints=frozenset({Endpoint.CHAT}))

HOUSE = catalog_of(
    HOME, WORKSTATION, BIG, TRUSTED,
    keys=frozenset({"laptop", "kids-tablet"}), key_tags=frozenset({"child"}),
)  # fmt: skip
SMALL_HOUSE = catalog_of(HOME, BIG)

SHAPE = """
version: 1
labels:
  default: internal
  tags: {health: sensitive, public: public}
  findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}
rules:
  - name: long prompts go out
    when: {prompt_tokens: {over: 6000}}
    prefer: [big, home]
  - name: the GPU is busy
    when: {any: [{gpu_utilization: {over: 0.9}}, {queue_wait_seconds: {over: 4}}]}
    prefer: [big, home]
otherwise: {prefer: [home, big]}
"""


def policy_of(text: str, catalog: Catalog = SMALL_HOUSE) -> Policy:
    """A policy from YAML; `version`, `labels` and `otherwise` may be left out."""
    full = text if "version:" in text else "version: 1\n" + text
    full = full if "\notherwise:" in "\n" + text else full + "\notherwise: {prefer: [local, cloud]}\n"
    return load_policy([("p.yaml", full)], catalog)


def chat(model: str = "auto", **fields: object) -> ChatRequest:
    """A small chat request."""
    document = freeze_object({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
    values: dict[str, object] = {"messages": (Message(role="user", text="Hello"),), "document": document, **fields}
    return ChatRequest(dialect=Dialect.OPENAI, model=model, **values)  # type: ignore[arg-type]


def inbound(
    request: AnyRequest | None = None, *, tags: tuple[str, ...] = (), key: str = "anonymous", id: str = "req_1",  # noqa: A002 - the field's name
    headers: Mapping[str, str] = MappingProxyType({}), user: str | None = None,
) -> Inbound:  # fmt: skip
    """A request with its circumstances."""
    return Inbound(
        id=id, request=request or chat(), caller=Caller(key=key, user=user), tags=frozenset(tags),
        headers=tuple(headers.items()),
    )  # fmt: skip


def found(
    *categories: str, doubts: tuple[str, ...] = (), tainted: bool = False, causes: tuple[str, ...] = ()
) -> Inspection:
    """What inspection saw."""
    return Inspection(
        findings=tuple(
            Finding(detector="test", category=category, path="$.messages[0].content", start=0, end=1, confidence=1.0)
            for category in categories
        ),
        doubts=tuple(Doubt(reason=reason, path="$.messages[0].content[0]") for reason in doubts),
        tainted=tainted or bool(causes),
        causes=frozenset(causes) or None,
    )


def evidence_for(asked: Inbound, seen: Inspection | None = None, snapshot: Snapshot | None = None) -> Evidence:
    """What a decision rests on; unless said otherwise, inspection found nothing and the moment is unknown."""
    return Evidence(inbound=asked, inspection=seen or found(), snapshot=snapshot or Snapshot())


def names(decision: Decision) -> list[str]:
    """The candidates' names in order."""
    return [candidate.target for candidate in decision.candidates]


def why(decision: Decision) -> dict[str, str]:
    """Removed targets and their reasons."""
    return {item.target: str(item.reason) for item in decision.removed}


def ask(
    policy: Policy, *, tags: tuple[str, ...] = (), seen: Inspection | None = None, request: AnyRequest | None = None,
    key: str = "anonymous", **snapshot: object,
) -> Decision:  # fmt: skip
    """Decide on a request made of these circumstances."""
    asked = inbound(request, tags=tags, key=key)
    return decide(evidence_for(asked, seen, Snapshot(**snapshot)), policy)  # type: ignore[arg-type]
