"""Requests that were never sent: made up from given facts. No content, only its outline.

`expect` tables, counterexamples and `aduana explain` of a case all come through here, so that there is one way of
deciding and no second one for tests.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from gateway.core.attachment import FileKind, SeenAttachment
from gateway.core.document import JsonObject
from gateway.core.errors import ConfigurationError
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.labels import Zone
from gateway.core.request import (
    AnyRequest,
    Caller,
    ChatRequest,
    CompletionRequest,
    DecisionForm,
    DecisionsRequest,
    Dialect,
    EmbeddingsRequest,
    Endpoint,
    ImagesRequest,
    Inbound,
    Media,
    MediaWork,
    Message,
    ModerationRequest,
    RerankRequest,
    ResponseFormat,
    Sampling,
    SpeechRequest,
    TextWork,
    TokenizeRequest,
    TranscriptionRequest,
)
from gateway.core.snapshot import Budget, Gpu, Snapshot
from gateway.core.target import Catalog, TargetState
from gateway.core.yaml_source import Source
from gateway.policy.evaluation.compiled import Policy
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.language.ast import Given
from gateway.policy.language.conditions import FactValue
from gateway.policy.language.facts import NO_ATTACHMENT, READ_PARTLY, READ_WHOLE, UNREAD, WEEKDAYS
from gateway.policy.reader.context import KnownNames, Reading
from gateway.policy.reader.expectations import read_given

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)  # any Monday
_EMPTY: JsonObject = MappingProxyType({})


class _Facts:
    def __init__(self, given: Given) -> None:
        self._values = {(name, of): value for name, of, value in given.facts}

    def of(self, name: str) -> Mapping[str, FactValue]:
        return {of: value for (known, of), value in self._values.items() if known == name}

    def number(self, name: str, of: str = "") -> float | None:
        value = self._values.get((name, of))
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def whole(self, name: str) -> int | None:
        value = self.number(name)
        return None if value is None else round(value)

    def word(self, name: str, default: str) -> str:
        value = self._values.get((name, ""))
        return value if isinstance(value, str) else default

    def flag(self, name: str) -> bool:
        return self._values.get((name, "")) is True

    def words(self, name: str) -> frozenset[str]:
        value = self._values.get((name, ""))
        return value if isinstance(value, frozenset) else frozenset()


def evidence_of(given: Given, catalog: Catalog, request_id: str = "made-up") -> Evidence:
    """Return the evidence that these facts describe. What is not given is unknown, or the plainest there is."""
    facts = _Facts(given)
    tags = set(facts.words("tags"))
    model = facts.word("model", facts.word("alias", next(iter(catalog.aliases), "auto")))
    alias = catalog.resolve(model)
    if alias is not None:
        tags |= alias.tags
    tags |= catalog.tags_of_keys.get(facts.word("key", ""), frozenset())
    inbound = Inbound(
        id=request_id,
        request=make_request(facts.word("endpoint", catalog.plainest()), model, facts),
        caller=Caller(key=facts.word("key", "anonymous"), user=facts.word("user", "") or None),
        tags=frozenset(tags),
        headers=tuple((name, str(value)) for name, value in facts.of("header").items()),
    )
    inspection = Inspection(
        findings=tuple(
            Finding(detector="given", category=category, path="$", start=0, end=0, confidence=confidence)
            for category, count, confidence in given.findings
            for _ in range(min(count, 1000))
        ),
        doubts=tuple(Doubt(reason=reason, path="$") for reason in sorted(facts.words("doubts"))),
        attachments=_attachments(facts),
        tainted=facts.flag("tainted"),
        causes=frozenset(given.causes) or None,
    )
    snapshot = _snapshot(facts, given, catalog, inbound.caller.key)
    return Evidence(inbound=inbound, inspection=inspection, snapshot=snapshot)


def _attachments(facts: _Facts) -> tuple[SeenAttachment, ...]:
    """Return attachments of this outline; as many as the facts speak of, the first with all pages."""
    pages = facts.whole("attachment_pages")
    read = facts.word("attachments_read", READ_WHOLE if pages else UNREAD)
    kinds = [FileKind(kind) for kind in sorted(facts.words("attachment_kinds"))]
    spoken_of = len(kinds) or int(bool(pages) or facts.word("attachments_read", NO_ATTACHMENT) != NO_ATTACHMENT)
    count = max(facts.whole("attachments") or 0, spoken_of)
    return tuple(
        SeenAttachment(
            path="$",
            kind=kinds[min(number, len(kinds) - 1)] if kinds else FileKind.UNKNOWN,
            pages=(pages or 0) if number == 0 and read != UNREAD else 0,
            read=read != UNREAD or number > 0,
            whole=read == READ_WHOLE or (read in (READ_PARTLY, UNREAD) and number > 0),
        )
        for number in range(min(count, 1000))
    )


def make_request(endpoint: str, model: str, facts: _Facts) -> AnyRequest:
    """Return an empty request with this outline."""
    dialect = Dialect(facts.word("dialect", Dialect.OPENAI))
    stream = facts.flag("stream")
    media = frozenset(
        kind for kind, name in ((Media.IMAGE, "has_images"), (Media.AUDIO, "has_audio"), (Media.FILE, "has_files"))
        if facts.flag(name)
    )  # fmt: skip
    sampling = Sampling(max_tokens=facts.whole("max_output_tokens"), logprobs=facts.flag("wants_logprobs"))
    form = ResponseFormat(kind=facts.word("response_format", "text"))
    match Endpoint(endpoint):
        case Endpoint.CHAT | Endpoint.MODERATIONS as kind:
            turns = max(1, facts.whole("turns") or 1) if facts.number("turns") != 0 else 0
            return (ChatRequest if kind is Endpoint.CHAT else ModerationRequest)(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media, sampling=sampling,
                messages=(Message(role="user", text=""),) * min(turns, 10_000),
                tools=(_EMPTY,) if facts.flag("has_tools") else (),
                response_format=form,
            )  # fmt: skip
        case Endpoint.COMPLETIONS:
            return CompletionRequest(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media, sampling=sampling,
                prompts=("",), response_format=form,
            )  # fmt: skip
        case Endpoint.EMBEDDINGS:
            return EmbeddingsRequest(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media, inputs=("",)
            )
        case Endpoint.RERANK:
            return RerankRequest(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media, query="", texts=("",)
            )
        case Endpoint.DECISIONS:
            return DecisionsRequest(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media,
                form=DecisionForm.SYSTEM_ONE, questions=1,
            )  # fmt: skip
        case Endpoint.TOKENIZE:
            return TokenizeRequest(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media, work=TextWork.TOKENIZE
            )
        case Endpoint.IMAGES:
            work = MediaWork.EDITS if media else MediaWork.GENERATIONS
            return ImagesRequest(dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media, work=work)
        case Endpoint.TRANSCRIPTIONS:
            return TranscriptionRequest(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media,
                work=MediaWork.TRANSCRIPTIONS,
            )  # fmt: skip
        case Endpoint.SPEECH:
            return SpeechRequest(
                dialect=dialect, model=model, document=_EMPTY, stream=stream, media=media, work=MediaWork.SPEECH
            )


def _snapshot(facts: _Facts, given: Given, catalog: Catalog, key: str) -> Snapshot:
    fits = dict(given.fits)
    counts: dict[str, int] = {}
    for name, info in catalog.targets.items():
        if name in fits and info.context is not None:
            counts[name] = 0 if fits[name] else info.context + 1
    return Snapshot(
        now=_moment(facts),
        gpu=Gpu(
            utilization=facts.number("gpu_utilization"),
            memory_used=facts.number("gpu_memory"),
            temperature=facts.number("gpu_temperature"),
            power=facts.number("gpu_power"),
        ),
        targets={name: _state(facts, name, info.zone is Zone.LOCAL, name in given.broken)
                 for name, info in catalog.targets.items()},
        language=facts.word("language", "") or None,
        electricity_price=facts.number("electricity_price"),
        budgets=_budgets(facts, key),
        prompt_tokens=counts,
        prompt_tokens_estimate=facts.whole("prompt_tokens"),
        prices={of: value for of, value in facts.of("price").items() if isinstance(value, int | float)},
    )  # fmt: skip


def _moment(facts: _Facts) -> datetime | None:
    minutes, weekday = facts.number("time"), facts.word("weekday", "")
    if minutes is None and not weekday:
        return None
    days = WEEKDAYS.index(weekday) if weekday in WEEKDAYS else 0
    return MONDAY + timedelta(days=days, minutes=12 * 60 if minutes is None else min(minutes, 24 * 60 - 0.001))


def _state(facts: _Facts, name: str, local: bool, broken: bool) -> TargetState:
    """Return a target's state. Facts without a target count for every local one."""

    def number(fact: str) -> float | None:
        value = facts.number(fact, name)
        return facts.number(fact) if value is None and local else value

    def flag(fact: str) -> bool | None:
        values = facts.of(fact)
        value = values.get(name, values.get("") if local else None)
        return value if isinstance(value, bool) else None

    depth = number("queue_depth")
    return TargetState(
        healthy=flag("healthy") is not False,
        queue_depth=None if depth is None else round(depth),
        queue_wait_seconds=number("queue_wait_seconds"),
        loaded=flag("loaded"),
        load_seconds=number("load_seconds"),
        tokens_per_second=number("tokens_per_second"),
        latency_seconds=number("latency_seconds"),
        open_until=0.0 if broken else None,
    )


