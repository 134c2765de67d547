"""The evidence of a decision as JSON for the ledger, and back again.

It has no content, no header value and no place in a document. Reading it back gives a made-up request of the same
outline, on which any policy can decide again. Headers are unknown there, because their values are never stored.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from gateway.core.attachment import FileKind, SeenAttachment
from gateway.core.document import JsonObject
from gateway.core.finding import Doubt, Finding, Inspection
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
    endpoint_of,
)
from gateway.core.snapshot import Budget, Gpu, Snapshot
from gateway.core.target import TargetState
from gateway.policy.evaluation.evidence import Evidence
from gateway.policy.evaluation.request_view import UNRECORDED_HEADERS

_NAME = re.compile(r"[A-Za-z0-9._:/-]{0,100}")
_EMPTY: JsonObject = MappingProxyType({})


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Version 1 of the record. Short names: there is one of these for each request."""

    v: int
    id: str = ""
    model: str = ""
    dialect: Dialect = Dialect.OPENAI
    endpoint: Endpoint = Endpoint.CHAT
    stream: bool = False
    key: str = "anonymous"
    user: str | None = None
    tags: tuple[str, ...] = ()
    findings: tuple[tuple[str, int, float], ...] = ()  # category, count, highest confidence
    doubts: tuple[str, ...] = ()
    tainted: bool = False
    causes: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    attachments: tuple[tuple[FileKind, int, bool, bool], ...] = ()  # kind, pages, looked into, read whole
    tools: bool = False
    logprobs: bool = False
    format: str = "text"
    turns: int = 0
    inputs: int = 1
    max_tokens: int | None = None
    size: int = 0
    now: datetime | None = None
    gpu: Gpu = Gpu()
    targets: dict[str, TargetState] = {}
    language: str | None = None
    electricity: float | None = None
    budgets: dict[str, Budget] = {}
    counts: dict[str, int] = {}
    estimate: int | None = None
    prices: dict[str, float] = {}


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Record)


def facts_json(evidence: Evidence) -> bytes:
    """Return the facts of a decision as JSON."""
    inbound, inspection, snapshot = evidence.inbound, evidence.inspection, evidence.snapshot
    request = inbound.request
    chat = request if isinstance(request, ChatRequest) else None
    sampled = request if isinstance(request, ChatRequest | CompletionRequest) else None
    found: dict[str, tuple[int, float]] = {}
    for finding in inspection.findings:
        count, confidence = found.get(finding.category, (0, 0.0))
        found[finding.category] = (count + 1, max(confidence, finding.confidence))
    record = _Record(
        v=1,
        id=inbound.id,
        model=_model_name(request.model, inspection),
        dialect=request.dialect,
        endpoint=endpoint_of(request),
        stream=request.stream,
        key=inbound.caller.key,
        user=inbound.caller.user,
        tags=tuple(sorted(inbound.tags)) if inbound.tags else (),
        findings=tuple([(category, *seen) for category, seen in sorted(found.items())]) if found else (),
        doubts=tuple(sorted({doubt.reason for doubt in inspection.doubts})) if inspection.doubts else (),
        tainted=inspection.tainted,
        causes=tuple(sorted(inspection.causes or ())),
        media=tuple(sorted(request.media)) if request.media else (),
        attachments=tuple([(one.kind, one.pages, one.read, one.whole) for one in inspection.attachments]),
        tools=chat is not None and bool(chat.tools),
        logprobs=sampled is not None and sampled.sampling.logprobs,
        format=sampled.response_format.kind if sampled else "text",
        turns=[message.role for message in chat.messages].count("user") if chat else 0,
        inputs=_inputs(request),
        max_tokens=sampled.sampling.max_tokens if sampled else None,
        size=inbound.size,
        now=None if snapshot.now is None else snapshot.now.replace(microsecond=0),
        gpu=snapshot.gpu,
        targets=dict(snapshot.targets),
        language=snapshot.language,
        electricity=snapshot.electricity_price,
        budgets=_budgets_of(snapshot.budgets, inbound.caller.key),
        counts=dict(snapshot.prompt_tokens),
        estimate=snapshot.prompt_tokens_estimate,
        prices=dict(snapshot.prices),
    )
    return _ENCODER.encode(record)


