"""A local model judges what a request is about. INVARIANT: it is in the local zone, and what it says only raises."""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from gateway.core.delta import Text
from gateway.core.document import freeze_object
from gateway.core.errors import TargetBusy, TargetUnavailable
from gateway.core.finding import Finding
from gateway.core.labels import Label, Zone
from gateway.core.request import ChatRequest
from gateway.pipeline.parts import LocalTarget
from gateway.privacy.judging import TOPICS, Passage, Questions, passages, speaks_of_itself
from gateway.wire.openai_requests import parse_chat

_ISOLATION = "topic judgement"  # shares the beginning of its questions with nobody's conversations
_PRIORITY = 10  # a request waits for this
_BUSY_SECONDS = 0.1  # between tries behind a full queue
_REMEMBERED = 20_000  # answers, by keyed hash
_MARK_BYTES = 16


class SpokeOfItself(Exception):
    """A text tells how it wants to be judged."""


class JudgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits. Beyond them a request counts as sensitive."""

    topics: Mapping[str, tuple[str, str]] = MappingProxyType(dict(TOPICS))
    """Word → category and what it is about."""
    seconds: float = 10.0
    """For one request."""
    at_once: int = 8
    """Questions that the model works on together."""


class Judge:
    """Owns the answers that it remembers."""

    def __init__(self, target: LocalTarget, settings: JudgeSettings) -> None:
        """Raises ValueError for a target that may not see everything: what must stay must not leave to be judged."""
        if target.info.zone is not Zone.LOCAL or target.info.ceiling is not Label.SENSITIVE:
            raise ValueError(f"the target {target.info.name!r} is not local, or its ceiling is too low")
        self.settings = settings
        self._target = target
        self._questions = Questions(settings.topics)
        self._turns = asyncio.Semaphore(settings.at_once)
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, str | None] = OrderedDict()

    async def findings(self, texts: Sequence[tuple[str, str]]) -> tuple[Finding, ...]:
        """Of texts as (path, text), each with its topic.

        Raises SpokeOfItself, and whatever kept the model from answering in time or in one of the words.
        """
        places: dict[str, list[tuple[str, Passage]]] = {}
        for path, text in texts:
            for passage in passages(text):
                read = text[passage.start : passage.end]
                if speaks_of_itself(read):
                    raise SpokeOfItself
                places.setdefault(read, []).append((path, passage))
        deadline = asyncio.get_running_loop().time() + self.settings.seconds
        async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
            asked = {read: group.create_task(self._category(read, deadline)) for read in places}
        return tuple(
            self._questions.finding(category, path, passage)
            for read, task in asked.items()
            if (category := task.result()) is not None
            for path, passage in places[read]
        )

    async def _category(self, passage: str, deadline: float) -> str | None:
        mark = hashlib.blake2b(
            passage.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_MARK_BYTES
        ).digest()
        if mark in self._known:
            self._known.move_to_end(mark)
            return self._known[mark]
        async with self._turns:
            category = self._questions.category(await self._ask(self._questions.request(passage), deadline))
        self._known[mark] = category
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return category

    async def _ask(self, document: dict[str, object], deadline: float) -> str:
        """The answer's text. A full queue is waited for: this request must not be lost to the rush that it may end."""
        request = parse_chat(freeze_object({"model": self._target.info.model, **document}))
        while True:
            if not self._target.state().healthy:  # sooner than by waiting for the deadline
                raise TargetUnavailable("The model that judges topics can't answer.")
            try:
                return await self._answer(request, deadline)
            except TargetBusy:
                await asyncio.sleep(_BUSY_SECONDS)

    async def _answer(self, request: ChatRequest, deadline: float) -> str:
        answer = []
        deltas = self._target.generate(request, deadline=deadline, isolation=_ISOLATION, priority=_PRIORITY)
        try:
            async for delta in deltas:
                if isinstance(delta, Text):
                    answer.append(delta.text)
        finally:
            await deltas.aclose()
        return "".join(answer)
