"""What the ways of all picture servers share: the session, the exchange, short questions beside the work."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gateway.core.errors import AduanaError, TargetTimeout
from gateway.core.request import Endpoint
from gateway.local.http.session import LocalReply, LocalSession
from gateway.upstream.exchange import Exchange
from gateway.upstream.media.requests import SentBody

T = TypeVar("T")
_MOST_ANSWER_BYTES = 4 * 2**20
_SHORT_SECONDS = 5.0


class PictureServer(msgspec.Struct, frozen=True, kw_only=True):
    """One server, as a request asks it. Times are in the loop's clock."""

    target: str
    session: LocalSession
    exchange: Exchange
    most_bytes: int  # of an answer with pictures
    working: Callable[[], bool]  # says whether the server is there while it is silent

    async def asked(self, sent: SentBody, read: Callable[[bytes], T], deadline: float) -> T:
        """Return what `read` makes of the answer to a body. Its faults count for the circuit breaker.

        Raises:
            AduanaError: The server can't be asked, or does not answer well and in time.
        """

        async def post() -> LocalReply:
            return await self.session.post(
                sent.path, sent.content, most_bytes=self.most_bytes, content_type=sent.content_type
            )

        return await self.exchange.whole(post, read, deadline=deadline, endpoint=Endpoint.IMAGES, working=self.working)

    async def fetched(self, path: str, deadline: float, *, most_bytes: int = _MOST_ANSWER_BYTES) -> bytes:
        """Return what lies at a path.

        Raises:
            AduanaError: The server can't be asked, or has no such page.
            TargetTimeout: It does not answer in time.
        """
        try:
            async with asyncio.timeout_at(deadline):
                reply = await self.session.get(path, most_bytes=most_bytes)
                return b"".join(await self.exchange.collect(reply, deadline=deadline))
        except TimeoutError:
            raise TargetTimeout(f"The target {self.target!r} did not answer in time.") from None

    async def told(self, path: str, content: bytes) -> None:
        """Tell the server something beside its work, such as to stop. One that does not listen is left alone."""
        try:
            async with asyncio.timeout(_SHORT_SECONDS):
                reply = await self.session.post(path, content, most_bytes=_MOST_ANSWER_BYTES)
                await reply.close()
        except (AduanaError, TimeoutError):
            return
