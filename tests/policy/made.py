"""Random policies and random requests, for properties that hold for all of them."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from gateway.core.attachment import FileKind, SeenAttachment
from gateway.core.request import ChatRequest, CompletionRequest, EmbeddingsRequest, Media, ResponseFormat, Sampling
from gateway.core.snapshot import Budget, Gpu, Snapshot
from gateway.core.target import TargetState
from gateway.policy import Evidence, Policy, load_policy
from tests.policy.house import HOUSE, chat, found, inbound

T = TypeVar("T")
TAGS = ("public", "internal", "health", "noted", "vip")
CATEGORIES = ("secret.token", "id", "id.national", "id.plate", "person.name", "unlisted.thing")
DOUBTS = ("image", "time", "depth")
TARGETS = tuple(HOUSE.targets)
LABELS = ("public", "internal", "sensitive")


def _made(make: Callable[..., T], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """`st.builds` without looking at type hints, which recursive JSON types don't survive."""
    return st.fixed_dictionaries(fields).map(lambda values: make(**values))


def _some(words: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True)


def _number(name: str, values: tuple[float, ...], **extra: str) -> st.SearchStrategy[dict[str, Any]]:
    value = st.sampled_from(values)
    ordered = st.tuples(value, value).map(sorted)
    test = st.one_of(
        value.map(lambda v: {"over": v}), value.map(lambda v: {"under": v}), value.map(lambda v: {"is": v}),
        ordered.map(lambda pair: {"between": pair}), st.lists(value, min_size=1, max_size=2).map(lambda v: {"in": v}),
    )  # fmt: skip
    return test.map(lambda tests: {name: {**tests, **extra}})


ATOMS = st.one_of(
    st.sampled_from(LABELS).map(lambda label: {"label": label}),
    st.sampled_from(LABELS[:2]).map(lambda label: {"label": {"over": label}}),
    _some(TAGS).map(lambda tags: {"tags": {"in": tags}}),
    _some(("secret", "id", "id.national", "person")).map(lambda words: {"findings": {"in": words}}),
    st.integers(0, 3).map(lambda n: {"findings": {"category": "id", "count": {"over": n}}}),
    _some(DOUBTS).map(lambda words: {"doubts": {"in": words}}),
    st.booleans().map(lambda value: {"tainted": value}),
    st.sampled_from(("anonymous", "laptop", "kids-tablet")).map(lambda key: {"key": key}),
    st.sampled_from(tuple(HOUSE.aliases)).map(lambda alias: {"alias": alias}),
    st.sampled_from(("chat", "completions", "embeddings")).map(lambda word: {"endpoint": word}),
    st.sampled_from(("stream", "has_images", "has_tools")).map(lambda name: {name: True}),
    st.sampled_from(("^gpt", "auto", "[0-9]")).map(lambda pattern: {"model": {"matches": pattern}}),
    _number("attachments", (0, 1, 2)),
    _number("attachment_pages", (0, 3)),
    _some(("pdf", "picture")).map(lambda words: {"attachment_kinds": {"in": words}}),
    _some(("none", "whole", "partly", "unread")).map(lambda words: {"attachments_read": {"in": words}}),
    _number("prompt_tokens", (100, 6000, 8192)),
    _number("max_output_tokens", (50, 500)),
    _number("turns", (1, 3)),
    _number("gpu_utilization", (0.5, 0.9)),
    _number("gpu_temperature", (60, 80)),
    _number("queue_wait_seconds", (0.5, 4)),
    _number("queue_wait_seconds", (4,), on="home"),
    _number("price", (0.01, 0.1), on="big"),
    _number("budget_left", (0, 1), of="day"),
    st.sampled_from(("22:00-06:00", "08:00-20:00")).map(lambda span: {"time": {"between": span}}),
    st.sampled_from(("monday", "weekend", "workday")).map(lambda day: {"weekday": day}),
    st.booleans().map(lambda value: {"loaded": {"on": "home", "is": value}}),
    st.booleans().map(lambda value: {"healthy": {"is": value}}),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda part: {"not": part}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
    ),
    max_leaves=4,
)
# Only atoms that read neither label nor tags: rules that tag or raise must not read what rules below them change.
QUIET = ATOMS.filter(lambda atom: "label" not in atom and "tags" not in atom)
PLACES = st.lists(st.sampled_from((*TARGETS, "local", "cloud", "any")), min_size=1, max_size=3)
ACTIONS = st.one_of(
    PLACES.map(lambda places: {"prefer": places}),
    PLACES.map(lambda places: {"only": places}),
    st.just({"refuse": "No."}),
    st.sampled_from(TARGETS).map(lambda target: {"shadow": target}),
    st.integers(1, 900).map(lambda cap: {"set": {"max_output_tokens": cap}}),
    st.just({"priority": "high"}),
    _some(("id", "id.national", "person", "custom.client")).map(lambda words: {"mask": words}),
)
GROWTH = st.one_of(
    _some(("noted", "health", "internal")).map(lambda tags: {"tag": tags}),
    st.sampled_from(LABELS).map(lambda label: {"raise": label}),
)
RULES = st.lists(
    st.one_of(
        st.tuples(CONDITIONS, ACTIONS).map(lambda pair: {"when": pair[0], **pair[1]}),
        st.tuples(QUIET, GROWTH).map(lambda pair: {"when": pair[0], **pair[1]}),
    ),
    max_size=6,
)
POLICIES = st.tuples(RULES, st.sampled_from(LABELS), PLACES, st.booleans())


