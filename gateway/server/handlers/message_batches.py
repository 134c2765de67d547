"""Anthropic's message batches: made, shown, cancelled, read and deleted. The queue answers them (`gateway/batches`)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable

from aiohttp import web

from gateway.batches import Batch, BatchQueue, FileStore
from gateway.batches.message_batch import batch_id, is_message_batch, message_batch_id, shown
from gateway.core.errors import AduanaError, BadRequest, NotFound
from gateway.core.request import Caller
from gateway.server.answers import json_answer
from gateway.server.endpoint import INLINE_BYTES, REQUEST_ID, HttpEndpoint
from gateway.server.handlers.batches import Batches, require_key
from gateway.server.handlers.files import STORE_OFF
from gateway.server.handlers.paging import anthropic_page
from gateway.wire.anthropic.batches import ENDPOINT, parse_message_batch, result_line
from gateway.wire.encoding import encode_json
from gateway.wire.openai.batches import NewBatch


class MessageBatchHandlers:
    """Handlers of the routes below `/v1/messages/batches`. Holds no state but its parts; without a queue all refuse."""

    def __init__(self, endpoint: HttpEndpoint, batches: Batches | None) -> None:
        self._endpoint = endpoint
        self._batches = batches

    async def create(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/messages/batches.

        Raises:
            AduanaError: It can't be queued; nothing of it is kept.
        """
        caller, queue, files = self._owner(http)
        require_key(caller)
        body = await self._endpoint.body(http)
        long = len(body) > INLINE_BYTES
        lines = await asyncio.to_thread(parse_message_batch, body) if long else parse_message_batch(body)
        tags, headers = self._endpoint.given(http)

        def about() -> tuple[str, str, int | None]:
            return "message_batch.jsonl", "batch", None

        file = await files.write(caller.owner, _written(lines), about, tags=tags)
        new = NewBatch(input_file=file.id, endpoint=ENDPOINT, metadata=None, output_seconds=None, total=len(lines))
        try:
            batch = await queue.create(caller.owner, new, tags, headers)
        except AduanaError:
            await files.delete(caller.owner, file.id)
            raise
        return json_answer(encode_json(shown(batch)), _id(http))

    async def list(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/messages/batches, newest first."""
        caller, queue, _ = self._owner(http)
        found = [shown(batch) for batch in await queue.all(caller.owner) if is_message_batch(batch)]
        return json_answer(anthropic_page(http, found), _id(http))

    async def read(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/messages/batches/{id}."""
        _, batch = await self._found(http)
        return json_answer(encode_json(shown(batch)), _id(http))

    async def cancel(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/messages/batches/{id}/cancel."""
        caller, queue, _ = self._owner(http)
        _, batch = await self._found(http)
        cancelled = await queue.cancel(caller.owner, batch.id)
        return json_answer(encode_json(shown(cancelled or batch)), _id(http))

    async def results(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/messages/batches/{id}/results with one line a request.

        Raises:
            BadRequest: The batch has not ended.
            AduanaError: They can't be read to their end; the connection ends before the answer does.
        """
        caller, batch = await self._ended(http)
        response = web.StreamResponse(headers=_id(http) | {"Content-Type": "application/x-jsonl"})
        response.force_close()  # so that an answer which breaks off is seen to
        await response.prepare(http)
        async with contextlib.aclosing(self._lines(caller.owner, batch)) as lines:
            async for line in lines:
                await response.write(result_line(line) + b"\n")
        await response.write_eof()
        return response

    async def delete(self, http: web.Request) -> web.StreamResponse:
        """Answer DELETE /v1/messages/batches/{id}: the batch goes with its files.

        Raises:
            BadRequest: The batch has not ended.
        """
        caller, queue, files = self._owner(http)
        _, batch = await self._ended(http)
        for name in filter(None, (batch.input_file, batch.output_file, batch.error_file)):
            await files.delete(caller.owner, name)
        await queue.delete(caller.owner, batch.id)
        told = {"id": message_batch_id(batch), "type": "message_batch_deleted"}
        return json_answer(encode_json(told), _id(http))

    async def _lines(self, owner: str, batch: Batch) -> AsyncGenerator[bytes, None]:
        """Yield the lines of both of a batch's files."""
        assert self._batches is not None
        for name in filter(None, (batch.output_file, batch.error_file)):
            file = await self._batches.files.find(owner, name)
            if file is not None:
                async with contextlib.aclosing(self._batches.files.lines(owner, file)) as lines:
                    async for line in lines:
                        yield line

    async def _ended(self, http: web.Request) -> tuple[Caller, Batch]:
        caller, batch = await self._found(http)
        if not batch.ended:
            raise BadRequest("The batch has not ended. Wait, or cancel it first.", code="batch_not_ended")
        return caller, batch

    async def _found(self, http: web.Request) -> tuple[Caller, Batch]:
        """Return who asks, and the batch that the path names.

        Raises:
            NotFound: This caller has no such batch.
        """
        caller, queue, _ = self._owner(http)
        name = http.match_info["id"]
        batch = await queue.find(caller.owner, batch_id(name))
        if batch is None or not is_message_batch(batch):
            raise NotFound(f"No message batch found with id '{name}'.", code="batch_not_found")
        return caller, batch

    def _owner(self, http: web.Request) -> tuple[Caller, BatchQueue, FileStore]:
        """Return who asks, the queue, and the files.

        Raises:
            BadRequest: No batches are served here.
        """
        caller = self._endpoint.caller(http)
        if self._batches is None:
            raise BadRequest(STORE_OFF, code="store_off")
        return caller, self._batches.queue, self._batches.files


async def _written(lines: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    for line in lines:
        yield line + b"\n"


def _id(http: web.Request) -> dict[str, str]:
    return {"x-request-id": http[REQUEST_ID], "request-id": http[REQUEST_ID]}