def _budgets(facts: _Facts, key: str) -> Mapping[str, Budget]:
    found: dict[str, Budget] = {}
    spent, left = facts.of("spent"), facts.of("budget_left")
    for of in {*spent, *left}:
        used = spent.get(of)
        rest = left.get(of)
        amount = float(used) if isinstance(used, int | float) else 0.0
        limit = amount + float(rest) if isinstance(rest, int | float) else None
        found[f"key:{key}" if of == "key" else of] = Budget(spent=amount, limit=limit)
    return found


def is_case(source: Source) -> bool:
    """Return whether a file holds a case, and not a request body."""
    return isinstance(source.value, dict) and set(source.value) == {"given"}


def read_case(source: Source, policy: Policy) -> Given:
    """Read the case in a file.

    Raises:
        ConfigurationError: The case has problems; every one is in it.
    """
    problems: list[str] = []
    value = source.value if isinstance(source.value, dict) else {}
    given_tags = value["given"].get("tags") if isinstance(value.get("given"), dict) else None
    strangers = given_tags if isinstance(given_tags, list) else [given_tags]
    tags = policy.document.tags | {tag for tag in strangers if isinstance(tag, str)}  # a request may have any tag
    names = KnownNames(policy.catalog, {}, tags, policy.document.rates)
    given = read_given(Reading(source, names, problems), ("given",), value.get("given"))
    if problems:
        raise ConfigurationError(tuple(problems))
    return given
