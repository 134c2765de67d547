"""What targets have in common that take or give sound alone: a fair queue, and everything else refused."""

import time
from collections.abc import AsyncGenerator

from gateway.core.delta import Decisions, Delta, Embeddings, Ranking, Tokenized
from gateway.core.errors import TargetBusy, TargetLacksEndpoint
from gateway.core.progress import Progress
from gateway.core.request import (
    AnyRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    GenerateRequest,
    RerankRequest,
    TokenizeRequest,
)
from gateway.core.route import Room
from gateway.core.target import TargetInfo
from gateway.local.slots import FairSlots
from gateway.local.throughput import Throughput
from gateway.upstream.fast_path import FastPath


class WordlessTarget:
    """Target that is never asked for text: its catalogue entry has no such endpoint, and this is behind it."""

    def __init__(self, info: TargetInfo, only: str, *, slots: int, queue: int, queue_wait: float) -> None:
        """Begin with nobody in the queue.

        Args:
            info: What the rest of the gateway knows about the target.
            only: What it does, in one word for errors.
            slots: Requests at once.
            queue: Further ones that may wait.
            queue_wait: Seconds; one that would have to wait longer, as far as can be foreseen, is refused at once.
        """
        self._info = info
        self._only = only
        self._throughput = Throughput()
        self._slots = FairSlots(
            info.name, self._throughput, slots=slots, queue=queue, queue_wait=queue_wait, clock=time.monotonic
        )

    @property
    def info(self) -> TargetInfo:
        """The target's name and abilities."""
        return self._info

    def unable(self) -> TargetLacksEndpoint:
        """Return the error for whatever else is asked of it."""
        return TargetLacksEndpoint(f"The target {self._info.name!r} only {self._only}.")

    def refusal(self, request: AnyRequest, *, isolation: str, priority: int = 0) -> TargetBusy | None:
        """Return why there is no place for a request now; None: there is one, or another error says more."""
        return self._slots.refusal(isolation, priority)

    def room(self, isolation: str) -> Room:
        """Return the places that a key has left here."""
        return self._slots.room(isolation)

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
        """Refuse.

        Raises:
            TargetLacksEndpoint: Always.
        """
        raise self.unable()

    async def embed(
        self,
        request: EmbeddingsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Embeddings:
        """Refuse.

        Raises:
            TargetLacksEndpoint: Always.
        """
        raise self.unable()

    async def rerank(
        self,
        request: RerankRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Ranking:
        """Refuse.

        Raises:
            TargetLacksEndpoint: Always.
        """
        raise self.unable()

    async def decide(
        self,
        request: DecisionsRequest,
        *,
        deadline: float,
        isolation: str = "",
        priority: int = 0,
        progress: Progress | None = None,
    ) -> Decisions:
        """Refuse.

        Raises:
            TargetLacksEndpoint: Always.
        """
        raise self.unable()

    async def tokenize(self, request: TokenizeRequest, *, deadline: float, isolation: str = "") -> Tokenized:
        """Refuse.

        Raises:
            TargetLacksEndpoint: Always.
        """
        raise self.unable()

    async def prompt_tokens(self, request: AnyRequest, *, isolation: str = "") -> int | None:
        """Return None: nothing is counted in tokens."""
        return None
