"""Addresses of pictures and files that are in a request still, for servers at home that would ask for them themselves.

A server in the house that fetches an address tells somebody outside of it what stands in the address, and reaches what
its owner never meant to be reached. Pure.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gateway.core.document import Json, strings
from gateway.core.errors import BadRequest
from gateway.core.request import AnyMediaRequest, ChatRequest, GenerateRequest, MediaRequest
from gateway.local.http.address import is_own_address

# Parts and fields in which an address is something that somebody says.
_TEXTS = frozenset({"text", "input_text", "output_text", "refusal"})
_SAID = frozenset({"prompt", "negative_prompt", "input", "instructions", "user", "metadata"})
# Servers' readers of addresses skip blanks before one, and line breaks and tabs anywhere in it (WHATWG URL, Python).
_ADDRESS = re.compile(
    r"[\s\x00-\x20]*" + r"[\t\r\n]*".join(("(?:h", "t", "t", "p|f", "t", "p)", "s?", ":")), re.IGNORECASE
)
_AMBIGUOUS = re.compile(r"[\s\x00-\x20\\]")  # one reader takes the host before it, another the one behind it


def refuse_addresses(request: GenerateRequest | AnyMediaRequest) -> None:
    """Check that a request for a server at home has no address that leads out of the house.

    Raises:
        BadRequest: It has one.
    """
    if not request.media and not isinstance(request, MediaRequest):
        return  # nothing in it names a file
    for param, text in _named(request):
        if _ADDRESS.match(text) and not _is_own(text):
            raise BadRequest(
                "A picture or recording by its address is not fetched here, and the server at home would ask for it by "
                "itself. Send it as a data URL with base64, or let the owner of this gateway name the host in "
                "'attachments.fetch.hosts'.",
                param=param,
                code="address_not_fetched",
            )


def _named(request: GenerateRequest | AnyMediaRequest) -> Iterator[tuple[str, str]]:
    """Yield place and text of each string by which a file could be named."""
    match request:
        case MediaRequest():
            for name, value in request.document.items():
                if name not in _SAID:
                    yield from strings(value, name)
        case ChatRequest() if request.media:
            yield from _in_parts(request.document.get("messages"))


def _in_parts(messages: Json) -> Iterator[tuple[str, str]]:
    """Yield place and text of each string in the parts of messages that are no text."""
    for number, message in enumerate(messages if isinstance(messages, tuple) else ()):
        content = message.get("content") if isinstance(message, Mapping) else None
        for index, part in enumerate(content if isinstance(content, tuple) else ()):
            if isinstance(part, Mapping) and part.get("type") not in _TEXTS:
                yield from strings(part, f"messages[{number}].content[{index}]")


def _is_own(url: str) -> bool:
    """Tell whether every reader of an address finds a host of the house's own network in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or _AMBIGUOUS.search(url):
        return False
    return is_own_address(host) or host == "localhost"
