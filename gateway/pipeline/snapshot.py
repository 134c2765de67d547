"""The snapshot for a decision: the only place where the pipeline looks at the world before deciding."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

import msgspec

from gateway.core.document import encode
from gateway.core.request import (
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    Inbound,
    MediaRequest,
    RerankRequest,
    TokenizeRequest,
    endpoint_of,
)
from gateway.core.snapshot import Gpu, Snapshot
from gateway.core.target import Alias, TargetState
from gateway.core.usage import MICROS, MostUse
from gateway.pipeline.attachments.as_text import taken_by
from gateway.pipeline.attachments.attached import Attached
from gateway.pipeline.most_use import most_use
from gateway.pipeline.ports import LedgerPort, LocalTarget, Meters, Pricing, Target
from gateway.pipeline.rate_limits import LimitTable
from gateway.privacy.language import language_of

# Without a tokenizer: a little over what English and Spanish prose takes, so that the estimate errs to "too long".
CHARACTERS_PER_TOKEN = 3.5
_MESSAGE_TOKENS = 8
_PICTURE_TOKENS = 1_000  # a likely size of one
_INLINE_BYTES = 64 * 1024


NO_ATTACHMENTS = Attached()
_NOTHING = MostUse()


class SnapshotBuilder:
    """Collector of facts that change from moment to moment. It owns none of them: it asks the owners."""

    def __init__(
        self,
        *,
        local: Mapping[str, LocalTarget],
        targets: Mapping[str, Target],
        ledger: LedgerPort,
        meters: Meters | None,
        pricing: Pricing,
        now: Callable[[], datetime],
        limits: LimitTable | None = None,
    ) -> None:
        self._local = local
        self._targets = targets
        self._ledger = ledger
        self._meters = meters
        self._pricing = pricing
        self._now = now
        self._limits = limits or LimitTable()
        self._clouds = tuple(name for name in targets if name not in local)

    async def snapshot(self, inbound: Inbound, alias: Alias | None, attached: Attached = NO_ATTACHMENTS) -> Snapshot:
        """Collect the facts for one request.

        Counting tokens is the only slow part; long texts, and bodies of many bytes, are counted in a thread. A target
        that is given what was read of `attached` counts that.
        """
        request, long = inbound.request, inbound.size > _INLINE_BYTES
        counts = await self._prompt_tokens(request, alias, inbound.caller.owner, attached)
        measured = await asyncio.to_thread(self._measured, request) if long else self._measured(request)
        estimate = max(counts.values()) if counts else measured[0]
        prices: dict[str, float] = {}
        for name in self._targets:
            price = self._pricing.estimate(name, measured[1])
            if price is not None:
                prices[name] = price / MICROS
        return Snapshot(
            now=self._now(),
            targets=MappingProxyType({name: _plain(target.state()) for name, target in self._targets.items()}),
            budgets=self._ledger.budgets_of(
                inbound.caller.key, self._limits.all_accounts(inbound.caller, self._clouds)
            ),
            prompt_tokens=MappingProxyType(counts),
            prompt_tokens_estimate=estimate,
            prices=MappingProxyType(prices),
            gpu=self._meters.gpu() if self._meters is not None else Gpu(),
            electricity_price=self._meters.electricity_price() if self._meters is not None else None,
            language=language_of(last_text(request)),
        )

    def _measured(self, request: AnyRequest) -> tuple[int, MostUse]:
        """Return the likely tokens of the prompt, and the most that the request may use in a cloud."""
        away = len(self._targets) > len(self._local)
        return estimated_tokens(request), most_use(request) if away else _NOTHING

    async def _prompt_tokens(
        self, request: AnyRequest, alias: Alias | None, isolation: str, attached: Attached
    ) -> dict[str, int]:
        counts: dict[str, int] = {}
        endpoint = endpoint_of(request)
        for name, target in self._local.items():
            if alias is not None and alias.targets is not None and name not in alias.targets and len(self._local) > 1:
                continue
            info = target.info
            if not info.serves(endpoint):
                continue  # it will not answer, so its count says nothing
            wanted = (
                taken_by(info, request, attached) if isinstance(request, ChatRequest) and request.media else request
            )
            count = await target.prompt_tokens(wanted, isolation=isolation)
            if count is not None:
                counts[name] = count
        return counts


def _plain(state: TargetState) -> TargetState:
    """Return a state whose measurements have three digits: what the policy sees is what is written down for years."""
    return msgspec.structs.replace(
        state,
        queue_wait_seconds=_three_digits(state.queue_wait_seconds),
        kv_used=_three_digits(state.kv_used),
        tokens_per_second=_three_digits(state.tokens_per_second),
        latency_seconds=_three_digits(state.latency_seconds),
    )


@lru_cache(maxsize=1024)
def _three_digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}")


def last_text(request: AnyRequest) -> str:
    """Return what the user said last, or the first text of a request that is no conversation."""
    match request:
        case ChatRequest():
            return next((message.text for message in reversed(request.messages) if message.role == "user"), "")
        case CompletionRequest():
            texts = request.prompts
        case EmbeddingsRequest():
            texts = request.inputs
        case RerankRequest():
            return request.query
        case DecisionsRequest():
            return request.text
        case TokenizeRequest():
            return request.text if request.chat is None else last_text(request.chat)
        case MediaRequest():
            return request.text
    return texts[0] if isinstance(texts[0], str) else ""


def estimated_tokens(request: AnyRequest) -> int:
    """Estimate the prompt's tokens, for a model whose tokenizer is not at hand."""
    match request:
        case ChatRequest():
            characters = sum(
                len(message.text) + sum(len(call.arguments) + len(call.name) for call in message.tool_calls)
                for message in request.messages
            )
            if request.tools:
                characters += len(encode(request.tools))
            if request.response_format.schema is not None:
                characters += len(encode(request.response_format.schema))
            # Once, however many there are: what can't be counted yet must not be refused for its length.
            pictures = _PICTURE_TOKENS if request.media else 0
            return int(characters / CHARACTERS_PER_TOKEN) + _MESSAGE_TOKENS * len(request.messages) + pictures
        case CompletionRequest():
            return _texts(request.prompts)
        case EmbeddingsRequest():
            return _texts(request.inputs)
        case RerankRequest():
            return _texts(tuple(request.query + text for text in request.texts))
        case DecisionsRequest():
            return int(len(encode(request.document)) / CHARACTERS_PER_TOKEN) + 1
        case TokenizeRequest():
            return 0  # the model is not asked
        case MediaRequest():
            return _texts((request.text,)) if request.text else 0


def _texts(texts: tuple[str | tuple[int, ...], ...]) -> int:
    return sum(int(len(text) / CHARACTERS_PER_TOKEN) + 1 if isinstance(text, str) else len(text) for text in texts)
