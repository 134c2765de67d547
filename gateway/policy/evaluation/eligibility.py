"""Which targets may and can take a request, whatever the rules prefer. No rule can lift anything in here."""

from collections.abc import Mapping
from typing import assert_never

from gateway.core.labels import Zone
from gateway.core.request import (
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    Media,
    MediaRequest,
    RerankRequest,
    TokenizeRequest,
    TranscriptionRequest,
    endpoint_of,
)
from gateway.core.snapshot import Snapshot
from gateway.core.target import CAPABILITY_OF_FORM, MEDIA_CAPABILITY, Alias, Capability, TargetInfo
from gateway.policy.evaluation.budgets import NOTHING_LIMITED, Left, in_the_way
from gateway.policy.evaluation.decision import Why

NOTHING: frozenset[Capability] = frozenset()


def needs(request: AnyRequest) -> frozenset[Capability]:
    """Return what a target must be able to do for this request, beyond text."""
    found: set[Capability] = set()
    if request.media:
        heard = isinstance(request, TranscriptionRequest)  # whoever serves transcriptions can listen
        found.update(MEDIA_CAPABILITY[media] for media in request.media if not (heard and media is Media.AUDIO))
    match request:
        case ChatRequest():
            if request.tools:
                found.add(Capability.TOOLS)
            found |= _needs_of_both(request)
        case CompletionRequest():
            found |= _needs_of_both(request)
        case EmbeddingsRequest() | RerankRequest() | DecisionsRequest() | TokenizeRequest() | MediaRequest():
            pass
        case _:
            assert_never(request)
    return frozenset(found) if found else NOTHING


def _needs_of_both(request: ChatRequest | CompletionRequest) -> set[Capability]:
    found = {Capability.LOGPROBS} if request.sampling.logprobs else set()
    form = CAPABILITY_OF_FORM.get(request.response_format.kind)
    return found if form is None else found | {form}


def answer_tokens(request: AnyRequest) -> int | None:
    """Return the room to leave for the answer, in tokens; None: the window is no limit.

    It is none where several texts are worked on, each on its own, or the answer is no text.
    """
    match request:
        case ChatRequest() | CompletionRequest():
            return request.sampling.max_tokens or 1
        case EmbeddingsRequest():
            return 0 if len(request.inputs) == 1 and not request.truncate else None
        case RerankRequest() | DecisionsRequest() | TokenizeRequest() | MediaRequest():
            return None
        case _:
            assert_never(request)


def obstacles(
    targets: Mapping[str, TargetInfo],
    request: AnyRequest,
    snapshot: Snapshot,
    alias: Alias,
    label: int,
    only: frozenset[str] | None,
    cap: int | None = None,
    left: Left = NOTHING_LIMITED,
    *,
    whole: bool = True,
) -> dict[str, Why | None]:
    """Return for each target the first thing that stands against it, or None.

    The targets stand in the order of the configuration. With `whole` false, a window need only hold the prompt and the
    answer's beginning.
    """
    endpoint = endpoint_of(request)
    needed = needs(request)
    room = answer_tokens(request)
    if cap is not None and room is not None and room > cap:
        room = cap  # what is sent asks for no more
    if not whole and room is not None:
        room = min(room, 1)
    counts, estimate = snapshot.prompt_tokens, snapshot.prompt_tokens_estimate
    permitted, states = alias.targets, snapshot.targets
    found: dict[str, Why | None] = {}
    for name, info in targets.items():
        why: Why | None = None
        if permitted is not None and name not in permitted:
            why = Why.ALIAS
        elif label > info.ceiling:
            why = Why.LABEL
        elif only is not None and name not in only:
            why = Why.ONLY
        elif not info.serves(endpoint):
            why = Why.ENDPOINT
        elif needed and not info.takes(needed, as_text=isinstance(request, ChatRequest)):
            why = Why.CAPABILITY
        elif (
            info.context is not None and room is not None and _too_long(counts.get(name, estimate), room, info.context)
        ):
            why = Why.CONTEXT
        elif left and info.zone is Zone.CLOUD and in_the_way(left.of(name), snapshot.prices.get(name)) is not None:
            why = Why.BUDGET
        else:
            state = states.get(name)
            if state is not None and state.open_until is not None:
                why = Why.BREAKER
        found[name] = why
    return found


def _too_long(prompt: int | None, room: int, context: int) -> bool:
    # A limit is no wish for that many tokens: clients ask for more than any window, and half of it is a long answer.
    # An unknown length is no obstacle: the target itself answers with `context_length_exceeded`.
    return prompt is not None and prompt + min(room, max(1, context // 2)) > context
