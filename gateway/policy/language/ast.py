"""A policy as data: what the reader makes and everything else works on."""

import enum
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.labels import Label, Zone
from gateway.core.yaml_source import Position
from gateway.policy.language.conditions import Condition, FactValue


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """Changes that rules make to a request or its treatment. None or empty: leave it as it is."""

    max_output_tokens: int | None = None  # a cap: a smaller wish of the client stays
    temperature: float | None = None
    system_prefix: str | None = None  # stands before the conversation, as a system message
    priority: int = 0  # local queue: higher first
    shadow: str | None = None  # a permitted target that is asked too, and whose answer is only compared


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Routing (`prefer`): the first match wins. Everything else adds up over all matching rules."""

    name: str
    place: Position
    when: Condition
    prefer: tuple[str, ...] | None = None  # target names; zone words are already replaced
    stays: bool = False  # `prefer` was written with local targets only, so it restricts
    only: frozenset[str] | None = None
    refuse: str | None = None
    tag: frozenset[str] = frozenset()
    raise_to: Label | None = None
    overrides: Overrides | None = None
    mask: frozenset[str] = frozenset()  # categories that may go out under pseudonyms
    note: str = ""


class Otherwise(msgspec.Struct, frozen=True, kw_only=True):
    """The order of targets where no rule has one, or where its targets are all ruled out."""

    when: Condition  # which key or alias it is for; the last one always holds
    prefer: tuple[str, ...]
    place: Position


class UnknownTags(enum.StrEnum):
    """What becomes of a request with a tag that nobody declared, which may be a typing error."""

    REFUSE = "refuse"
    SENSITIVE = "sensitive"
    IGNORE = "ignore"


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a policy that gives a request its label before rules raise it."""

    default: Label = Label.INTERNAL
    tags: Mapping[str, Label] = MappingProxyType({})
    findings: Mapping[str, Label] = MappingProxyType({})
    other_findings: Label = Label.SENSITIVE  # categories that `findings` does not name
    doubts: Mapping[str, Label] = MappingProxyType({})  # kinds of unreadable parts that an administrator accepts
    by_key: Mapping[str, Label] = MappingProxyType({})  # defaults of single keys
    by_alias: Mapping[str, Label] = MappingProxyType({})
    known_tags: frozenset[str] = frozenset()
    unknown_tags: UnknownTags = UnknownTags.SENSITIVE
    tagged_keys: frozenset[str] = frozenset()  # keys with a mapped tag of their own, which may lower their default
    tagged_aliases: frozenset[str] = frozenset()


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence about the whole policy that must be proved.

    `never`/`always` with one of `zone`, `target`, `refused`; or `reachable` with a rule's name.
    """

    kind: str  # never, always, reachable
    when: Condition
    place: Position
    text: str
    zone: Zone | None = None
    target: str | None = None
    refused: bool = False
    rule: str | None = None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A made-up request, as facts. What is not given is unknown, or the plainest there is."""

    facts: tuple[tuple[str, str, FactValue], ...] = ()  # name, parameter, value
    findings: tuple[tuple[str, int, float], ...] = ()  # category, count, confidence
    fits: tuple[tuple[str, bool], ...] = ()  # target, whether the prompt fits its window
    broken: tuple[str, ...] = ()  # targets whose breaker is open
    causes: tuple[str, ...] = ()  # categories that alone made earlier turns sensitive; empty: not known


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the policy's own tests."""

    name: str
    place: Position
    given: Given
    target: str | None = None
    zone: Zone | None = None
    label: Label | None = None
    rule: str | None = None
    refused: str | None = None  # "" any refusal; else its code
    masked: bool | None = None  # whether it goes out masked


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the files say, checked and resolved, not yet compiled."""

    labels: Labels
    rules: tuple[Rule, ...]
    otherwise: tuple[Otherwise, ...]
    tags: frozenset[str]  # every tag that the policy knows
    claims: tuple[Claim, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    rates: Mapping[str, float] = MappingProxyType({"USD": 1.0})
    description: str = ""
