"""Cloud model as a target: takes a clearance, yields deltas. Owns its provider client and its exchange.

The last check before the wire stands here. It must never find anything: `gateway.policy` has decided before.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from gateway.cloud.apis import api_of
from gateway.cloud.client import CloudReply, ProviderClient
from gateway.cloud.settings import CloudSettings, is_encrypted
from gateway.core.delta import Delta, Embeddings
from gateway.core.document import encode
from gateway.core.errors import (
    ClientCredentialRefused,
    ConfigurationError,
    PolicyRefused,
    TargetError,
    TargetUnavailable,
)
from gateway.core.events import ViolationStopped
from gateway.core.moving_average import MovingAverage
from gateway.core.secret import Credential
from gateway.core.target import Api, TargetInfo, TargetState
from gateway.policy import Clearance
from gateway.upstream.body import has_token_numbers, inputs_of
from gateway.upstream.embeddings import read_vectors
from gateway.upstream.exchange import Exchange, Post

_SMOOTHING = 0.3


class CloudTarget:
    """One model of one provider. Sends what a clearance holds, and nothing else."""

    def __init__(
        self,
        info: TargetInfo,
        settings: CloudSettings,
        *,
        on_violation: Callable[[ViolationStopped], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._info = info
        self._settings = settings
        self._on_violation = on_violation
        self._clock = clock
        self._api = api_of(info.name, settings)
        self._exchange = Exchange(info.name, settings, clock=clock)
        self._client: ProviderClient | None = None
        self._latency = MovingAverage(_SMOOTHING)

    @property
    def info(self) -> TargetInfo:
        """The target's name, ceiling and abilities."""
        return self._info

    async def start(self) -> None:
        """Prepare the client. Connects to nobody: nothing goes to a cloud without a clearance.

        Raises:
            ConfigurationError: the address would be asked over the internet without encryption.
        """
        if not is_encrypted(self._settings.base_url):
            raise ConfigurationError(
                (
                    f"The target {self._info.name!r}: its base_url begins with 'http://', so the key and every request "
                    "would cross the internet readable for all. Use 'https://'.",
                )
            )
        if self._client is None:
            self._client = ProviderClient(self._info.name, self._settings)

    async def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def state(self) -> TargetState:
        """Say how the target is doing, as far as that is known without asking it."""
        held = self._exchange.open_until()
        return TargetState(
            healthy=self._client is not None and held is None,
            latency_seconds=self._latency.value,
            problem=self._exchange.problem,
            open_until=held,
            retry_in=self._exchange.retry_in(),
        )

    async def generate(self, clearance: Clearance, *, deadline: float) -> AsyncGenerator[Delta, None]:
        """Yield the answer to a cleared chat or completion request. `deadline` is in the loop's clock.

        Raises:
            PolicyRefused: the clearance is not for this target.
            TargetError: the target can't be asked or does not answer well; or the text is in token numbers.
            ContextLengthExceeded: the prompt does not fit the target's window.
            TargetRejected: the provider refused the request itself.
        """
        post = self._cleared_post(clearance, self._settings.most_answer_bytes)
        begun = self._clock()
        answered = False
        async with aclosing(
            self._exchange.stream(
                post, self._api.reader(clearance.document), deadline=deadline, endpoint=clearance.endpoint
            )
        ) as deltas:
            async for delta in deltas:
                if not answered:
                    answered = True
                    self._latency.add(self._clock() - begun)
                yield delta

    async def embed(self, clearance: Clearance, *, deadline: float) -> Embeddings:
        """Return the vectors for a cleared embeddings request; raises what `generate` raises."""
        post = self._cleared_post(clearance, self._settings.most_vector_bytes)

        def read(body: bytes) -> Embeddings:
            return read_vectors(self._info.name, clearance.document, inputs_of(clearance.document), body)

        return await self._exchange.whole(post, read, deadline=deadline)

    def _cleared_post(self, clearance: Clearance, most_bytes: int) -> Post:
        """Return the call that sends the cleared document. INVARIANT: no other way leads from here to the client."""
        self._last_check(clearance)
        credential = self._credential(clearance)
        path, body = self._api.request(clearance.endpoint, clearance.document)
        content = encode(body)

        async def post() -> CloudReply:
            if self._client is None:
                raise TargetUnavailable(f"The target {self._info.name!r} is not started.")
            return await self._client.post(path, content, most_bytes=most_bytes, credential=credential)

        return post

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
                request_id = clearance.request_id
                if clearance.target == self._info.name and clearance.label <= self._info.ceiling:
                    self._check_readable(clearance)
                    return
        except TypeError:
            pass  # a clearance that nobody minted
        self._on_violation(ViolationStopped(request_id=request_id, target=self._info.name))
        raise PolicyRefused(f"The request was stopped: it is not cleared for the target {self._info.name!r}.")

    def _check_readable(self, clearance: Clearance) -> None:
        # Token numbers are text that inspection can't read, whatever label the request has.
        if has_token_numbers(clearance.document):
            raise TargetError(
                f"The target {self._info.name!r} is not sent token numbers: nobody can inspect them. Send text.",
                code="token_numbers",
                status=400,
            )
