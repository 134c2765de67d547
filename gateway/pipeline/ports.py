"""What the pipeline needs from the rooms below it.

Targets have two signatures on purpose: a cloud call without a clearance does not type-check.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from gateway.core.delta import Decisions, Delta, Embeddings, Ranking, Tokenized
from gateway.core.document import JsonObject
from gateway.core.errors import TargetBusy
from gateway.core.events import Event
from gateway.core.finding import Inspection, Trace
from gateway.core.limits import Account, Full
from gateway.core.progress import Progress
from gateway.core.record import Receipt, Reservation, Settlement
from gateway.core.request import (
    AnyMediaRequest,
    AnyRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    GenerateRequest,
    Inbound,
    Media,
    RerankRequest,
    TokenizeRequest,
)
from gateway.core.route import Room
from gateway.core.snapshot import Budget, Gpu
from gateway.core.target import TargetInfo, TargetState
from gateway.core.usage import MostUse, Usage
from gateway.policy import Clearance, Policy, Sensitivity
from gateway.privacy.taint.document_texts import DocumentText
from gateway.upstream.fast_path import FastPath


class Target(Protocol):
    """A place that can answer, in whichever zone."""

    @property
    def info(self) -> TargetInfo:
        """Name, zone, ceiling and capabilities."""

    async def start(self) -> None:
        """Begin to get ready, and return at once or soon; readiness shows in `state`."""

    async def close(self) -> None:
        """Stop, and let go of what the target holds."""

    def state(self) -> TargetState:
        """Return health, queue and measured speed of now."""


class LocalTarget(Target, Protocol):
    """A target in the local zone. `deadline` is in the loop's clock; closing the iterator cancels at once."""

    def refusal(self, request: AnyRequest, *, isolation: str, priority: int = 0) -> TargetBusy | None:
        """Return why there is no place for a request now, at once; None: asking it will tell."""

    def room(self, isolation: str) -> Room | None:
        """Return the places that a key has left now; None: it may have any number."""

    def generate(
        self,
        request: GenerateRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
        fast: FastPath | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Answer a chat or completion request, delta by delta.

        A target that knows what it processes counts it in `progress`, and says so there. What goes by `fast`, which it
        need not use, is not yielded.
        """

    def exchange(
        self,
        request: AnyMediaRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Answer a request for pictures, speech or a transcript, delta by delta."""

    async def embed(
        self,
        request: EmbeddingsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Embeddings:
        """Return a vector for each input."""

    async def rerank(
        self,
        request: RerankRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Ranking:
        """Return a score for each text."""

    async def decide(
        self,
        request: DecisionsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Decisions:
        """Return an answer to each question."""

    async def tokenize(self, request: TokenizeRequest, *, deadline: float, isolation: str = "") -> Tokenized:
        """Put a text, token ids or a conversation through the model's vocabulary or template."""

    async def prompt_tokens(self, request: AnyRequest, *, isolation: str = "") -> int | None:
        """Count the tokens of the prompt exactly; None: the target can't."""


class CloudTarget(Target, Protocol):
    """A target in the cloud zone. It takes a clearance and nothing else."""

    def generate(
        self,
        clearance: Clearance,
        *,
        deadline: float,
        fast: FastPath | None = None,
        extras: Callable[[JsonObject], None] | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Answer the document of the clearance, delta by delta, but for what goes by `fast`.

        `extras` is told the fields of the answer that OpenAI does not have, ahead of who reads it.
        """

    def exchange(self, clearance: Clearance, *, deadline: float) -> AsyncGenerator[Delta, None]:
        """Answer the document of the clearance with pictures, speech or a transcript, delta by delta."""

    async def embed(self, clearance: Clearance, *, deadline: float) -> Embeddings:
        """Return a vector for each input in the document of the clearance."""

    async def count(self, clearance: Clearance, *, deadline: float) -> int:
        """Return the number of tokens of the prompt in the document of the clearance."""


class Inspecting(Protocol):
    """Search of a whole document."""

    def inspect(self, document: JsonObject, media: frozenset[Media] = ..., *, letters: bool = ...) -> Inspection:
        """Return what is found. Never raises: what can't be searched is a doubt in the answer.

        Without `letters`, those of media in base64 are not searched, and each of these media is a doubt.
        """


class PolicySource(Protocol):
    """Owner of the policy in force, and of a candidate that only looks on."""

    @property
    def current(self) -> Policy:
        """The policy in force."""

    @property
    def candidate(self) -> Policy | None:
        """The policy that decides too and has no effect; None: there is none."""


class LedgerPort(Protocol):
    """The ledger as the pipeline uses it."""

    def receive(self, receipt: Receipt, reservation: Reservation | None) -> "asyncio.Future[str | Full | None]":
        """Write a receipt and set money aside; both are durable when the future is done.

        It has the name of a budget that does not allow for the reservation, or the limit that gateways share and that
        has no room; then no money was set aside.
        """

    async def reserve(self, request_id: str, reservation: Reservation) -> str | Full | None:
        """Set money aside for a further target of a request; that is durable when this returns.

        Returns the name of a budget that does not allow for it, or the limit that gateways share and that has no
        room; then no money was set aside.
        """

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        """Write how a request ended; that is durable when the future is done."""

    async def refuse(self, receipt: Receipt, settlement: Settlement) -> None:
        """Write the receipt and the settlement of a request that is sent nowhere; durable when this returns."""

    def budgets_of(self, key: str, accounts: Sequence[Account]) -> Mapping[str, Budget]:
        """Return the budgets that a request with this key and these accounts draws on, reservations included.

        They have the names that are told: the caller's user is `user`.
        """


class AttachedText(msgspec.Struct, frozen=True, kw_only=True):
    """What the memory of conversations knows an attachment by: its texts, and its bytes."""

    path: str
    texts: tuple[DocumentText, ...]
    data: bytes
    telling: bool = False  # all of it is to be remembered, where the request is sensitive


class Recollection(msgspec.Struct, frozen=True, kw_only=True):
    """What of a request is known as sensitive from before."""

    traces: tuple[Trace, ...] = ()
    turn: int = 0  # the client's own turn, from 1, from which the conversation is sensitive; 0: nothing is known
    causes: frozenset[str] | None = None  # categories that alone made it sensitive; None: not known, or not only they
    conversation: bytes | None = None  # hash of how the request's conversation begins; None: too little to tell

    @property
    def tainted(self) -> bool:
        """Whether anything is known."""
        return bool(self.traces)

    def joined(self, inspection: Inspection) -> Inspection:
        """Return what inspection saw, together with what is known."""
        if not self.tainted:
            return inspection
        return msgspec.structs.replace(inspection, tainted=True, causes=self.causes, traces=self.traces)


class AnswerPort(Protocol):
    """The memory of one running answer."""

    def ahead(self, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
        """Yield the same deltas, each behind the memory of what it completes."""

    async def end(self) -> None:
        """Remember what has not ended as far as it has come."""


class TaintPort(Protocol):
    """The memory of sensitive conversations."""

    async def recall(self, inbound: Inbound, attached: Sequence[AttachedText] = ()) -> Recollection:
        """Return what of a request, and of its attachments, is known as sensitive from before."""

    async def remember(
        self,
        inbound: Inbound,
        why: Sensitivity,
        recalled: Recollection,
        causes: frozenset[str] | None = None,
        attached: Sequence[AttachedText] = (),
    ) -> None:
        """Remember what of a sensitive request is sensitive; that is durable when this returns."""

    async def remember_attached(self, inbound: Inbound, attached: Sequence[AttachedText]) -> None:
        """Remember attachments of a request that was remembered before they were read."""

    def answering(self, inbound: Inbound, causes: frozenset[str] | None = None) -> AnswerPort:
        """Return the memory of the answer to a sensitive request."""

    async def left(self, inbound: Inbound) -> None:
        """Note that a request was public and has left for a cloud."""


class Pricing(Protocol):
    """Money for tokens, in micro-dollars. Asking is cheap: rates were resolved when the configuration was loaded."""

    def cost(self, target: str, usage: Usage) -> int:
        """Return what this usage costs on a target."""

    def avoided(self, target: str, usage: Usage) -> int | None:
        """Return what the reference model would have cost for it; None: not known, or the target is not local."""

    def estimate(self, target: str, most: MostUse) -> int | None:
        """Return the most that a request could cost on a target; None: no price is known."""


class Meters(Protocol):
    """The last measurements of electricity and GPU."""

    def gpu(self) -> Gpu:
        """Return the last sample of the busiest GPU."""

    def electricity_price(self) -> float | None:
        """Return what electricity costs now, in US dollars per kWh; None: not known."""


class Observer(Protocol):
    """Listener to what happens. It must be quick and must not raise.

    One with an attribute `hears`, a collection of kinds of events, is told of those alone; of each by the function that
    stands under its kind, where that is a mapping.
    """

    def on(self, event: Event) -> None:
        """Take note of an event."""
