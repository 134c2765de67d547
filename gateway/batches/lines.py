"""One line of a batch through the pipeline: parsed, inspected, decided on, written down and settled like any request.

INVARIANT: a line has the tags and the headers under which its batch came, and the rights that its key has now.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from gateway.batches.batch import Batch
from gateway.batches.message_batch import is_message_batch
from gateway.core.errors import AduanaError, BadRequest, Unauthorized
from gateway.core.request import AnyRequest, Caller, GenerateRequest, Inbound, Inherited
from gateway.pipeline import Pipeline
from gateway.wire import anthropic, openai, responses
from gateway.wire.anthropic import batches as anthropic_batches
from gateway.wire.dialect import AnswerAssembly

INLINE_BYTES = 128 * 1024

T = TypeVar("T")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a line's client would have been told, had it asked over HTTP. `error`: why it was not answered."""

    request_id: str
    status: int
    body: bytes
    error: AduanaError | None = None


class Inbounds(Protocol):
    """Builder of requests with their circumstances."""

    def built(
        self,
        request_id: str,
        caller: Caller,
        request: AnyRequest,
        *,
        size: int,
        tags: frozenset[str],
        headers: tuple[tuple[str, str], ...],
    ) -> Inbound:
        """Return the request together with who asks, its tags and its headers."""


class LineAnswers:
    """Answers to lines. Holds no state but its parts."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        inbounds: Inbounds,
        caller: Callable[[str], Caller | None],
        unnamed: str,
        public: Callable[[Exception, str], AduanaError],
        max_bytes: int,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Keep the parts.

        Args:
            pipeline: Answers requests.
            inbounds: Builds requests with their circumstances.
            caller: Returns the caller of a key's name; None: there is no such key any more.
            unnamed: The model of a body that names none.
            public: Returns what a client may be told of an error.
            max_bytes: The largest body.
            wall: Unix time in seconds.
        """
        self._pipeline = pipeline
        self._inbounds = inbounds
        self._caller = caller
        self._unnamed = unnamed
        self._public = public
        self._max_bytes = max_bytes
        self._wall = wall

    async def answer(self, batch: Batch, body: bytes) -> Told:
        """Answer a line's body. Whatever fails is told in the answer."""
        request_id = "req_" + secrets.token_hex(12)
        try:
            answer = await self._answered(batch, body, request_id)
        except Exception as error:  # noqa: BLE001 - mapped, logged by type, and told as it would be over HTTP
            public = self._public(error, request_id)
            told = anthropic.error_body(public, request_id) if is_message_batch(batch) else openai.error_body(public)
            return Told(request_id=request_id, status=public.status, body=told, error=public)
        return Told(request_id=request_id, status=200, body=answer)

    async def _answered(self, batch: Batch, body: bytes, request_id: str) -> bytes:
        caller = self._caller(batch.owner)
        if caller is None:
            raise Unauthorized("The key that made this batch is not known here any more.")
        if len(body) > self._max_bytes:
            raise BadRequest(f"The body is larger than {self._max_bytes} bytes (server.max_body_bytes).", status=413)

        def inbound(request: AnyRequest) -> Inbound:
            if request.stream:
                raise BadRequest("A line of a batch can't be streamed. Leave 'stream' out.", param="stream")
            built = self._inbounds.built(
                request_id, caller, request, size=len(body), tags=batch.tags, headers=batch.headers
            )
            return msgspec.structs.replace(built, background=True, inherited=Inherited(tags=batch.handed))

        unique, created = request_id.removeprefix("req_"), int(self._wall())
        match batch.endpoint:
            case "/v1/embeddings":
                embeddings = await self._parsed(openai.parse_embeddings, body)
                embedded = await self._pipeline.embed(inbound(embeddings), embeddings)
                return openai.embeddings_body(embeddings, embedded.vectors)
            case anthropic_batches.ENDPOINT:
                message = await self._parsed(anthropic.parse_messages, body)
                collected = anthropic.assembly(message, id=anthropic.answer_id(unique))
                return await self._whole(inbound(message), message, collected)
            case "/v1/responses":
                asked = await self._parsed(responses.parse_asked, body)
                if asked.request is None:
                    raise BadRequest("A line of a batch can't continue a summary. Send the whole conversation.")
                answer_id = responses.answer_id(unique)
                whole = responses.assembly(asked.request, id=answer_id, created=created)
                return await self._whole(inbound(asked.request.chat), asked.request.chat, whole)
            case _:
                chat = await self._parsed(openai.parse_chat, body)
                assembly = openai.assembly(chat, id=openai.answer_id(chat, unique), created=created)
                return await self._whole(inbound(chat), chat, assembly)

    async def _parsed(self, parse: Callable[[bytes, str], T], body: bytes) -> T:
        """Return what a body asks for; a long one is parsed in a thread, so that other streams keep flowing."""
        return (
            await asyncio.to_thread(parse, body, self._unnamed)
            if len(body) > INLINE_BYTES
            else parse(body, self._unnamed)
        )

    async def _whole(self, inbound: Inbound, request: GenerateRequest, whole: AnswerAssembly) -> bytes:
        async with self._pipeline.generate(inbound, request) as answer:
            async for delta in answer.deltas:
                whole.add(delta)
            return whole.body()
