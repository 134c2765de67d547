"""What a target's failure means: HTTP status and error body → one of our errors. Pure.

The provider's own words reach the client only where they help (a refused request), cut, without control characters
and without anything that looks like a credential. What a provider says about *our* key reaches nobody.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from gateway.core.errors import (
    AduanaError,
    BadRequest,
    ClientCredentialRefused,
    ClientLimited,
    ContextLengthExceeded,
    TargetBusy,
    TargetCutOff,
    TargetError,
    TargetLacksEndpoint,
    TargetMisconfigured,
    TargetProtocolError,
    TargetRejected,
    TargetTimeout,
    TargetUnavailable,
)

MOST_ERROR_BYTES = 64 * 1024
UNREACHABLE = "target_unreachable"
DISCONNECTED = "target_disconnected"
_NO_CREDIT = "target_quota_exhausted"
# A fault that may pass within a second, and after which nothing of an answer had arrived.
_PASSING = frozenset({"target_failed", "target_overloaded", DISCONNECTED})
_LONGEST_MESSAGE = 300
_LONGEST_WAIT = 3600.0
_SECRET = re.compile(r"(?i)\b(?:sk|pk|rk|key|gsk|xai|AIza|Bearer|Basic)[-_ ][^\s'\"]{6,}|[A-Za-z0-9+/_*-]{32,}")
_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"})
_CONTEXT_WORDS = re.compile(
    r"(?i)maximum context length|context (?:length|window|size)|prompt is too long|too many (?:input )?tokens"
)
_OVERLOADED = frozenset({"503", "529", "overloaded_error"})
_CONTENT_WORDS = re.compile(r"(?i)moderat|flagged|content[ _](?:policy|filter|violation)|safety (?:policy|system)")
_TOO_LARGE = re.compile(r"(?i)request (?:is )?too large|reduce the (?:length|size)")
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "insufficient_balance"})


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """Error that a provider reports, as far as it can be read."""

    message: str = ""
    code: str = ""
    kind: str = ""
    param: str | None = None
    retry_after: float | None = None  # seconds


def complaint(error: object) -> Complaint:
    """Return the provider's error object (or text) in safe, short words."""
    if isinstance(error, str):
        return Complaint(message=_sanitised(error))
    if not isinstance(error, Mapping):
        return Complaint()
    param = error.get("param")
    return Complaint(
        message=_sanitised(_text(error.get("message")) or _text(error.get("detail"))),
        code=_text(error.get("code"))[:64],
        kind=_text(error.get("type"))[:64],
        param=_sanitised(param)[:64] if isinstance(param, str) else None,
        retry_after=_delay(error.get("details")),
    )


def complaint_in(body: bytes) -> Complaint:
    """Return the error object of an error answer's body; an empty one where that is not JSON (a proxy's HTML page)."""
    try:
        document: Any = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return Complaint()
    if isinstance(document, list) and len(document) == 1:
        [document] = document  # Gemini's
    if not isinstance(document, Mapping):
        return Complaint()
    inner = document.get("error")
    return complaint(inner if inner is not None else document)


def fault_of_status(target: str, status: int, said: Complaint, *, retry_after: float | None = None) -> AduanaError:
    """Return the error for an answer whose status is not 200."""
    retry_after = said.retry_after if retry_after is None else retry_after
    if 200 <= status < 400:
        what = "redirects elsewhere, which is never followed" if status >= 300 else f"answered with status {status}"
        return TargetProtocolError(f"The target {target!r} {what}. Check its base_url.")
    if _about_length(said) and status in (400, 413, 422):
        return _too_long(target, said)
    if status == 429 and _TOO_LARGE.search(said.message):
        return _too_long(target, said)  # more than the limit of a minute: waiting does not help this request
    if status == 402 or said.code in _QUOTA_CODES or said.kind in _QUOTA_CODES:
        return TargetUnavailable(f"The target {target!r} has no credit left.", code=_NO_CREDIT)
    if status == 403 and _about_content(said):
        return TargetRejected(f"The target {target!r} refused the request for its content: {said.message}", status=400)
    match status:
        case 401 | 403 | 407:
            return TargetMisconfigured(f"The target {target!r} does not accept this gateway's credentials.")
        case 404 | 405 | 410 | 501:
            return TargetLacksEndpoint(
                f"The target {target!r} does not know the model or the address. "
                "Check 'model', 'base_url' and 'endpoints'."
            )
        case 408 | 504:
            return TargetTimeout(f"The target {target!r} reports a time-out.", retry_after=retry_after)
        case 429:
            return TargetBusy(f"The target {target!r} limits its rate.", retry_after=retry_after)
        case 409 | 425:
            return TargetUnavailable(f"The target {target!r} asks to try later.", retry_after=retry_after)
    if status < 500:
        reason = f": {said.message}" if said.message else "."
        return TargetRejected(
            f"The target {target!r} refused the request (status {status}){reason}",
            param=said.param,
            status=status if status in (400, 413, 415, 422) else 400,
        )
    if status in (503, 529):
        return TargetUnavailable(
            f"The target {target!r} is overloaded or down (status {status}).",
            code="target_overloaded",
            retry_after=retry_after,
        )
    code = "target_failed" if status in (500, 502) else None
    return TargetError(f"The target {target!r} failed (status {status}).", code=code, retry_after=retry_after)


