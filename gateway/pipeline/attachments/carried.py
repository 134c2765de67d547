"""Attachments that a request only names, put into it: files of ours by their id, addresses that may be fetched.

INVARIANT: that happens before inspection, so that what a name stands for is inspected like what came in the body; and
a file is had only by the key that uploaded it, under the tags under which it came.
"""

import mimetypes
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from gateway.core.attachment import FileContent, data_url
from gateway.core.document import Json
from gateway.core.errors import BadRequest, NotFound, TooLarge
from gateway.core.request import ChatRequest, Inbound
from gateway.pipeline.reread import reread
from gateway.privacy.decoding.contents import medium_of

Asked = TypeVar("Asked")
_MOST_PARTS = 64  # of one request
_PLAIN_TYPE = "application/octet-stream"


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A stored file with its content."""

    name: str
    data: bytes
    tags: frozenset[str] = frozenset()  # under which it came


class KeptFiles(Protocol):
    """Store of files that clients have uploaded."""

    async def whole(self, owner: str, file_id: str, most: int) -> KeptFile | None:
        """Return a file of this owner's; None: there is none of this id. Raises TooLarge beyond `most` bytes."""


class Fetching(Protocol):
    """Client that fetches what stands at addresses which the owner has named."""

    def covers(self, url: str) -> bool:
        """Return whether the owner lets this address be fetched."""

    async def fetch(self, url: str, most: int) -> FileContent:
        """Return what stands there. Raises BadRequest where that can't be had."""


class Carriers:
    """What puts files and fetched addresses into requests. Without a store ids are refused; without a client, kept."""

    def __init__(
        self, files: KeptFiles | None = None, fetching: Fetching | None = None, *, most_bytes: int = 32 * 2**20
    ) -> None:
        self._files = files
        self._fetching = fetching
        self._most_bytes = most_bytes

    async def carried(self, inbound: Inbound, request: Asked) -> tuple[Inbound, Asked]:
        """Return the request with the content of all that it names, and with the tags under which files came.

        Raises:
            BadRequest: An address can't be fetched, or no files are served here.
            NotFound: The caller has no such file.
            TooLarge: They are larger together than a request may be.
        """
        if not isinstance(request, ChatRequest) or not request.media:
            return inbound, request
        filled = _Filled(self._files, self._fetching, inbound.caller.owner, self._most_bytes)
        messages = await filled.messages(request.document.get("messages"))
        if not filled.parts:
            return inbound, request
        document = MappingProxyType({**request.document, "messages": messages})
        read = reread(request, document)
        if read is None or not isinstance(read, type(request)):
            raise BadRequest("A file that the request names can't stand in its place.", param="messages")
        inbound = msgspec.structs.replace(
            inbound, request=read, tags=inbound.tags | filled.tags, size=inbound.size + filled.bytes
        )
        return inbound, read


class _Filled:
    """The filling of one request: what was put in so far, and how much of it."""

    def __init__(self, files: KeptFiles | None, fetching: Fetching | None, owner: str, most: int) -> None:
        self._files = files
        self._fetching = fetching
        self._owner = owner
        self._most = most
        self.parts = 0
        self.bytes = 0
        self.tags: frozenset[str] = frozenset()

    async def messages(self, messages: Json) -> Json:
        """Return messages in which each named file stands itself."""
        if not isinstance(messages, tuple):
            return messages
        return tuple([await self._message(one, f"messages[{number}]") for number, one in enumerate(messages)])

    async def _message(self, message: Json, param: str) -> Json:
        content = message.get("content") if isinstance(message, Mapping) else None
        if not isinstance(message, Mapping) or not isinstance(content, tuple):
            return message
        parts = [await self._part(part, f"{param}.content[{number}]") for number, part in enumerate(content)]
        return MappingProxyType({**message, "content": tuple(parts)})

    async def _part(self, part: Json, param: str) -> Json:
        if not isinstance(part, Mapping):
            return part
        file, image = part.get("file"), part.get("image_url")
        if part.get("type") == "file" and isinstance(file, Mapping):
            if isinstance(name := file.get("file_id"), str) and not file.get("file_data"):
                return self._with(part, *await self._stored(name, f"{param}.file.file_id"))
            url = file.get("file_url")
            if isinstance(url, str) and not self._may_fetch(url):
                raise _not_fetched(url, f"{param}.file.file_url")
            url = url or file.get("file_data")  # some clients put an address where others have the data
            if isinstance(url, str) and self._may_fetch(url):
                return self._with(part, str(file.get("filename") or _name_in(url)), await self._fetched(url))
        url = image.get("url") if isinstance(image, Mapping) else None
        if isinstance(url, str) and self._may_fetch(url):
            content = await self._fetched(url)
            assert isinstance(image, Mapping)
            return MappingProxyType({**part, "image_url": MappingProxyType({**image, "url": _url(content)})})
        return part

    def _with(self, part: Mapping[str, Json], name: str, content: FileContent) -> Json:
        """Return a part with the content itself, as a picture where its bytes are one."""
        rest = {key: value for key, value in part.items() if key not in ("type", "file")}
        if medium_of(content.data) == "image":
            image = MappingProxyType({"url": _url(content)})
            return MappingProxyType({**rest, "type": "image_url", "image_url": image})
        file = MappingProxyType({"filename": name or "file", "file_data": _url(content)})
        return MappingProxyType({**rest, "type": "file", "file": file})

    async def _stored(self, name: str, param: str) -> tuple[str, FileContent]:
        if self._files is None:
            raise BadRequest(
                "No files are stored here. Send the file itself, or let the owner of this gateway turn the store on "
                "with 'batches: {store: on}'.",
                param=param,
                code="store_off",
            )
        file = await self._files.whole(self._owner, name, self._left())
        if file is None:
            raise NotFound(f"No such File object: {name[:100]}", code="file_not_found", param=param)
        self._took(len(file.data))
        self.tags |= file.tags
        kind = mimetypes.guess_type(file.name, strict=True)[0] or _PLAIN_TYPE
        return file.name, FileContent(media_type=kind, data=file.data)

    def _may_fetch(self, url: str) -> bool:
        return self._fetching is not None and self._fetching.covers(url)

    async def _fetched(self, url: str) -> FileContent:
        assert self._fetching is not None
        content = await self._fetching.fetch(url, self._left())
        self._took(len(content.data))
        return content

    def _left(self) -> int:
        if self.parts >= _MOST_PARTS:
            raise BadRequest(f"A request may name at most {_MOST_PARTS} files and addresses.", param="messages")
        return self._most - self.bytes

    def _took(self, size: int) -> None:
        self.parts += 1
        self.bytes += size
        if self.bytes > self._most:
            raise TooLarge(f"The files that the request names are larger than {self._most} bytes together.")


def _url(content: FileContent) -> str:
    return data_url(content.media_type, content.data)


def _name_in(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2][:200]


def _not_fetched(url: str, param: str) -> BadRequest:
    host = (urlsplit(url).hostname or "")[:100]
    return BadRequest(
        f"Files are not fetched from {host!r} here. Send the file itself, or let the owner of this gateway name the "
        "host in 'attachments.fetch.hosts'.",
        param=param,
        code="address_not_fetched",
    )
