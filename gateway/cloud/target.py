"""Cloud model as a target: takes a clearance, yields deltas. Owns its door and its exchange.

The last check before the wire stands here. It must never find anything: `gateway.policy` has decided before.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from gateway.cloud.apis import MessagesApi, api_of
from gateway.cloud.door import Door, MakeDoor, OwnDoor
from gateway.cloud.settings import CloudSettings, unencrypted
from gateway.core.delta import Delta, Embeddings, Extra, ToolCallPart
from gateway.core.document import JsonObject, encode
from gateway.core.errors import (
    ClientCredentialRefused,
    ConfigurationError,
    PolicyRefused,
    TargetError,
    TargetLacksEndpoint,
    TargetUnavailable,
)
from gateway.core.events import ViolationStopped
from gateway.core.request import Endpoint
from gateway.core.secret import Credential
from gateway.core.target import Api, TargetInfo, TargetState
from gateway.policy import Clearance
from gateway.upstream.anthropic.answers import read_count
from gateway.upstream.body import has_token_numbers, inputs_of
from gateway.upstream.embeddings import read_vectors
from gateway.upstream.exchange import Exchange, Post, Reply
from gateway.upstream.fast_path import FastPath
from gateway.upstream.media.answers import made, media_answer
from gateway.upstream.media.requests import SentBody
from gateway.upstream.moving_average import MovingAverage

_SMOOTHING = 0.3


class CloudTarget:
    """One model of one provider. Sends what a clearance holds, and nothing else."""

    def __init__(
        self,
        info: TargetInfo,
        settings: CloudSettings,
        *,
        on_violation: Callable[[ViolationStopped], None],
        door: MakeDoor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open no door yet. `door`: opens it at the start; None: in this process."""
        self._info = info
        self._settings = settings
        self._on_violation = on_violation
        self._clock = clock
        self._api = api_of(info.name, settings)
        self._exchange = Exchange(info.name, settings, clock=clock)
        self._make_door = door or partial(OwnDoor, info, settings)
        self._door: Door | None = None
        self._latency = MovingAverage(_SMOOTHING)

    @property
    def info(self) -> TargetInfo:
        """The target's name, ceiling and abilities."""
        return self._info

    async def start(self) -> None:
        """Open the door. Connects to nobody: nothing goes to a cloud without a clearance.

        Raises:
            ConfigurationError: the address would be asked over the internet without encryption.
        """
        if problem := unencrypted(self._info.name, self._settings.base_url):
            raise ConfigurationError((problem,))
        if self._door is None:
            self._door = self._make_door()

    async def close(self) -> None:
        """Close all connections."""
        door, self._door = self._door, None
        if door is not None:
            await door.close()

    def state(self) -> TargetState:
        """Say how the target is doing, as far as that is known without asking it."""
        held = self._exchange.open_until()
        shut = self._door.problem if self._door is not None else ""
        return TargetState(
            healthy=self._door is not None and not shut and held is None,
            latency_seconds=self._latency.value,
            problem=shut or self._exchange.problem,
            open_until=held,
            retry_in=None if held is None else self._exchange.retry_in(),
        )

    async def generate(
        self,
        clearance: Clearance,
        *,
        deadline: float,
        fast: FastPath | None = None,
        extras: Callable[[JsonObject], None] | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer to a cleared chat or completion request. `deadline` is in the loop's clock.

        `extras` is told the fields that OpenAI does not have, ahead of who reads the answer.

        Raises:
            PolicyRefused: the clearance is not for this target.
            TargetError: the target can't be asked or does not answer well; or the text is in token numbers.
            ContextLengthExceeded: the prompt does not fit the target's window.
            TargetRejected: the provider refused the request itself.
        """
        post = self._cleared_post(clearance, self._settings.most_answer_bytes)
        cleared = clearance.opened()
        begun = self._clock()
        answered = False
        deltas = self._exchange.stream(
            post, self._api.reader(cleared.document), deadline=deadline, endpoint=cleared.endpoint, fast=fast
        )
        try:
            async for delta in deltas:
                if not answered:
                    answered = True
                    self._latency.add(self._clock() - begun)
                if extras is not None:
                    if isinstance(delta, Extra):
                        extras(delta.fields)
                    elif isinstance(delta, ToolCallPart) and delta.extra:
                        extras(delta.extra)
                yield delta
        finally:
            await deltas.aclose()

    async def exchange(self, clearance: Clearance, *, deadline: float) -> AsyncGenerator[Delta, None]:
        """Yield the answer to a cleared request for pictures, speech or a transcript; raises what `generate` raises."""
        self._last_check(clearance)
        work = clearance.work
        assert work is not None  # what has none is no such request
        sent = await made(partial(self._api.media, work, clearance.document), clearance.document)
        post = self._cleared_post(clearance, self._settings.most_answer_bytes, sent)
        answer = media_answer(
            self._exchange,
            post,
            target=self._info.name,
            work=work,
            endpoint=clearance.endpoint,
            document=clearance.document,
            deadline=deadline,
        )
        async with aclosing(answer) as deltas:
            async for delta in deltas:
                yield delta

    async def embed(self, clearance: Clearance, *, deadline: float) -> Embeddings:
        """Return the vectors for a cleared embeddings request; raises what `generate` raises."""
        post = self._cleared_post(clearance, self._settings.most_vector_bytes)

        def read(body: bytes) -> Embeddings:
            return read_vectors(self._info.name, clearance.document, inputs_of(clearance.document), body)

        return await self._exchange.whole(post, read, deadline=deadline)

    async def count(self, clearance: Clearance, *, deadline: float) -> int:
        """Return the number of a cleared chat request's prompt tokens; raises what `generate` raises."""
        post = self._cleared_post(clearance, self._settings.most_vector_bytes, counting=True)

        def read(body: bytes) -> int:
            return read_count(self._info.name, body)

        # An address of its own: where a server lacks it, only that one is closed.
        return await self._exchange.whole(post, read, deadline=deadline, endpoint=Endpoint.TOKENIZE)

    def _cleared_post(
        self, clearance: Clearance, most_bytes: int, media: SentBody | None = None, *, counting: bool = False
    ) -> Post:
        """Return the call that sends the cleared document. INVARIANT: no other way leads from here to the door.

        `media` is the body that was made of it, where it asks for pictures, speech or a transcript.
        """
        self._last_check(clearance)
        credential = self._credential(clearance)
        sent = self._sent(clearance, counting=counting) if media is None else media

        async def post() -> Reply:
            if self._door is None:
                raise TargetUnavailable(f"The target {self._info.name!r} is not started.")
            try:
                return await self._door.send(clearance, sent, most_bytes=most_bytes, credential=credential)
            except PolicyRefused:
                self._on_violation(ViolationStopped(request_id=clearance.request_id, target=self._info.name))
                raise

        return post

    def _sent(self, clearance: Clearance, *, counting: bool) -> SentBody:
        cleared = clearance.opened()
        if not counting:
            path, body = self._api.request(cleared.endpoint, cleared.document)
        elif isinstance(self._api, MessagesApi):
            path, body = self._api.count(cleared.document)
        else:
            raise TargetLacksEndpoint(f"The target {self._info.name!r} can't be asked to count tokens.")
        return SentBody(path=path, content=encode(body))

    def _credential(self, clearance: Clearance) -> Credential | None:
        """Return the client's own credential; None where the target is asked with ours.

        Raises:
            ClientCredentialRefused: the target wants one, and the request has none that fits.
        """
        if not self._info.client_credential:
            return None
        if clearance.credential is None:
            header = (
                "'x-api-key', or a subscription's token as 'Authorization: Bearer …' at /v1/messages"
                if self._info.api is Api.MESSAGES
                else "'Authorization: Bearer …'"
            )
            raise ClientCredentialRefused(
                f"The target {self._info.name!r} is asked with your own key for its provider, and there is none that "
                f"fits: send it as {header}, and this gateway's own key, if it has any, as 'x-aduana-key'.",
                code="client_credential_missing",
            )
        return clearance.credential

    def _last_check(self, clearance: Clearance) -> None:
        # INVARIANT: nothing above the ceiling leaves, whatever went wrong before.
        request_id = "unknown"
        try:
            if type(clearance) is Clearance:
                cleared = clearance.opened()
                request_id = cleared.request_id
                if cleared.target == self._info.name and cleared.label <= self._info.ceiling:
                    self._check_readable(cleared.document)
                    return
        except TypeError:
            pass  # a clearance that nobody minted
        self._on_violation(ViolationStopped(request_id=request_id, target=self._info.name))
        raise PolicyRefused(f"The request was stopped: it is not cleared for the target {self._info.name!r}.")

    def _check_readable(self, document: JsonObject) -> None:
        # Token numbers are text that inspection can't read, whatever label the request has.
        if has_token_numbers(document):
            raise TargetError(
                f"The target {self._info.name!r} is not sent token numbers: nobody can inspect them. Send text.",
                code="token_numbers",
                status=400,
            )
