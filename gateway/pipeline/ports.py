"""What the pipeline needs from the rooms below it. Two target signatures on purpose: a cloud call without a
clearance does not type-check.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from gateway.core.delta import Delta, Embeddings, Ranking
from gateway.core.document import JsonObject
from gateway.core.events import Event
from gateway.core.finding import Inspection
from gateway.core.labels import Label
from gateway.core.progress import Progress
from gateway.core.record import Receipt, Reservation, Settlement
from gateway.core.request import AnyRequest, EmbeddingsRequest, GenerateRequest, Media, RerankRequest
from gateway.core.snapshot import Budget, Gpu
from gateway.core.target import TargetInfo, TargetState
from gateway.core.usage import Usage
from gateway.policy import Clearance, Policy


class Target(Protocol):
    """What every target has. `start` returns at once or soon; readiness shows in `state`."""

    @property
    def info(self) -> TargetInfo: ...
    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def state(self) -> TargetState: ...


class LocalTarget(Target, Protocol):
    """A target in the local zone. `deadline` is in the loop's clock; closing the iterator cancels at once.

    One that knows what it processes counts it in `progress`, and says so there.
    """

    def generate(
        self,
        request: GenerateRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]: ...
    async def embed(self, request: EmbeddingsRequest, *, deadline: float) -> Embeddings: ...
    async def rerank(self, request: RerankRequest, *, deadline: float) -> Ranking: ...
    async def prompt_tokens(self, request: AnyRequest) -> int | None: ...


class CloudTarget(Target, Protocol):
    """A target in the cloud zone. It takes a clearance and nothing else."""

    def generate(self, clearance: Clearance, *, deadline: float) -> AsyncGenerator[Delta, None]: ...
    async def embed(self, clearance: Clearance, *, deadline: float) -> Embeddings: ...


class Inspecting(Protocol):
    """Searches a whole document. Never raises: what it can't do is a doubt in its answer."""

    def inspect(self, document: JsonObject, media: frozenset[Media] = ...) -> Inspection: ...


class PolicySource(Protocol):
    """Owner of the policy in force, and of a candidate that only looks on."""

    @property
    def current(self) -> Policy: ...
    @property
    def candidate(self) -> Policy | None: ...


class LedgerPort(Protocol):
    """The ledger as the pipeline uses it. `receive` and `reserve` are durable when they return.

    Both return the name of a budget that does not allow for the reservation; then no money was set aside.
    """

    async def receive(self, receipt: Receipt, reservation: Reservation | None) -> str | None: ...
    async def reserve(self, request_id: str, reservation: Reservation) -> str | None: ...
    async def settle(self, settlement: Settlement) -> None: ...
    def budgets(self) -> Mapping[str, Budget]: ...


class TaintPort(Protocol):
    """The memory of sensitive conversations."""

    async def recall(self, request: AnyRequest) -> bool: ...
    async def causes(self, request: AnyRequest) -> frozenset[str] | None: ...
    async def remember(self, request: AnyRequest, label: Label, causes: frozenset[str] | None = None) -> None: ...
    async def remember_answer(self, request: AnyRequest, answer: str, causes: frozenset[str] | None = None) -> None: ...
    async def harmless(self, request: AnyRequest) -> None: ...


class Pricing(Protocol):
    """Money for tokens, in micro-dollars. Cheap: rates were resolved when the configuration was loaded."""

    def cost(self, target: str, usage: Usage) -> int: ...
    def avoided(self, target: str, usage: Usage) -> int | None: ...
    def estimate(self, target: str, prompt_tokens: int, max_tokens: int | None) -> int | None: ...


class Meters(Protocol):
    """The last sample of the busiest GPU, and what electricity costs now (US dollars per kWh)."""

    def gpu(self) -> Gpu: ...
    def electricity_price(self) -> float | None: ...


class Observer(Protocol):
    """Hears what happened. Must be quick and must not raise."""

    def on(self, event: Event) -> None: ...