def evidence_from_facts(facts: bytes) -> Evidence:
    """Return the evidence that a record describes.

    Raises:
        ValueError: The record can't be read, or is of an unknown version.
    """
    try:
        record = _DECODER.decode(facts)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"these recorded facts can't be read: {error}") from error
    if record.v != 1:
        raise ValueError(f"these recorded facts have version {record.v}, which is not known here")
    inbound = Inbound(
        id=record.id,
        request=_request(record),
        caller=Caller(key=record.key, user=record.user),
        tags=frozenset(record.tags),
        headers=UNRECORDED_HEADERS,
        size=record.size,
    )
    inspection = Inspection(
        findings=tuple(
            Finding(detector="recorded", category=category, path="$", start=0, end=0, confidence=confidence)
            for category, count, confidence in record.findings
            for _ in range(count)
        ),
        doubts=tuple(Doubt(reason=reason, path="$") for reason in record.doubts),
        attachments=tuple(
            SeenAttachment(path="$", kind=kind, pages=pages, read=read, whole=whole)
            for kind, pages, read, whole in record.attachments
        ),
        tainted=record.tainted,
        causes=frozenset(record.causes) or None,
    )
    snapshot = Snapshot(
        now=record.now,
        gpu=record.gpu,
        targets=MappingProxyType(record.targets),
        language=record.language,
        electricity_price=record.electricity,
        budgets=MappingProxyType(record.budgets),
        prompt_tokens=MappingProxyType(record.counts),
        prompt_tokens_estimate=record.estimate,
        prices=MappingProxyType(record.prices),
    )
    return Evidence(inbound=inbound, inspection=inspection, snapshot=snapshot)


def _budgets_of(budgets: Mapping[str, Budget], key: str) -> dict[str, Budget]:
    """Return the budgets without those of other keys."""
    return {name: budget for name, budget in budgets.items() if not name.startswith("key:") or name == f"key:{key}"}


def _model_name(model: str, inspection: Inspection) -> str:
    """Return the model name as asked for, or nothing if it is no name: a client could have written anything there."""
    found = any(finding.path.startswith("$.model") for finding in inspection.findings) if inspection.findings else False
    return model if _NAME.fullmatch(model) and not found else ""


def _inputs(request: AnyRequest) -> int:
    match request:
        case EmbeddingsRequest():
            return len(request.inputs)
        case RerankRequest():
            return len(request.texts)
        case DecisionsRequest():
            return request.questions
        case _:
            return 1


def _request(record: _Record) -> AnyRequest:
    media = frozenset(record.media)
    sampling = Sampling(max_tokens=record.max_tokens, logprobs=record.logprobs)
    form = ResponseFormat(kind=record.format)
    match record.endpoint:
        case Endpoint.CHAT | Endpoint.MODERATIONS as kind:
            return (ChatRequest if kind is Endpoint.CHAT else ModerationRequest)(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                sampling=sampling, messages=(Message(role="user", text=""),) * record.turns,
                tools=(_EMPTY,) if record.tools else (), response_format=form,
            )  # fmt: skip
        case Endpoint.COMPLETIONS:
            return CompletionRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                sampling=sampling, prompts=("",), response_format=form,
            )  # fmt: skip
        case Endpoint.EMBEDDINGS:
            return EmbeddingsRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                inputs=("",) * record.inputs,
            )  # fmt: skip
        case Endpoint.RERANK:
            return RerankRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                query="", texts=("",) * record.inputs,
            )  # fmt: skip
        case Endpoint.DECISIONS:
            return DecisionsRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                form=DecisionForm.SYSTEM_ONE, questions=record.inputs,
            )  # fmt: skip
        case Endpoint.TOKENIZE:
            return TokenizeRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                work=TextWork.TOKENIZE,
            )  # fmt: skip
        case Endpoint.IMAGES:
            return ImagesRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                work=MediaWork.EDITS if media else MediaWork.GENERATIONS,
            )  # fmt: skip
        case Endpoint.TRANSCRIPTIONS:
            return TranscriptionRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                work=MediaWork.TRANSCRIPTIONS,
            )  # fmt: skip
        case Endpoint.SPEECH:
            return SpeechRequest(
                dialect=record.dialect, model=record.model, document=_EMPTY, stream=record.stream, media=media,
                work=MediaWork.SPEECH,
            )  # fmt: skip
