"""Answers for retries with the same `Idempotency-Key`, of all workers: a retry may come to another one."""

from collections.abc import Awaitable, Callable

from gateway.app.workers.messages import Begin, Begun, Finished, Message, Refusal
from gateway.core.errors import BadRequest
from gateway.core.kept_answers import HEADER, IdempotencyStore, Identity, KeptAnswer


class SharedAnswers:
    """The supervisor's side: the one store, and whose worker's requests run."""

    def __init__(self) -> None:
        self._store = IdempotencyStore()
        self._running: dict[tuple[int, int], Identity] = {}  # by worker and question

    async def begin(self, worker: int, message: Begin) -> Begun:
        """Return what a worker shall do with a request."""
        try:
            answer = await self._store.begin(message.identity, message.fingerprint)
        except BadRequest as error:
            refusal = Refusal(
                message=error.message, code=error.code, status=error.status, retry_after=error.retry_after
            )
            return Begun(ask=message.ask, refusal=refusal)
        if answer is None:
            self._running[worker, message.ask] = message.identity
        return Begun(ask=message.ask, answer=answer)

    def finished(self, worker: int, message: Finished) -> None:
        """Keep the answer of a request that ended, or forget it; nothing where it never began."""
        identity = self._running.pop((worker, message.ask), None)
        if identity is None:
            return
        if message.answer is not None:
            self._store.keep(identity, message.answer)
        else:
            self._store.drop(identity)

    def gone(self, worker: int) -> None:
        """Forget what ran at a worker that died, so that retries of it are new requests."""
        for running in [one for one in self._running if one[0] == worker]:
            self._store.drop(self._running.pop(running))


class AnswersElsewhere:
    """A worker's side (`server.idempotency.KeptAnswers`): it asks the supervisor."""

    def __init__(self, ask: Callable[[Callable[[int], Message]], Awaitable[Message]], tell: Callable[[Message], None]):
        """Ask nothing yet.

        Args:
            ask: Sends what it is given, made with the number of the question, and returns the answer.
            tell: Sends what has no answer.
        """
        self._ask = ask
        self._tell = tell
        self._running: dict[Identity, int] = {}

    async def begin(self, identity: Identity, fingerprint: bytes) -> KeptAnswer | None:
        """Return the answer to repeat; None: the request runs from now on, until `keep` or `drop`.

        Raises:
            BadRequest: The key was used for another request (422), or the same one still runs (409).
            Unavailable: The supervisor does not say.
        """
        asked = 0

        def made(ask: int) -> Message:
            nonlocal asked
            asked = ask
            return Begin(ask=ask, identity=identity, fingerprint=fingerprint)

        try:
            found = await self._ask(made)
        except BaseException:
            self._tell(Finished(ask=asked))  # whoever waited is gone, and the request does not run
            raise
        assert isinstance(found, Begun)
        if found.refusal is not None:
            why = found.refusal
            raise BadRequest(why.message, code=why.code, param=HEADER, status=why.status, retry_after=why.retry_after)
        if found.answer is None:
            self._running[identity] = asked
        return found.answer

    def keep(self, identity: Identity, answer: KeptAnswer) -> None:
        """Keep the answer of a request that has ended well."""
        self._finish(identity, answer)

    def drop(self, identity: Identity) -> None:
        """Forget a request that failed or was cut off, so that a retry is a new one."""
        self._finish(identity, None)

    def _finish(self, identity: Identity, answer: KeptAnswer | None) -> None:
        asked = self._running.pop(identity, None)
        if asked is not None:
            self._tell(Finished(ask=asked, answer=answer))
