"""`attachments:`, what is done with files, pictures and recordings in requests."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from gateway.core.attachment import FileKind
from gateway.settings.kept.responses import word
from gateway.settings.section import Section
from gateway.settings.units import Bytes

_LOOKED_AT = tuple(kind for kind in FileKind if kind not in (FileKind.SOUND, FileKind.VIDEO, FileKind.UNKNOWN))


def _kinds(value: object) -> Any:
    """Return the kinds that `true`, `false`, one word or a list of words stand for."""
    listed = [value] if isinstance(value, str | bool) else value
    if isinstance(listed, list | tuple) and len(listed) == 1 and str(listed[0]).lower() in ("true", "false"):
        return _LOOKED_AT if str(listed[0]).lower() == "true" else ()  # the environment has texts alone
    return listed


Kinds = Annotated[
    tuple[FileKind, ...],
    BeforeValidator(_kinds, json_schema_input_type=bool | FileKind | tuple[FileKind, ...]),
]


class FetchConfig(Section):
    """Addresses in requests that the gateway itself fetches, before anything else sees what is there."""

    hosts: tuple[str, ...] = ()
    """Hosts from which pictures and files are fetched, as `files.example.org`, `*.example.org` for all below it, or
    `files.example.org:8443`. Default: none. Only public addresses are ever asked, and no redirect leads elsewhere."""
    max_bytes: Bytes = 20 * 2**20
    """Of what stands at one address."""
    seconds: float = Field(default=15.0, gt=0)
    """For each address."""
    servers: bool = False
    """Servers at home may ask for addresses in requests themselves. Else such a request is refused with the reason,
    unless its address is one of your own network's: who is asked for an address learns what stands in it."""


class AttachmentsConfig(Section):
    """Files, pictures and recordings in requests: whether they are read, and what that changes."""

    read: Annotated[Literal["on", "off"], BeforeValidator(word)] = "on"
    """`on`: what they say is inspected like any text, by processes that open nothing else and reach no network. PDFs
    and scans need the extra `documents`. `off`: each is a doubt, whatever it says."""
    clean_may_leave: Kinds = ()
    """Kinds of attachments that raise no doubt where they were read whole and nothing was found in them: `[pdf, text]`,
    or `true` for all but recordings and films. Default: none; every attachment keeps its request at home."""
    for_text_models: bool = False
    """Local targets that take no pictures, files or recordings are given the text that was read of them, marked as
    such. Clouds never are."""
    remember: bool = True
    """Attachments of requests that stay at home are read as well, behind the answer, so that what a sensitive one says
    is known again when it is quoted later."""
    processes: int = Field(default=1, ge=1, le=16)
    """Processes that read, each with one file at a time. They start with the first attachment."""
    memory: Bytes = 1536 * 2**20
    """Most memory of each of them."""
    seconds: float = Field(default=30.0, gt=0)
    """For one attachment; what was not read by then is a doubt."""
    max_pages: int = Field(default=500, ge=1)
    """Of one attachment; further ones are a doubt."""
    fetch: FetchConfig = FetchConfig()
    """Addresses of pictures and files."""

    @property
    def reads(self) -> bool:
        """Tell whether attachments are read."""
        return self.read == "on"

    @model_validator(mode="after")
    def _read_first(self) -> "AttachmentsConfig":
        if not self.reads and (self.clean_may_leave or self.for_text_models):
            raise ValueError("read is off, and clean_may_leave and for_text_models need what was read")
        return self
