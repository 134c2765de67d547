"""A local model as the judge of what a request is about.

INVARIANT: it is in the local zone, and what it says only raises labels.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec
from cachetools import LRUCache

from gateway.core.delta import Text, TokenLogprob
from gateway.core.document import freeze_object
from gateway.core.errors import TargetBusy, TargetUnavailable
from gateway.core.finding import Doubt, Finding
from gateway.core.labels import Label, Zone
from gateway.core.request import ChatRequest
from gateway.core.target import Capability
from gateway.pipeline.ports import LocalTarget
from gateway.privacy.topic_questions import (
    TOPICS,
    Judgement,
    Passage,
    Question,
    Questions,
    finding,
    passages,
    speaks_of_itself,
)
from gateway.wire.openai.requests import parse_chat

_ISOLATION = "topic judgement"  # shares the beginning of its questions with nobody's conversations
_PRIORITY = 10  # a request waits for this
_BUSY_SECONDS = 0.1  # between tries behind a full queue
_LATER = 5.0  # seconds after which the target would give up by itself; the request's own limit comes first
_REMEMBERED = 20_000  # answers, by keyed hash
_MARK_BYTES = 16


class Contradiction(msgspec.Struct, frozen=True):
    """Answers that contradict each other: no topic, and yet private. One of them is wrong, and nobody knows which."""


class JudgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the judgement. Beyond them a request counts as sensitive."""

    topics: Mapping[str, tuple[str, str]] = MappingProxyType(dict(TOPICS))
    """Word → category and what it is about."""
    seconds: float = 10.0
    """For one request."""
    at_once: int = 8
    """Questions that the model works on together."""
    certainty: float = 0.5
    """Share of the model's probability that a harmless answer must have."""


class TopicJudge:
    """Judge of topics, and owner of the answers that it remembers."""

    def __init__(self, target: LocalTarget, settings: JudgeSettings) -> None:
        """Take a target that may see everything: what must stay must not leave to be judged.

        Raises:
            ValueError: The target is not local, or its ceiling is below sensitive.
        """
        if target.info.zone is not Zone.LOCAL or target.info.ceiling is not Label.SENSITIVE:
            raise ValueError(f"the target {target.info.name!r} is not local, or its ceiling is too low")
        self.settings = settings
        self._target = target
        self._logprobs = Capability.LOGPROBS in target.info.capabilities
        self._questions = Questions(settings.topics)
        self._turns = asyncio.Semaphore(settings.at_once)
        self._key = secrets.token_bytes(32)
        self._known: LRUCache[bytes, str | Contradiction | None] = LRUCache(_REMEMBERED)

    async def judgement(self, texts: Sequence[tuple[str, str]]) -> Judgement:
        """Judge texts, given as (path, text).

        Raises:
            Exception: Whatever kept the model from answering in time or in one of the words.
        """
        places: dict[str, list[tuple[str, Passage]]] = {}
        for path, text in texts:
            for passage in passages(text):
                read = text[passage.start : passage.end]
                if speaks_of_itself(read):
                    return Judgement(doubts=(Doubt(reason="speaks_of_itself", path=path),))
                places.setdefault(read, []).append((path, passage))
        deadline = asyncio.get_running_loop().time() + self.settings.seconds
        mine = asyncio.Semaphore(self.settings.at_once)  # so that a long text does not stand before all short ones
        async with asyncio.timeout_at(deadline), asyncio.TaskGroup() as group:
            asked = {read: group.create_task(self._judged(read, mine, deadline + _LATER)) for read in places}
        findings: list[Finding] = []
        doubts: list[Doubt] = []
        for read, task in asked.items():
            match task.result():
                case None:
                    pass
                case Contradiction():
                    doubts += (Doubt(reason="judged_differently", path=path) for path, _ in places[read])
                case category:
                    findings += (finding(category, path, passage) for path, passage in places[read])
        return Judgement(findings=tuple(findings), doubts=tuple(doubts))

    async def _judged(self, passage: str, mine: asyncio.Semaphore, deadline: float) -> str | Contradiction | None:
        """Return the category of a passage; None: both questions find it clean."""
        mark = hashlib.blake2b(
            passage.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_MARK_BYTES
        ).digest()
        if mark in self._known:
            return self._known[mark]
        questions = self._questions
        found: str | Contradiction | None = None
        async with mine, self._turns:
            word = await self._word(questions.topic, passage, deadline)
            if word != questions.topic.clean:
                found = questions.category(word)
            elif await self._word(questions.privacy, passage, deadline) != questions.privacy.clean:
                found = Contradiction()
        self._known[mark] = found
        return found

    async def _word(self, question: Question, passage: str, deadline: float) -> str:
        """Return the answer to one question.

        A full queue is waited for: that rush may be why the request would leave.

        Raises:
            TargetUnavailable: The model can't be loaded.
        """
        document = {"model": self._target.info.model, **question.request(passage, logprobs=self._logprobs)}
        request = parse_chat(freeze_object(document))
        while True:
            state = self._target.state()
            if state.loaded is False and not state.healthy:  # else each question would try to load it again
                raise TargetUnavailable("The model that judges topics can't be loaded.")
            try:
                answer, tokens = await self._answer(request, deadline)
            except TargetBusy:
                await asyncio.sleep(_BUSY_SECONDS)
            else:
                return question.word(answer, tokens, self.settings.certainty)

    async def _answer(self, request: ChatRequest, deadline: float) -> tuple[str, list[TokenLogprob]]:
        answer, tokens = "", list[TokenLogprob]()
        deltas = self._target.generate(request, deadline=deadline, isolation=_ISOLATION, priority=_PRIORITY)
        try:
            async for delta in deltas:
                if isinstance(delta, Text):
                    answer += delta.text
                    tokens += delta.logprobs
        finally:
            await deltas.aclose()
        return answer, tokens