def fault_of_client(target: str, status: int, fault: AduanaError) -> AduanaError:
    """Return the error of a target that was asked with a client's own credential, where the cause lies in that.

    Such errors close the target for nobody else.
    """
    if isinstance(fault, TargetMisconfigured) and status in (401, 403):
        return ClientCredentialRefused(
            f"The target {target!r} does not accept the key that you sent for its provider. Check it there."
        )
    if isinstance(fault, TargetLacksEndpoint):  # providers answer so where a key may not have the model
        return ClientCredentialRefused(
            f"The target {target!r} does not know the model or the address, or the key that you sent may not have it.",
            code=fault.code,
            status=fault.status,
        )
    if isinstance(fault, TargetBusy) or fault.code == _NO_CREDIT:
        return ClientLimited(fault.message, code=fault.code, retry_after=fault.retry_after)
    return fault


def unreachable(target: str) -> TargetUnavailable:
    """Return the error for no connection: an unknown name, nobody listening, or no answer within the connect limit."""
    return TargetUnavailable(f"The target {target!r} can't be reached.", code=UNREACHABLE, status=502)


def untrusted(target: str) -> TargetError:
    """Return the error for a certificate that is not valid for its host."""
    # INVARIANT: never asked again without verification.
    return TargetError(f"The target {target!r} shows a certificate that is not valid.", code="target_certificate")


def disconnected(target: str) -> TargetUnavailable:
    """Return the error for a connection that ended before the answer began."""
    return TargetUnavailable(
        f"The target {target!r} closed the connection without an answer.", code=DISCONNECTED, status=502
    )


def cut_off(target: str) -> TargetCutOff:
    """Return the error for a connection that broke inside the answer."""
    return TargetCutOff(f"The target {target!r} ended its answer before it was complete.", code="incomplete_answer")


def incomplete(target: str) -> TargetProtocolError:
    """Return the error for an answer that ends although it is not complete, over a connection that works."""
    return TargetProtocolError(
        f"The target {target!r} ended its answer before it was complete.", code="incomplete_answer"
    )


def is_passing(error: BaseException) -> bool:
    """Say whether the request may be sent to the same target again. One that names a time to wait is left alone."""
    return isinstance(error, TargetError) and error.code in _PASSING and error.retry_after is None


def is_answer(error: BaseException) -> bool:
    """Say whether a server answered, although not with what it was asked for: it is there, and may answer others."""
    if isinstance(error, TargetMisconfigured):
        return error.code == TargetMisconfigured.code  # not an address that was never connected
    return isinstance(error, BadRequest | TargetBusy)


def fault_in_stream(target: str, said: Complaint) -> AduanaError:
    """Return the error for an error event inside an answer that had begun."""
    if _about_length(said):
        return _too_long(target, said)
    if said.code == "429" or "rate_limit" in said.code or "rate_limit" in said.kind:
        return TargetBusy(f"The target {target!r} limits its rate.", retry_after=said.retry_after)
    if {said.code, said.kind} & _OVERLOADED:
        return TargetUnavailable(f"The target {target!r} is overloaded.", code="target_overloaded")
    reason = f": {said.message}" if said.message else "."
    return TargetProtocolError(f"The target {target!r} broke off its answer{reason}", code=TargetError.code)


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return `Retry-After-Ms` or `Retry-After` (seconds or a date) in seconds, within an hour; None without either."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if match := re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)(?: *s)?", value):
            return min(float(match[1]) / scale, _LONGEST_WAIT)
    value = headers.get("retry-after", "")
    try:
        until = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    if until is None or until.tzinfo is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT)


def _too_long(target: str, said: Complaint) -> ContextLengthExceeded:
    reason = f": {said.message}" if said.message else "."
    return ContextLengthExceeded(f"The prompt does not fit the target {target!r}{reason}", param="messages")


def _about_length(said: Complaint) -> bool:
    return said.code in _CONTEXT_CODES or said.kind in _CONTEXT_CODES or _CONTEXT_WORDS.search(said.message) is not None


def _delay(details: object) -> float | None:
    """Return the seconds in Google's `RetryInfo`, where its API names the time to wait."""
    for detail in details if isinstance(details, list) else ():
        given = detail.get("retryDelay") if isinstance(detail, Mapping) else None
        if isinstance(given, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?s", given):
            return min(float(given[:-1]), _LONGEST_WAIT)
    return None


def _about_content(said: Complaint) -> bool:
    return any(map(_CONTENT_WORDS.search, (said.code, said.kind, said.message)))


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return ""


def _sanitised(text: str) -> str:
    text = text[: 8 * _LONGEST_MESSAGE]
    plain = "".join(character if character.isprintable() else " " for character in text)
    plain = _SECRET.sub("[…]", " ".join(plain.split()))
    return plain if len(plain) <= _LONGEST_MESSAGE else plain[: _LONGEST_MESSAGE - 1] + "…"
