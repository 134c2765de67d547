"""A gateway with real inspection, policy and memory between fake targets, which says where each request went."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.delta import Delta, Finish, FinishReason, Text, UsageReport
from gateway.core.document import encode, freeze_object
from gateway.core.errors import AduanaError, LedgerUnavailable
from gateway.core.labels import Label
from gateway.core.request import AnyRequest, Caller, ChatRequest, CompletionRequest, EmbeddingsRequest, Inbound
from gateway.core.usage import Usage
from gateway.pipeline.memory.taint import ConversationTaint, TaintStore
from gateway.pipeline.ports import Inspecting
from gateway.policy import Explanation
from gateway.privacy.taint.scope import BetweenKeys
from gateway.wire.openai import requests as openai
from gateway.wire.openai.rerank import parse_rerank
from tests.pipeline.house import House

POLICY = """
version: 1
labels:
  default: public
  tags: {health: sensitive, work: internal}
  findings: {secret: sensitive, id: sensitive, financial: sensitive}
otherwise: {prefer: [big, home]}
"""
SECRET = b"k" * 32
STORY = (
    "Since the week before last the whole team has been waiting for the letter from the north, and nobody dares to "
    "ask when it will come. The plan is to move to the old house in spring, before the others hear of it, and to tell "
    "them only then, when the boats are back."
)
OTHER = (
    "Photosynthesis is the process by which plants make sugar out of light, water and air; in the leaves, inside tiny "
    "bodies called chloroplasts, a green dye catches the light, and oxygen is given back to the air around the plant."
)
IBAN = "ES91 2100 0418 4502 0005 1332"


class Store:
    """Store of hashes in memory, which counts what is asked and written; it refuses to write when told to."""

    def __init__(self) -> None:
        self.known: dict[bytes, Label] = {}
        self.asked = 0
        self.broken = False

    async def taint_lookup(self, hashes: Sequence[bytes]) -> Mapping[bytes, Label]:
        self.asked += len(hashes)
        return {item: self.known[item] for item in hashes if item in self.known}

    async def taint_causes(self, hashes: Sequence[bytes]) -> frozenset[str] | None:
        return frozenset({"id"}) if any(item in self.known for item in hashes) else None

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None = None) -> None:
        if self.broken:
            raise LedgerUnavailable("The disk is full.")
        self.known.update(dict.fromkeys(hashes, label))


class World:
    """A gateway whose cloud takes everything that is public. After `restart` it knows what its store knows."""

    def __init__(
        self,
        inspector: Inspecting,
        *,
        between: BetweenKeys = BetweenKeys.PASSAGES,
        store: TaintStore | None = None,
        policy: str = POLICY,
        **house: Any,
    ) -> None:
        self.store = store or Store()
        self._inspector = inspector
        self._between = between
        self._policy = policy
        self._house = house
        self._numbers = itertools.count()
        self.restart()

    def restart(self) -> None:
        """Forget everything that only the process knew."""
        self.taint = ConversationTaint(self.store, SECRET, self._between)
        self.house = House(self._inspector, self._policy, taint=self.taint, **self._house)

    def answers(self, *deltas: Delta) -> None:
        """Let the local target answer with these deltas, and an end."""
        choices = {delta.index for delta in deltas if not isinstance(delta, UsageReport)}
        ends = [Finish(reason=FinishReason.STOP, index=index) for index in sorted(choices)]
        self.house.home.script = (*deltas, *ends, UsageReport(usage=Usage(input=1, output=1)))

    def inbound(self, body: Mapping[str, Any], *tags: str, key: str = "app") -> Inbound:
        """Return a body (OpenAI's) as the server hands it on."""
        document = freeze_object({"model": "auto", **body})
        request: AnyRequest
        if "messages" in body:
            request = openai.parse_chat(document)
        elif "prompt" in body:
            request = openai.parse_completion(document)
        elif "input" in body:
            request = openai.parse_embeddings(document)
        else:
            request = parse_rerank(encode(document))
        number = f"req_{next(self._numbers)}"
        return Inbound(id=number, request=request, caller=Caller(key=key), tags=frozenset(tags))

    async def leaves(self, body: Mapping[str, Any], *tags: str, key: str = "app") -> bool:
        """Send a request, read its whole answer, and return whether the cloud got it."""
        inbound = self.inbound(body, *tags, key=key)
        cloud, home = self.house.big, self.house.home
        cloud.asked.clear()
        home.asked.clear()
        request = inbound.request
        try:
            if isinstance(request, ChatRequest | CompletionRequest):
                async with self.house.pipeline.generate(inbound, request) as answer:
                    async for _ in answer.deltas:
                        pass
            elif isinstance(request, EmbeddingsRequest):
                await self.house.pipeline.embed(inbound, request)
            else:
                return (await self.explained(body, *tags, key=key)).label == "public"
        finally:
            await self.house.settlements.close()
        return bool(cloud.asked)

    async def explained(self, body: Mapping[str, Any], *tags: str, key: str = "app") -> Explanation:
        """Return how a request would be decided; nothing is sent and nothing remembered."""
        return await self.house.pipeline.explain(self.inbound(body, *tags, key=key))


def chat(*turns: str | tuple[str, str], **fields: Any) -> dict[str, Any]:
    """Return the body of a chat: texts are the user's and the assistant's in turn, pairs have their own role."""
    messages = []
    for number, turn in enumerate(turns):
        role, text = turn if isinstance(turn, tuple) else (("user", "assistant")[number % 2], turn)
        messages.append({"role": role, "content": text})
    return {"messages": messages, **fields}


def said(text: str, index: int = 0) -> tuple[Text, ...]:
    """Return a text as a model streams it, some letters at a time."""
    return tuple(Text(text=text[start : start + 5], index=index) for start in range(0, len(text), 5))


__all__ = ["IBAN", "OTHER", "STORY", "AduanaError", "Store", "World", "chat", "said"]
