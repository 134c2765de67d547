"""Every fact that a policy may ask about: its kind, unit and meaning, and where its value comes from.

The reader, the JSON Schema, the prover and the handbook all work from this table.
"""

import enum
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.labels import Label
from gateway.core.request import ChatRequest, CompletionRequest, Dialect, Endpoint, Media, endpoint_of
from gateway.core.target import Catalog, TargetState
from gateway.policy.conditions import FactRef, FactValue
from gateway.policy.units import Unit
from gateway.policy.view import View, share_of, with_prefixes

Getter = Callable[[View], FactValue]


class Kind(enum.StrEnum):
    """What values a fact has, and so which tests it takes."""

    NUMBER = "number"
    LABEL = "label"
    WORD = "word"  # one of a closed list
    NAME = "name"  # any text
    SET = "set"  # several words
    FLAG = "flag"
    CLOCK = "clock"  # time of day


class Parameter(enum.StrEnum):
    """The further key that a fact's condition takes."""

    TARGET = "on"
    BUDGET = "of"
    SHARE = "by"
    HEADER = "name"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table. `always_known`: never unknown, so no polarity is needed."""

    name: str
    kind: Kind
    summary: str
    unit: Unit = Unit.COUNT
    words: tuple[str, ...] = ()
    parameter: Parameter | None = None
    parameter_needed: bool = False
    always_known: bool = False


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BUDGETS = ("day", "month", "key")
SHARES = ("caller", "request")
_K = Kind


def _table() -> Mapping[str, Fact]:
    on, needed = Parameter.TARGET, True
    facts = (
        Fact(name="label", kind=_K.LABEL, summary="how sensitive the request is", always_known=True),
        Fact(name="tags", kind=_K.SET, summary="tags of header, key, alias and rules", always_known=True),
        Fact(name="findings", kind=_K.SET, summary="categories that inspection found", always_known=True),
        Fact(name="doubts", kind=_K.SET, summary="what could not be inspected (image, file, time, …)",
             always_known=True),
        Fact(name="tainted", kind=_K.FLAG, summary="an earlier turn of the conversation was sensitive",
             always_known=True),
        Fact(name="key", kind=_K.WORD, summary="name of the API key, or anonymous", always_known=True),
        Fact(name="user", kind=_K.NAME, summary="the key's user"),
        Fact(name="model", kind=_K.NAME, summary="the model name as the client wrote it"),
        Fact(name="alias", kind=_K.WORD, summary="the configured model name that answers for it", always_known=True),
        Fact(name="dialect", kind=_K.WORD, words=tuple(Dialect), summary="the API that the client speaks",
             always_known=True),
        Fact(name="endpoint", kind=_K.WORD, words=tuple(Endpoint), summary="what is asked for", always_known=True),
        Fact(name="stream", kind=_K.FLAG, summary="the answer is streamed", always_known=True),
        Fact(name="prompt_tokens", kind=_K.NUMBER, unit=Unit.TOKENS, summary="length of the prompt"),
        Fact(name="max_output_tokens", kind=_K.NUMBER, unit=Unit.TOKENS,
             summary="answer length that the client allows; unknown where it sets none"),
        Fact(name="turns", kind=_K.NUMBER, summary="messages of the user in the conversation", always_known=True),
        Fact(name="has_images", kind=_K.FLAG, summary="images are in the request", always_known=True),
        Fact(name="has_audio", kind=_K.FLAG, summary="audio is in the request", always_known=True),
        Fact(name="has_files", kind=_K.FLAG, summary="files are in the request", always_known=True),
        Fact(name="has_tools", kind=_K.FLAG, summary="tools are offered to the model", always_known=True),
        Fact(name="wants_logprobs", kind=_K.FLAG, summary="log probabilities are asked for", always_known=True),
        Fact(name="language", kind=_K.NAME, summary="language of the text (no source yet: always unknown)"),
        Fact(name="response_format", kind=_K.WORD, words=("text", "json_object", "json_schema"),
             summary="the form of answer that the client wants", always_known=True),
        Fact(name="header", kind=_K.NAME, parameter=Parameter.HEADER, parameter_needed=needed,
             summary="an allow-listed request header"),
        Fact(name="time", kind=_K.CLOCK, summary="local time of day"),
        Fact(name="weekday", kind=_K.WORD, words=WEEKDAYS, summary="local day of the week"),
        Fact(name="electricity_price", kind=_K.NUMBER, unit=Unit.USD_PER_KWH, summary="price of electricity now"),
        Fact(name="gpu_utilization", kind=_K.NUMBER, unit=Unit.RATIO, summary="load of the busiest GPU"),
        Fact(name="gpu_memory", kind=_K.NUMBER, unit=Unit.RATIO, summary="memory in use on the busiest GPU"),
        Fact(name="gpu_temperature", kind=_K.NUMBER, unit=Unit.CELSIUS, summary="temperature of the busiest GPU"),
        Fact(name="gpu_power", kind=_K.NUMBER, unit=Unit.WATTS, summary="power of the busiest GPU"),
        Fact(name="queue_wait_seconds", kind=_K.NUMBER, unit=Unit.SECONDS, parameter=on,
             summary="expected wait; without 'on' the shortest of the healthy local targets"),
        Fact(name="queue_depth", kind=_K.NUMBER, parameter=on,
             summary="requests waiting; without 'on' the fewest of the healthy local targets"),
        Fact(name="loaded", kind=_K.FLAG, parameter=on,
             summary="the model is in memory; without 'on' that of any healthy local target"),
        Fact(name="load_seconds", kind=_K.NUMBER, unit=Unit.SECONDS, parameter=on,
             summary="time that loading would take; without 'on' the shortest"),
        Fact(name="tokens_per_second", kind=_K.NUMBER, unit=Unit.TOKENS_PER_SECOND, parameter=on,
             summary="measured speed of one answer; without 'on' the fastest healthy local target"),
        Fact(name="latency_seconds", kind=_K.NUMBER, unit=Unit.SECONDS, parameter=on,
             summary="measured time to the first token; without 'on' the shortest"),
        Fact(name="healthy", kind=_K.FLAG, parameter=on,
             summary="the target answers; without 'on' whether any local target does"),
        Fact(name="spent", kind=_K.NUMBER, unit=Unit.USD, parameter=Parameter.BUDGET, parameter_needed=needed,
             summary="money spent in the running period: of day, month or the caller's key"),
        Fact(name="budget_left", kind=_K.NUMBER, unit=Unit.USD, parameter=Parameter.BUDGET, parameter_needed=needed,
             summary="money left of a budget with a limit"),
        Fact(name="price", kind=_K.NUMBER, unit=Unit.USD, parameter=on, parameter_needed=needed,
             summary="estimated price of this request on a target"),
        Fact(name="share", kind=_K.NUMBER, unit=Unit.RATIO, parameter=Parameter.SHARE,
             summary="a stable number from 0 to 1: by caller, or by request", always_known=True),
    )  # fmt: skip
    return MappingProxyType({fact.name: fact for fact in facts})


FACTS = _table()


def _prompt_tokens(view: View) -> float | None:
    snapshot = view.snapshot
    if snapshot.prompt_tokens_estimate is not None:
        return snapshot.prompt_tokens_estimate
    return max(snapshot.prompt_tokens.values(), default=None)


def _max_output(view: View) -> float | None:
    request = view.inbound.request
    return request.sampling.max_tokens if isinstance(request, ChatRequest | CompletionRequest) else None


def _turns(view: View) -> float:
    request = view.inbound.request
    return sum(m.role == "user" for m in request.messages) if isinstance(request, ChatRequest) else 1


def _categories(view: View) -> frozenset[str]:
    known = view.categories
    if known is None:
        findings = view.inspection.findings
        known = with_prefixes(frozenset(f.category for f in findings)) if findings else frozenset()
        view.categories = known
    return known


def _has_tools(view: View) -> bool:
    request = view.inbound.request
    return isinstance(request, ChatRequest) and bool(request.tools)


def _wants_logprobs(view: View) -> bool:
    request = view.inbound.request
    return isinstance(request, ChatRequest | CompletionRequest) and request.sampling.logprobs


def _format(view: View) -> str:
    request = view.inbound.request
    return request.response_format.kind if isinstance(request, ChatRequest) else "text"


def _minutes(view: View) -> float | None:
    now = view.snapshot.now
    return None if now is None else now.hour * 60 + now.minute + now.second / 60


def _weekday(view: View) -> str | None:
    now = view.snapshot.now
    return None if now is None else WEEKDAYS[now.weekday()]


def _model(view: View) -> str | None:
    return view.inbound.request.model or None


def _any_local(read: Callable[[TargetState], bool | None]) -> Getter:
    def value(view: View) -> bool | None:
        states = [view.snapshot.targets.get(name) for name in view.local]
        values = [None if state is None else read(state) for state in states]
        return True if True in values else None if None in values or not values else False

    return value


_PLAIN: Mapping[str, Getter] = {
    "label": lambda view: view.label,
    "tags": lambda view: view.tags,
    "findings": _categories,
    "doubts": lambda view: frozenset(doubt.reason for doubt in view.inspection.doubts),
    "tainted": lambda view: view.inspection.tainted,
    "key": lambda view: view.inbound.caller.key,
    "user": lambda view: view.inbound.caller.user,
    "model": _model,
    "alias": lambda view: view.alias.name,
    "dialect": lambda view: view.inbound.request.dialect,
    "endpoint": lambda view: endpoint_of(view.inbound.request),
    "stream": lambda view: view.inbound.request.stream,
    "prompt_tokens": _prompt_tokens,
    "max_output_tokens": _max_output,
    "turns": _turns,
    "has_images": lambda view: Media.IMAGE in view.inbound.request.media,
    "has_audio": lambda view: Media.AUDIO in view.inbound.request.media,
    "has_files": lambda view: Media.FILE in view.inbound.request.media,
    "has_tools": _has_tools,
    "language": lambda view: None,
    "wants_logprobs": _wants_logprobs,
    "response_format": _format,
    "time": _minutes,
    "weekday": _weekday,
    "electricity_price": lambda view: view.snapshot.electricity_price,
    "gpu_utilization": lambda view: view.snapshot.gpu.utilization,
    "gpu_memory": lambda view: view.snapshot.gpu.memory_used,
    "gpu_temperature": lambda view: view.snapshot.gpu.temperature,
    "gpu_power": lambda view: view.snapshot.gpu.power,
}

_MOMENT: Mapping[str, tuple[Callable[[TargetState], float | None], Callable[[list[float]], float]]] = {
    "queue_wait_seconds": (lambda state: state.queue_wait_seconds, min),
    "queue_depth": (lambda state: state.queue_depth, min),
    "load_seconds": (lambda state: state.load_seconds, min),
    "tokens_per_second": (lambda state: state.tokens_per_second, max),
    "latency_seconds": (lambda state: state.latency_seconds, min),
}
_STATUS: Mapping[str, Callable[[TargetState], bool | None]] = {
    "loaded": lambda state: state.loaded,
    "healthy": lambda state: state.healthy and state.open_until is None,
}


def _on_target(target: str, read: Callable[[TargetState], FactValue]) -> Getter:
    def value(view: View) -> FactValue:
        state = view.snapshot.targets.get(target)
        return None if state is None else read(state)

    return value


def _money(name: str, of: str) -> Getter:
    def value(view: View) -> float | None:
        budget = view.snapshot.budgets.get(f"key:{view.inbound.caller.key}" if of == "key" else of)
        if budget is None:
            return None
        if name == "spent":
            return budget.spent
        return None if budget.limit is None else budget.limit - budget.spent

    return value


def _header(name: str) -> Getter:
    def value(view: View) -> str | None:
        for header, text in view.inbound.headers:
            if header == name:
                return text
            if header == "":
                return None
        return ""

    return value


def _share(of: str) -> Getter:
    by, _, salt = of.partition(":")
    if by == "request":
        return lambda view: share_of(salt, (view.inbound.id,))
    return lambda view: share_of(salt, (view.inbound.caller.key, view.inbound.caller.user or ""))


def _counted(name: str, category: str) -> Getter:
    prefix = category + "."

    def value(view: View) -> float:
        found = [f for f in view.inspection.findings if f.category == category or f.category.startswith(prefix)]
        return len(found) if name == "finding_count" else max((f.confidence for f in found), default=0.0)

    return value


def getter(ref: FactRef) -> Getter:
    """The function that reads this fact from a view. Never raises on any view."""
    name, of = ref.name, ref.of
    if name in _PLAIN:
        return _PLAIN[name]
    if name in _MOMENT:
        read, pick = _MOMENT[name]
        return _on_target(of, read) if of else lambda view: view.best_local(read, pick)
    if name in _STATUS:
        return _on_target(of, _STATUS[name]) if of else _any_local(_STATUS[name])
    match name:
        case "spent" | "budget_left":
            return _money(name, of)
        case "price":
            return lambda view: view.snapshot.prices.get(of)
        case "header":
            return _header(of)
        case "share":
            return _share(of)
        case "finding_count" | "finding_confidence":
            return _counted(name, of)
        case _:
            raise KeyError(name)


def kind_of(ref: FactRef) -> Kind:
    """The kind of a fact, also of the two that `findings` brings along."""
    return Kind.NUMBER if ref.name in ("finding_count", "finding_confidence") else FACTS[ref.name].kind


def label_number(word: str) -> float:
    """Labels are compared as numbers. Raises ValueError for another word."""
    return float(Label.parse(word))


def known_keys(catalog: Catalog) -> frozenset[str]:
    """Values that the fact `key` can have."""
    return catalog.keys | {"anonymous"}
