"""Where a server at home runs its model: on the user's machines, or on somebody else's that it passes requests to."""

import asyncio
from collections.abc import Mapping

import msgspec
import structlog

from gateway.core.errors import AduanaError
from gateway.core.target import TargetInfo
from gateway.local.http.relay import described_as_remote, is_ollama, listed_as_remote, read_object
from gateway.local.http.session import LocalReply, LocalSession
from gateway.upstream.errors import UNREACHABLE, is_answer
from gateway.upstream.exchange import Exchange

LOG = structlog.get_logger("aduana.targets")
_MOST_LISTING_BYTES = 4 * 2**20
_LOOK_SECONDS = 5.0


class Whereabouts:
    """Knowledge of where one server runs one model. `elsewhere`: not on its own machine; None: it was not asked yet."""

    def __init__(self, info: TargetInfo) -> None:
        self._target = info.name
        self._model = info.model
        self.elsewhere: bool | None = None

    def forget(self) -> None:
        """Know nothing any more: another server may answer there now."""
        self.elsewhere = None

    async def ask(self, session: LocalSession, exchange: Exchange, *, listed: bool = True) -> None:
        """Learn it from the models that the server lists and from Ollama's own pages. Sends no request's content.

        Args:
            session: The server's.
            exchange: What reads its pages.
            listed: Its list of models is asked for, too.

        Raises:
            AduanaError: The server can't be reached, or is known to run it elsewhere and does not say otherwise now.
            TimeoutError: It does not answer in time.
        """
        deadline = asyncio.get_running_loop().time() + _LOOK_SECONDS
        async with asyncio.timeout_at(deadline):
            listing = await _listing(session, exchange, deadline) if listed else {}
            await self._ask_where(session, exchange, listing, deadline)

    async def _ask_where(
        self, session: LocalSession, exchange: Exchange, listing: Mapping[str, object], deadline: float
    ) -> None:
        question = msgspec.json.encode({"model": self._model})

        async def page(method: str, path: str, body: bytes | None = None) -> Mapping[str, object]:
            reply = await session.about(method, path, body, most_bytes=_MOST_LISTING_BYTES)
            return {} if reply is None else await _read(reply, exchange, deadline)

        try:
            tags = await page("GET", "/api/tags")
            shown = await page("POST", "/api/show", question) if is_ollama(tags) else {}
        except AduanaError as error:
            if error.code == UNREACHABLE or self.elsewhere:
                raise  # what is known stays until the server says otherwise
            tags, shown = {}, {}  # as behind a proxy that knows only the API
        found = [
            listed_as_remote(listing, self._model),
            listed_as_remote(tags, self._model),
            described_as_remote(shown),
        ]
        if any(found) and not self.elsewhere:
            LOG.error("target.runs_elsewhere", target=self._target, model=self._model)
        self.elsewhere = any(found)


async def _listing(session: LocalSession, exchange: Exchange, deadline: float) -> Mapping[str, object]:
    """Return the server's list of models; an empty one where it answers that it has none to show.

    Raises:
        AduanaError: The server can't be reached, or fails.
    """
    try:
        reply = await session.get("/models", most_bytes=_MOST_LISTING_BYTES)
    except AduanaError as error:
        if is_answer(error):
            return {}
        raise
    return await _read(reply, exchange, deadline)


async def _read(reply: LocalReply, exchange: Exchange, deadline: float) -> Mapping[str, object]:
    return read_object(b"".join(await exchange.collect(reply, deadline=deadline)))