def policy_from(parts: tuple[list[dict[str, Any]], str, list[str], bool], **extra: Any) -> Policy:
    """Return a policy of these parts, written as JSON, which is YAML."""
    rules, default, otherwise, overlay = parts
    document: dict[str, Any] = {
        "version": 1,
        "labels": {
            "default": default,
            "tags": {"public": "public", "internal": "internal", "health": "sensitive"},
            "findings": {"secret": "sensitive", "id": "sensitive", "id.plate": "internal", "person": "public"},
            "doubts": {"image": "internal"},
        },
        "tags": ["noted", "vip"],
        "rules": [{"name": f"rule {number}", **rule} for number, rule in enumerate(rules)],
        "otherwise": {"prefer": otherwise},
        **extra,
    }
    if overlay:
        document["keys"] = {"kids-tablet": {"default": "internal", "otherwise": {"prefer": ["workstation"]}}}
        document["aliases"] = {"trusted": {"default": "public"}}
    return load_policy([("made.yaml", json.dumps(document))], HOUSE)


_MAYBE = st.none()
STATES = _made(
    TargetState,
    healthy=st.booleans(),
    queue_wait_seconds=st.one_of(_MAYBE, st.floats(0, 10)),
    queue_depth=st.one_of(_MAYBE, st.integers(0, 9)),
    loaded=st.one_of(_MAYBE, st.booleans()),
    open_until=st.one_of(_MAYBE, st.floats(0, 10)),
)
SNAPSHOTS = _made(
    Snapshot,
    now=st.one_of(_MAYBE, st.datetimes(timezones=st.timezones())),
    gpu=_made(
        Gpu, utilization=st.one_of(_MAYBE, st.floats(0, 1)), temperature=st.one_of(_MAYBE, st.floats(-20, 120))
    ),
    targets=st.dictionaries(st.sampled_from(TARGETS), STATES, max_size=4),
    budgets=st.dictionaries(st.sampled_from(("day", "month", "key:laptop")),
                            _made(Budget, spent=st.floats(0, 9), limit=st.one_of(_MAYBE, st.floats(0, 9)))),
    prompt_tokens_estimate=st.one_of(_MAYBE, st.integers(0, 500_000)),
    prices=st.dictionaries(st.sampled_from(TARGETS), st.floats(0, 1)),
)  # fmt: skip
_SAMPLING = _made(Sampling, max_tokens=st.one_of(_MAYBE, st.integers(1, 9000)), logprobs=st.booleans())
_CHATS = _made(
    chat,
    model=st.sampled_from((*HOUSE.aliases, "gpt-9", "")),
    stream=st.booleans(),
    media=st.sets(st.sampled_from(Media), max_size=2).map(frozenset),
    sampling=_SAMPLING,
    tools=st.sampled_from(((), ({},))),
    response_format=st.sampled_from((ResponseFormat(), ResponseFormat(kind="json_schema"))),
)
_MODELS = st.sampled_from(("auto", "home", "gpt-9"))
_COMPLETIONS = _made(
    CompletionRequest, dialect=st.just("openai"), model=_MODELS, document=st.just({}), prompts=st.just(("x",)),
    sampling=_SAMPLING,
)  # fmt: skip
_EMBEDDINGS = _made(
    EmbeddingsRequest, dialect=st.just("openai"), model=_MODELS, document=st.just({}),
    inputs=st.sampled_from((("a",), ("a", "b"))),
)  # fmt: skip
REQUESTS: st.SearchStrategy[ChatRequest | CompletionRequest | EmbeddingsRequest] = st.one_of(
    _CHATS, _CHATS, _COMPLETIONS, _EMBEDDINGS
)
INBOUNDS = _made(
    inbound,
    request=REQUESTS,
    tags=st.lists(st.sampled_from((*TAGS, "stranger")), max_size=3, unique=True).map(tuple),
    key=st.sampled_from(("anonymous", "laptop", "kids-tablet", "gone")),
    id=st.text("abc0123", min_size=1, max_size=8),
)
ATTACHMENTS = _made(
    SeenAttachment,
    path=st.just("$.messages[0].content[1]"),
    kind=st.sampled_from((FileKind.PDF, FileKind.PICTURE, FileKind.SOUND)),
    pages=st.integers(0, 5),
    read=st.booleans(),
    whole=st.booleans(),
).map(lambda one: one if one.read else SeenAttachment(path=one.path, kind=one.kind))
INSPECTIONS = st.builds(
    lambda categories, doubts, tainted, causes, attachments: msgspec.structs.replace(
        found(*categories, doubts=tuple(doubts), tainted=tainted, causes=tuple(causes) if tainted else ()),
        attachments=tuple(attachments) if doubts else (),  # each is a doubt
    ),
    st.lists(st.sampled_from(CATEGORIES), max_size=4),
    st.lists(st.sampled_from(DOUBTS), max_size=2),
    st.booleans(),
    st.lists(st.sampled_from(("id", "id.national", "person.name", "secret.token")), max_size=2),
    st.lists(ATTACHMENTS, max_size=2),
)
EVIDENCE = _made(Evidence, inbound=INBOUNDS, inspection=INSPECTIONS, snapshot=SNAPSHOTS)
