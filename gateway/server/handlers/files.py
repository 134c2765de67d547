"""Files that clients upload, for batches and to be named in requests: uploaded, listed, read, deleted.

OpenAI's; and Anthropic's, where a request has its header `anthropic-version`.
"""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from aiohttp import BodyPartReader, web

from gateway.batches.files import FileStore, StoredFile, encoded
from gateway.core.errors import BadRequest, NotFound, RequestTimeout
from gateway.core.request import Caller
from gateway.server.answers import json_answer
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.server.forms import FORM_FAULTS, streamed_form
from gateway.server.handlers.paging import anthropic_page, listed, wanted_page
from gateway.server.headers import TAGS
from gateway.server.inbound import parse_tags
from gateway.wire.encoding import encode_json
from gateway.wire.openai.batches import LIFETIMES
from gateway.wire.responses.conversations import deleted_body

STORE_OFF = (
    "Files and batches are not served here. The owner of this gateway turns them on with 'batches: {store: on}'."
)
_SECONDS = 600.0  # for an upload
_FIELD_BYTES = 1024
_MOST_FIELDS = 16
_LONGEST_NAME = 255
_MOST_LISTED = 10_000
_PURPOSES = ("batch", "user_data", "vision", "assistants")


class FileHandlers:
    """Handlers of the routes below `/v1/files`. Holds no state but its parts; without a store all are refused."""

    def __init__(self, endpoint: HttpEndpoint, files: FileStore | None) -> None:
        self._endpoint = endpoint
        self._files = files

    async def create(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/files: the content goes to the store as it comes.

        Raises:
            BadRequest: The body is no form with a file.
            RequestTimeout: It does not arrive in time.
            TooLarge: The file is larger than one may be, or there is no room for it.
        """
        caller, files = self._owner(http)
        if http.content_type != "multipart/form-data":
            raise BadRequest("Send the file as multipart/form-data, with 'purpose' and 'file'.", code="invalid_form")
        form = _Form(http, purpose="user_data" if _of_anthropic(http) else "")
        tags = parse_tags(http.headers.get(TAGS)) | caller.tags
        try:
            async with asyncio.timeout(_SECONDS):
                file = await files.write(caller.owner, form.content(), form.about, tags=tags)
        except TimeoutError:
            raise RequestTimeout(f"The file did not arrive within {_SECONDS:g} seconds.") from None
        return json_answer(_body(http, file), _id(http))

    async def list(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/files."""
        caller, files = self._owner(http)
        if _of_anthropic(http):
            objects = [_shown(file) for file in await files.all(caller.owner)]
            return json_answer(anthropic_page(http, objects), _id(http))
        order, limit, after = wanted_page(http, most=_MOST_LISTED)
        found = await files.all(caller.owner)
        purpose = http.query.get("purpose")
        shown = [file.shown() for file in found if purpose in (None, "", file.purpose)]
        return json_answer(listed(shown if order == "desc" else shown[::-1], limit, after), _id(http))

    async def read(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/files/{id}."""
        _, _, file = await self._stored(http)
        return json_answer(_body(http, file), _id(http))

    async def content(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/files/{id}/content with the file's bytes.

        Raises:
            AduanaError: It can't be read to its end; the connection ends before the answer does.
        """
        caller, files, file = await self._stored(http)
        response = web.StreamResponse(headers=_id(http) | {"Content-Type": "application/octet-stream"})
        response.content_length = file.bytes
        response.force_close()  # so that an answer which breaks off is seen to
        pieces = files.content(caller.owner, file)
        try:
            first = await anext(pieces)  # an error here still has its own status
            await response.prepare(http)
            if http.method == "HEAD":
                return response
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
            await response.write_eof()
        finally:
            await pieces.aclose()
        return response

    async def delete(self, http: web.Request) -> web.StreamResponse:
        """Answer DELETE /v1/files/{id}."""
        caller, files, file = await self._stored(http)
        await files.delete(caller.owner, file.id)
        if _of_anthropic(http):
            return json_answer(encode_json({"id": file.id, "type": "file_deleted"}), _id(http))
        return json_answer(deleted_body(file.id, "file"), _id(http))

    def _owner(self, http: web.Request) -> tuple[Caller, FileStore]:
        """Return who asks, and the store.

        Raises:
            BadRequest: No files are served here.
        """
        caller = self._endpoint.caller(http)
        if self._files is None:
            raise BadRequest(STORE_OFF, code="store_off")
        return caller, self._files

    async def _stored(self, http: web.Request) -> tuple[Caller, FileStore, StoredFile]:
        """Return who asks, the store, and the file that the path names.

        Raises:
            NotFound: This caller has no such file.
        """
        caller, files = self._owner(http)
        name = http.match_info["id"]
        file = await files.find(caller.owner, name)
        if file is None:
            raise NotFound(f"No such File object: {name}", code="file_not_found", param="id")
        return caller, files, file


class _Form:
    """The form of an upload, which may have its fields before and behind the file."""

    def __init__(self, http: web.Request, purpose: str) -> None:
        self._http = http
        self._purpose = purpose  # where the form names none
        self._fields: dict[str, str] = {}
        self._name: str | None = None

    async def content(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the file, and take note of the fields.

        Raises:
            BadRequest: The form can't be read.
        """
        try:
            reader = streamed_form(self._http.headers, self._http.content)
            while (part := await reader.next()) is not None:
                if not isinstance(part, BodyPartReader):
                    raise BadRequest("The form has a form inside.", code="invalid_form")
                if part.name == "file" and self._name is None:
                    name = (part.filename or "file")[:_LONGEST_NAME]
                    self._name = name.encode("utf-8", "replace").decode()  # bytes that are no text came as surrogates
                    while chunk := await part.read_chunk(64 * 1024):
                        yield chunk
                else:
                    await self._note(part)
        except FORM_FAULTS as error:
            raise BadRequest("The form can't be read.", code="invalid_form") from error

    async def _note(self, part: BodyPartReader) -> None:
        content = await part.read_chunk(_FIELD_BYTES)
        if not part.at_eof() and await part.read_chunk(1):
            raise BadRequest(f"A field of the form has more than {_FIELD_BYTES} bytes.", code="invalid_form")
        if part.name is None or part.name in self._fields or len(self._fields) >= _MOST_FIELDS:
            raise BadRequest("The form has a field without a name, twice, or too many.", code="invalid_form")
        self._fields[part.name] = content.decode("utf-8", "replace")

    def about(self) -> tuple[str, str, int | None]:
        """Return the file's name, its purpose, and the seconds for which it is to be kept.

        Raises:
            BadRequest: A field is missing, or not as it must be.
        """
        if self._name is None:
            raise BadRequest("'file': is missing.", param="file", code="missing_file")
        purpose = self._fields.get("purpose", self._purpose)
        if purpose not in _PURPOSES:
            raise BadRequest(
                f"'purpose': must be one of {', '.join(_PURPOSES)}.",
                param="purpose",
                code="invalid_purpose",
            )
        seconds = self._fields.get("expires_after[seconds]")
        if seconds is None:
            return self._name, purpose, None
        shortest, longest = LIFETIMES
        if (
            not seconds.isascii()
            or not seconds.isdigit()
            or len(seconds) > 9
            or not shortest <= int(seconds) <= longest
        ):
            raise BadRequest(
                f"'expires_after[seconds]': must be between {shortest} and {longest}.",
                param="expires_after",
                code="invalid_value",
            )
        return self._name, purpose, int(seconds)


def _of_anthropic(http: web.Request) -> bool:
    return "anthropic-version" in http.headers


def _body(http: web.Request, file: StoredFile) -> bytes:
    return encode_json(_shown(file)) if _of_anthropic(http) else encoded(file)


def _shown(file: StoredFile) -> dict[str, object]:
    """Return the file as Anthropic's object (https://docs.claude.com/en/api/files-create)."""
    return {
        "id": file.id,
        "type": "file",
        "filename": file.name,
        "mime_type": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "size_bytes": file.bytes,
        "created_at": f"{datetime.fromtimestamp(file.created, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "downloadable": True,
    }


def _id(http: web.Request) -> dict[str, str]:
    return {"x-request-id": http[REQUEST_ID]}
