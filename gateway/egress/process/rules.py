"""What the egress process lets pass: a signed clearance that fits its own configuration, and a body without news.

INVARIANT: addresses, ceilings and keys are those that this process read itself; a request names a target and no more.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.document import JsonObject, encode
from gateway.core.labels import Label
from gateway.core.request import LOCAL_ENDPOINTS, Endpoint
from gateway.core.target import Api
from gateway.egress.messages import Claims, Provider
from gateway.egress.process.checking import NotSealed, is_body
from gateway.privacy.inspection.quick import QuickLook
from gateway.upstream.body import PATHS
from gateway.upstream.media.requests import FORM_TYPE, JSON_TYPE, MEDIA_PATHS

_OF_MESSAGES = frozenset({"/messages", "/messages/count_tokens", "/v1/messages", "/v1/messages/count_tokens"})
_PATHS: Mapping[Api, frozenset[str]] = MappingProxyType(
    {
        Api.CHAT: frozenset({*PATHS.values(), *MEDIA_PATHS.values()}),
        Api.RESPONSES: frozenset({"/responses", PATHS[Endpoint.EMBEDDINGS], *MEDIA_PATHS.values()}),
        Api.MESSAGES: _OF_MESSAGES,
    }
)
# Where random letters stand that a provider made for itself, and our keyed hash of a client's name for its cache.
_OPAQUE = re.compile(
    r"\.(?:encrypted_\w+|(?:thought_?s|s)ignature|(?:tool_)?call_id|tool_use_id|id|prompt_cache_key)\Z"
    r"|\.(?:reasoning_details|content)\[\d+\]\.data\Z",
    re.IGNORECASE,
)
_RANDOM = "secret"  # the category that such letters are taken for
_DISPOSITION = re.compile(rb'Content-Disposition: form-data; name="([^"]{0,200})"(; filename=)?', re.IGNORECASE)


def permitted(claims: Claims, provider: Provider | None, body: bytes) -> Provider:
    """Return the provider that a request may go to.

    Raises:
        NotSealed: It may go nowhere.
    """
    if provider is None:
        raise NotSealed("target")
    if claims.label > provider.ceiling or claims.label >= Label.SENSITIVE:
        raise NotSealed("label")
    if claims.endpoint not in provider.endpoints - LOCAL_ENDPOINTS:
        raise NotSealed("endpoint")
    if claims.path not in _PATHS.get(provider.settings.api, ()):
        raise NotSealed("path")
    if (claims.client is not None) is not provider.client_credential:
        raise NotSealed("credential")
    if not is_body(claims, body):
        raise NotSealed("body")
    return provider


def check_news(claims: Claims, body: bytes, look: QuickLook) -> None:
    """Look over the bytes that leave for what inspection did not see in the request.

    Raises:
        NotSealed: There is something, or they can't be looked at.
    """
    known = {*claims.known, *(look.of(claims.prefix) if claims.prefix else ())}
    try:
        for path, category in look.categories(_document(claims.content_type, body)):
            if category not in known and not _is_random(path, category):
                raise NotSealed(f"new:{category}")
    except (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise NotSealed("unreadable") from error


def _is_random(path: str, category: str) -> bool:
    return category.partition(".")[0] == _RANDOM and _OPAQUE.search(path) is not None


def _document(content_type: str, body: bytes) -> JsonObject:
    """Return what a body says.

    Raises:
        ValueError: It is of another kind than its type says.
    """
    if content_type == JSON_TYPE:
        document: object = msgspec.json.decode(body)
        if not isinstance(document, dict):
            raise ValueError("no object")
        if encode(document) != body:
            raise ValueError("not as the gateway writes it: of two values of one name, the first is not looked at")
        return document
    if content_type.startswith(FORM_TYPE):
        boundary = content_type.rpartition("boundary=")[2].encode("ascii")
        return MappingProxyType(dict(_fields(body, boundary)))
    raise ValueError("no known type")


def _fields(body: bytes, boundary: bytes) -> Iterator[tuple[str, str]]:
    """Yield what a form says, each under a name of its own: the heads of its parts, its fields, and files of text."""
    for number, part in enumerate(body.split(b"--" + boundary)):
        head, _, content = part.partition(b"\r\n\r\n")
        yield f"head{number}", head.decode("utf-8", "replace")
        found = _DISPOSITION.search(head)
        if found is None or found[2] is None or _is_text(content):
            yield f"field{number}", content.removesuffix(b"\r\n").decode("utf-8", "replace")


def _is_text(file: bytes) -> bool:
    try:
        return "\0" not in file.decode()
    except UnicodeDecodeError:
        return False
