"""The value of each fact, read from a request and its moment. Reading never raises, whatever the request is."""

from collections.abc import Callable, Mapping

from gateway.core.request import ChatRequest, CompletionRequest, Media, endpoint_of
from gateway.core.target import TargetState
from gateway.policy.evaluation.request_view import RequestView, share_of, with_prefixes
from gateway.policy.language.conditions import FactRef, FactValue
from gateway.policy.language.facts import NO_ATTACHMENT, READ_PARTLY, READ_WHOLE, UNREAD, WEEKDAYS

Getter = Callable[[RequestView], FactValue]


def _prompt_tokens(view: RequestView) -> float | None:
    snapshot = view.snapshot
    if snapshot.prompt_tokens_estimate is not None:
        return snapshot.prompt_tokens_estimate
    return max(snapshot.prompt_tokens.values(), default=None)


def _max_output(view: RequestView) -> float | None:
    request = view.inbound.request
    return request.sampling.max_tokens if isinstance(request, ChatRequest | CompletionRequest) else None


def _turns(view: RequestView) -> float:
    request = view.inbound.request
    return sum(m.role == "user" for m in request.messages) if isinstance(request, ChatRequest) else 1


def _categories(view: RequestView) -> frozenset[str]:
    known = view.categories
    if known is None:
        findings = view.inspection.findings
        known = with_prefixes(frozenset(f.category for f in findings)) if findings else frozenset()
        view.categories = known
    return known


def _has_tools(view: RequestView) -> bool:
    request = view.inbound.request
    return isinstance(request, ChatRequest) and bool(request.tools)


def _wants_logprobs(view: RequestView) -> bool:
    request = view.inbound.request
    return isinstance(request, ChatRequest | CompletionRequest) and request.sampling.logprobs


def _format(view: RequestView) -> str:
    request = view.inbound.request
    return request.response_format.kind if isinstance(request, ChatRequest | CompletionRequest) else "text"


def _minutes(view: RequestView) -> float | None:
    now = view.snapshot.now
    return None if now is None else now.hour * 60 + now.minute + now.second / 60


def _weekday(view: RequestView) -> str | None:
    now = view.snapshot.now
    return None if now is None else WEEKDAYS[now.weekday()]


def _model(view: RequestView) -> str | None:
    return view.inbound.request.model or None


def _pages(view: RequestView) -> float | None:
    attachments = view.inspection.attachments
    return sum(one.pages for one in attachments) if all(one.read for one in attachments) else None


def _attachments_read(view: RequestView) -> str:
    attachments = view.inspection.attachments
    if not attachments:
        return NO_ATTACHMENT
    if not all(one.read for one in attachments):
        return UNREAD
    return READ_WHOLE if all(one.whole for one in attachments) else READ_PARTLY


def _any_local(read: Callable[[TargetState], bool | None]) -> Getter:
    def value(view: RequestView) -> bool | None:
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
    "attachments": lambda view: len(view.inspection.attachments),
    "attachment_kinds": lambda view: frozenset(one.kind for one in view.inspection.attachments),
    "attachment_pages": _pages,
    "attachments_read": _attachments_read,
    "has_tools": _has_tools,
    "language": lambda view: view.snapshot.language,
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
    def value(view: RequestView) -> FactValue:
        state = view.snapshot.targets.get(target)
        return None if state is None else read(state)

    return value


def _money(name: str, of: str) -> Getter:
    def value(view: RequestView) -> float | None:
        budget = view.snapshot.budgets.get(f"key:{view.inbound.caller.key}" if of == "key" else of)
        if budget is None:
            return None
        if name == "spent":
            return budget.spent
        return None if budget.limit is None else budget.limit - budget.spent

    return value


def _header(name: str) -> Getter:
    def value(view: RequestView) -> str | None:
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

    def value(view: RequestView) -> float:
        found = [f for f in view.inspection.findings if f.category == category or f.category.startswith(prefix)]
        return len(found) if name == "finding_count" else max((f.confidence for f in found), default=0.0)

    return value


def getter(ref: FactRef) -> Getter:
    """Return the function that reads this fact from a view. That function never raises.

    Raises:
        KeyError: There is no such fact.
    """
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
