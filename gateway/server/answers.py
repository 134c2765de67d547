"""Plain answers and errors: headers that say where a request went, bodies in the client's dialect."""

import copy
import re
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import assert_never

import structlog
from aiohttp import web

from gateway.core.errors import (
    AduanaError,
    BadRequest,
    BudgetSpent,
    ConfigurationError,
    LedgerUnavailable,
    RateLimited,
)
from gateway.core.request import Dialect
from gateway.pipeline import Route
from gateway.server.whole_answer import WholeAnswer
from gateway.wire import a1111, anthropic, llamacpp, ollama, openai

_SOON = 60.0  # seconds, for which clients wait before they try again
_LONGEST_LIST = 1500  # characters, far below what clients accept in one header
LOG = structlog.get_logger("aduana.server")
# A path of at least two parts that is none of our own routes and no part of a URL or a JSON pointer.
_PATH = re.compile(r"(?<![\w/:.#$*-])~?/(?!(?:v1|v2|api|admin)/)[^\s/'\"<>|:,;()]+(?:/[^\s/'\"<>|:,;()]+)+")


def header_value(text: str, *, longest: int = 200) -> str:
    """Return the text with everything that may not stand in a header replaced: a rule's name can hold anything."""
    if not (text.isascii() and text.isprintable()):
        text = "".join([c if " " <= c <= "~" else "?" for c in text])
    return text[:longest]


def route_headers(route: Route) -> dict[str, str]:
    """Return the headers that say where a request went, and why: `x-request-id` and `x-aduana-…`."""
    headers = {
        "x-request-id": route.request_id,
        "request-id": route.request_id,  # Anthropic's name
        "x-aduana-label": route.label.word,
        "x-aduana-rule": header_value(route.rule),
    }
    if route.target is not None and route.zone is not None:
        headers["x-aduana-target"] = route.target
        headers["x-aduana-zone"] = str(route.zone)
    if route.reasons:
        headers["x-aduana-reasons"] = header_value(", ".join(route.reasons), longest=_LONGEST_LIST)
    if route.masked:
        headers["x-aduana-masked"] = header_value(", ".join(f"{category}={count}" for category, count in route.masked))
    if route.unknown_tags:
        headers["x-aduana-unknown-tags"] = header_value(", ".join(route.unknown_tags))
    if route.dropped:
        headers["x-aduana-dropped"] = header_value(", ".join(route.dropped), longest=_LONGEST_LIST)
    return headers if route.room is None and route.tokens is None else headers | _room_headers(route)


def _room_headers(route: Route) -> dict[str, str]:
    """Return what is left of limits, in the words of the client's dialect; some dialects have none."""
    headers: dict[str, str] = {}
    for what, room in (("requests", route.room), ("tokens", route.tokens)):
        match route.dialect:
            case Dialect.OPENAI if room is not None:
                headers[f"x-ratelimit-limit-{what}"] = str(room.limit)
                headers[f"x-ratelimit-remaining-{what}"] = str(room.left)
                if room.wait is not None:
                    headers[f"x-ratelimit-reset-{what}"] = f"{ceil(room.wait)}s"
            case Dialect.ANTHROPIC if room is not None:
                name = f"anthropic-ratelimit-{what}"
                headers |= {f"{name}-limit": str(room.limit), f"{name}-remaining": str(room.left)}
                if room.wait is not None:
                    at = datetime.now(UTC) + timedelta(seconds=ceil(room.wait))
                    headers[f"{name}-reset"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            case _:
                pass
    return headers


def json_answer(body: bytes, headers: dict[str, str], status: int = 200) -> WholeAnswer:
    """Return a JSON answer that is sent in one piece."""
    return WholeAnswer(body, status=status, headers=headers)


def error_answer(error: AduanaError, request_id: str, dialect: Dialect) -> WholeAnswer:
    """Return the error in the dialect's shape, with what a client needs to decide whether to try again."""
    route = error.route
    headers = {**route_headers(route), "x-aduana-decision": route.decision} if route is not None else {}
    headers["x-request-id"] = request_id
    if error.retry_after is not None:
        # Rounded up: who comes back a moment too early is turned away again.
        headers["retry-after"] = str(max(1, ceil(error.retry_after)))
        headers["retry-after-ms"] = str(max(1, ceil(error.retry_after * 1000)))
    if _is_futile(error):
        headers["x-should-retry"] = "false"
    if isinstance(error, BadRequest) and error.status in (408, 413):
        headers["Connection"] = "close"
    match dialect:
        case Dialect.OLLAMA:
            body = ollama.error_body(error)
        case Dialect.ANTHROPIC:
            headers["request-id"] = request_id
            body = anthropic.error_body(error, request_id)
        case Dialect.LLAMACPP:
            body = llamacpp.error_body(error)
        case Dialect.A1111:
            body = a1111.error_body(error)
        case Dialect.OPENAI:
            body = openai.error_body(error)
        case _:
            assert_never(dialect)
    return json_answer(body, headers, error.status)


def _is_futile(error: AduanaError) -> bool:
    """Return whether trying again soon is of no use. A spent budget stays so for hours, as do the tokens of a day."""
    match error:
        case BudgetSpent():
            return True
        case RateLimited():
            return error.retry_after is None or error.retry_after > _SOON
        case _:
            return error.retry_after is None and error.status != 429


def _without_paths(error: AduanaError) -> AduanaError:
    """Return the error without paths of files: other servers' complaints may have them."""
    message = _PATH.sub("(a file)", error.message)
    if message == error.message:
        return error
    cleaned = copy.copy(error)
    cleaned.message = message
    return cleaned


def public_error(error: Exception, request_id: str) -> AduanaError:
    """Return what the client is told of an exception.

    An unexpected one is logged by type and place, never with its text: that could hold content.
    """
    match error:
        case LedgerUnavailable():
            LOG.error("request.no_receipt", request_id=request_id, problem=error.message)
            return LedgerUnavailable(
                "Nothing was sent, because it could not be written down. "
                "The owner of this gateway finds the reason in its log and in its console.",
                retry_after=error.retry_after,
            )
        case ConfigurationError():
            LOG.error("request.misconfigured", request_id=request_id, problem=error.message)
            return AduanaError(f"The gateway is not set up for this request. Its log says more for {request_id}.")
        case AduanaError():
            return _without_paths(error)
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            return BadRequest(f"This route takes {allowed}.", code="method_not_allowed", status=405)
        case web.HTTPException():
            return BadRequest(error.reason, code="bad_http", status=error.status)
        case _:
            frame = error.__traceback__
            while frame is not None and frame.tb_next is not None:
                frame = frame.tb_next
            place = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame is not None else "?"
            LOG.error("request.failed", request_id=request_id, error=type(error).__name__, place=place)
            return AduanaError(f"Something went wrong inside the gateway. Its log says more for {request_id}.")
