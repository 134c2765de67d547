"""Reading of forms (multipart/form-data) whose body has come whole, within the limits of every body."""

import asyncio
from collections.abc import Mapping
from email.message import Message
from typing import Any, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError

from gateway.core.errors import BadRequest
from gateway.wire.form import MOST_FIELDS, FormField

FORM = "multipart/form-data"
FORM_FAULTS = (ValueError, AssertionError, RuntimeError, LookupError, HttpProcessingError)
"""What the reader of forms raises where one can't be read."""
_PLAIN = frozenset({"", "binary", "8bit", "7bit", "identity"})
_LONGEST_FILE_NAME = 255
_LONGEST_BEGINNING = 1024  # bytes before the first part, which nobody reads


async def form_fields(headers: Mapping[str, str], body: bytes) -> tuple[FormField, ...]:
    """Return the parts of a form, in order.

    Raises:
        BadRequest: The body is no form, or a part of it is packed, or a form itself.
    """
    if not _begins(headers, body):
        raise BadRequest("The form does not begin with its boundary.", code="invalid_form")
    loop = asyncio.get_running_loop()
    # All of it is here already: a smaller buffer would ask a connection to stop, and there is none.
    content = StreamReader(BaseProtocol(loop), len(body) + 1, loop=loop)
    content.feed_data(body)
    content.feed_eof()
    fields: list[FormField] = []
    try:
        reader = MultipartReader(headers, content)
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise BadRequest("The form has a form inside.", code="invalid_form")
            if len(fields) >= MOST_FIELDS:
                raise BadRequest(f"The form has more than {MOST_FIELDS} fields.", code="invalid_form")
            fields.append(await _field(part))
    except FORM_FAULTS as error:
        raise BadRequest("The form can't be read.", code="invalid_form") from error
    return tuple(fields)


def streamed_form(headers: Mapping[str, str], content: StreamReader) -> MultipartReader:
    """Return the reader of a form that is still coming.

    Raises:
        ValueError: Here or from the reader: it is no form, or does not begin soon.
    """
    return MultipartReader(headers, cast(StreamReader, _Beginning(_boundary(headers), content)))


class _Beginning:
    """Bytes of a form that must begin soon: the lines before its first part are read one by one."""

    def __init__(self, boundary: bytes | None, content: StreamReader) -> None:
        self._boundary = boundary
        self._content = content
        self._left: int | None = _LONGEST_BEGINNING  # None: it has begun

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        """Return the next line.

        Raises:
            ValueError: The form does not begin.
        """
        line = await self._content.readline(max_line_length=max_line_length)
        if self._left is not None:
            self._left -= len(line)
            if self._boundary is not None and line.startswith(self._boundary):
                self._left = None
            elif self._left < 0:
                raise ValueError("no boundary")
        return line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


def _begins(headers: Mapping[str, str], body: bytes) -> bool:
    """Say whether the first part begins soon: the lines before it are looked at one by one, which takes its time."""
    boundary = _boundary(headers)
    return boundary is not None and body.find(boundary, 0, _LONGEST_BEGINNING) >= 0


def _boundary(headers: Mapping[str, str]) -> bytes | None:
    """Return what stands before each part; None: the header names nothing."""
    kind = Message()
    kind["Content-Type"] = headers.get("Content-Type", "")
    boundary = kind.get_boundary()
    return None if boundary is None else b"--" + boundary.encode("utf-8", "replace")


async def _field(part: BodyPartReader) -> FormField:
    # INVARIANT: a part is never unpacked here, so it is no larger than the body was.
    packings = (
        part.headers.get(name, "").strip().lower() for name in ("Content-Encoding", "Content-Transfer-Encoding")
    )
    if any(packing not in _PLAIN for packing in packings):
        raise BadRequest("The form has a part that is packed or encoded. Send its plain bytes.", code="invalid_form")
    name = part.filename
    return FormField(
        name=part.name or "",
        content=bytes(await part.read(decode=False)),
        file_name=None if name is None else name[:_LONGEST_FILE_NAME],
        declared=part.headers.get("Content-Type", "") if name is not None else "",
    )
