"""Files of clients, kept sealed in pieces, so that a large one is never in memory whole."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable

import msgspec

from gateway.core.errors import BadRequest, TooLarge, Unavailable
from gateway.pipeline.attachments.carried import KeptFile
from gateway.stored import SealedTable
from gateway.wire.encoding import encode_json

PIECE_BYTES = 2**20
_PREFIX = "file-"
_EXPIRING = "expiring files"  # the lease of whoever deletes them
_LOOK_SECONDS = 60 * 60.0


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file besides its content. Times are Unix seconds."""

    id: str
    name: str
    purpose: str
    bytes: int
    pieces: int
    created: int
    expires: int
    tags: frozenset[str] = frozenset()  # under which it came

    def shown(self) -> dict[str, object]:
        """Return the file as OpenAI's object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.bytes,
            "created_at": self.created,
            "expires_at": self.expires,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class FileStore:
    """Files of all owners. What another owner has is not there."""

    def __init__(
        self, table: SealedTable, *, file_bytes: int, line_bytes: int, wall: Callable[[], float] = time.time
    ) -> None:
        """Keep the parts.

        Args:
            table: Where files are kept.
            file_bytes: The most that one may have.
            line_bytes: The most that one of its lines may have.
            wall: Unix time in seconds.
        """
        self._table = table
        self._line_bytes = line_bytes
        self._file_bytes = file_bytes
        self._wall = wall

    async def write(
        self,
        owner: str,
        content: AsyncIterable[bytes],
        about: Callable[[], tuple[str, str, int | None]],
        *,
        tags: frozenset[str] = frozenset(),
        made: str = "",
        lease: str | None = None,
    ) -> StoredFile:
        """Keep a file as it comes, and return what is known of it. A file that breaks off leaves nothing.

        Args:
            owner: Whose it is.
            content: Its bytes.
            about: Asked when all have come: its name, its purpose, and the seconds for which it is kept, if fewer.
            tags: Those under which it came, which its lines inherit.
            made: What its id is made of, where the gateway makes it: such a file is not refused for its size,
                and what was written of it stays, to be written over.
            lease: Only while this gateway has this lease.

        Raises:
            BadRequest: It is empty.
            LeaseLost: Another gateway has it.
            StoreUnavailable: It can't be written.
            TooLarge: It is larger than a file may be, or there is no room.
        """
        file_id, now, bounded = _PREFIX + (made or secrets.token_hex(12)), self._wall(), not made
        size = pieces = 0
        waiting = bytearray()
        try:
            async for some in content:
                size += len(some)
                if bounded and size > self._file_bytes:
                    raise TooLarge(f"The file is larger than {self._file_bytes} bytes (batches.max_file_bytes).")
                waiting += some
                while len(waiting) >= PIECE_BYTES:
                    piece = {f"{file_id}/{pieces}": bytes(waiting[:PIECE_BYTES])}
                    await self._table.put(owner, piece, at=now, bounded=bounded, lease=lease)
                    del waiting[:PIECE_BYTES]
                    pieces += 1
            name, purpose, seconds = about()
            if not size:
                raise BadRequest("The file is empty.", param="file", code="empty_file")
            lifetime = min(self._table.lifetime, seconds or self._table.lifetime)
            file = StoredFile(
                id=file_id, name=name, purpose=purpose, bytes=size, pieces=pieces + bool(waiting),
                created=int(now), expires=int(now + lifetime), tags=tags,
            )  # fmt: skip
            contents = {file_id: msgspec.msgpack.encode(file)}
            if waiting:
                contents[f"{file_id}/{pieces}"] = bytes(waiting)
            await self._table.put(owner, contents, at=now, bounded=bounded, lease=lease)
        except BaseException:
            if not made:  # another gateway may have written that one whole meanwhile
                await asyncio.shield(self._table.delete(owner, file_id))
            raise
        return file

    async def find(self, owner: str, file_id: str) -> StoredFile | None:
        """Return what is known of a file; None: it is not there.

        Raises:
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be read.
        """
        found = await self._table.get(owner, file_id) if file_id.startswith(_PREFIX) else None
        file = msgspec.msgpack.decode(found, type=StoredFile) if found is not None else None
        return file if file is not None and file.expires > self._wall() else None

    async def all(self, owner: str) -> list[StoredFile]:
        """Return this owner's files, newest first.

        Raises:
            StoreDamaged: One of them can't be opened.
            StoreUnavailable: The store can't be read.
        """
        files = [
            msgspec.msgpack.decode(content, type=StoredFile) for _, content in await self._table.listed(_PREFIX, owner)
        ]
        return [file for file in files if file.expires > self._wall()]

    async def content(self, owner: str, file: StoredFile) -> AsyncGenerator[bytes, None]:
        """Yield a file's bytes, piece by piece.

        Raises:
            BadRequest: It was deleted meanwhile.
            StoreDamaged: A piece can't be opened.
            StoreUnavailable: The store can't be read.
        """
        for number in range(file.pieces):
            piece = await self._table.get(owner, f"{file.id}/{number}")
            if piece is None:
                raise BadRequest("The file was deleted meanwhile.", code="file_deleted")
            yield piece

    async def whole(self, owner: str, file_id: str, most: int) -> KeptFile | None:
        """Return a file with its content; None: this owner has none of this id.

        Raises:
            BadRequest: It was deleted meanwhile.
            StoreDamaged: It can't be opened.
            StoreUnavailable: The store can't be read.
            TooLarge: It has more than `most` bytes.
        """
        file = await self.find(owner, file_id)
        if file is None:
            return None
        if file.bytes > most:
            raise TooLarge(f"The file {file_id} is larger than what a request may still carry ({most} bytes).")
        data = bytearray()
        async for piece in self.content(owner, file):
            data += piece
        return KeptFile(name=file.name, data=bytes(data), tags=file.tags)

    async def lines(self, owner: str, file: StoredFile) -> AsyncGenerator[bytes, None]:
        """Yield a file's lines that are not blank.

        Raises:
            BadRequest: It was deleted meanwhile, or a line is too long.
            StoreDamaged: A piece can't be opened.
            StoreUnavailable: The store can't be read.
        """
        rest = b""
        async for piece in self.content(owner, file):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                if line.strip():
                    yield line
            if len(rest) > self._line_bytes:
                raise BadRequest(f"A line has more than {self._line_bytes} bytes.", code="line_too_long")
        if rest.strip():
            yield rest

    async def expire(self) -> None:
        """Delete now and once an hour what has expired, as one of the gateways that share it. Runs until cancelled."""
        while True:
            with contextlib.suppress(Unavailable):  # it was logged, and is tried again
                if await self._table.take((_EXPIRING,), _LOOK_SECONDS * 0.9) is None:
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                for owner, content in await self._table.listed(_PREFIX):
                    file = msgspec.msgpack.decode(content, type=StoredFile)
                    if file.expires <= self._wall():
                        await self.delete(owner, file.id)
            await asyncio.sleep(_LOOK_SECONDS)

    async def delete(self, owner: str, file_id: str) -> None:
        """Delete a file. It is gone from the disk when this returns.

        Raises:
            StoreUnavailable: It can't be written.
        """
        await self._table.delete(owner, file_id)


def encoded(file: StoredFile) -> bytes:
    """Encode a file's object."""
    return encode_json(file.shown())
