"""Errors as clients of each dialect get them: status, shape, and the headers that say whether to try again."""

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest

from gateway.core.errors import (
    AduanaError,
    BadRequest,
    BudgetSpent,
    ContextLengthExceeded,
    Forbidden,
    LedgerUnavailable,
    NotFound,
    PolicyRefused,
    RateLimited,
    RequestTimeout,
    ShuttingDown,
    TargetBusy,
    TargetError,
    TargetProtocolError,
    TargetTimeout,
    TargetUnavailable,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from gateway.core.labels import Label
from gateway.core.request import Dialect
from gateway.core.route import Room, Route
from gateway.server.answers import error_answer, route_headers

# An error: its status, OpenAI's type and code, Anthropic's type, llama-server's type.
CLASSES: list[tuple[AduanaError, int, str, str, str, str]] = [
    (BadRequest("No."), 400, "invalid_request_error", "invalid_request", "invalid_request_error",
     "invalid_request_error"),
    (ContextLengthExceeded("No."), 400, "invalid_request_error", "context_length_exceeded", "invalid_request_error",
     "exceed_context_size_error"),
    (Unauthorized("No."), 401, "authentication_error", "invalid_api_key", "authentication_error",
     "authentication_error"),
    (Forbidden("No."), 403, "permission_error", "forbidden", "permission_error", "permission_error"),
    (PolicyRefused("No."), 403, "permission_error", "policy_refused", "permission_error", "permission_error"),
    (NotFound("No."), 404, "invalid_request_error", "not_found", "not_found_error", "not_found_error"),
    (RequestTimeout("No."), 408, "invalid_request_error", "request_timeout", "timeout_error",
     "invalid_request_error"),
    (TooLarge("No."), 413, "invalid_request_error", "request_too_large", "request_too_large",
     "invalid_request_error"),
    (BudgetSpent("No.", retry_after=60.0), 429, "insufficient_quota", "budget_spent", "billing_error",
     "unavailable_error"),
    (RateLimited("No.", retry_after=12.5), 429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error",
     "unavailable_error"),
    (TargetBusy("No.", retry_after=1.5), 429, "rate_limit_error", "target_busy", "rate_limit_error",
     "unavailable_error"),
    (AduanaError("No."), 500, "api_error", "internal_error", "api_error", "server_error"),
    (TargetError("No."), 502, "server_error", "target_error", "api_error", "server_error"),
    (TargetProtocolError("No."), 502, "server_error", "target_protocol_error", "api_error", "server_error"),
    (Unavailable("No.", retry_after=2.0), 503, "server_error", "unavailable", "overloaded_error",
     "unavailable_error"),
    (TargetUnavailable("No.", retry_after=2.0), 503, "server_error", "target_unavailable", "overloaded_error",
     "unavailable_error"),
    (LedgerUnavailable("No."), 503, "server_error", "ledger_unavailable", "overloaded_error", "unavailable_error"),
    (ShuttingDown("No."), 503, "server_error", "shutting_down", "overloaded_error", "unavailable_error"),
    (TargetTimeout("No."), 504, "server_error", "target_timeout", "timeout_error", "server_error"),
]  # fmt: skip
ROWS = pytest.mark.parametrize("row", CLASSES, ids=[type(row[0]).__name__ for row in CLASSES])


def body_of(error: AduanaError, dialect: Dialect) -> Any:
    body = error_answer(error, "req_1", dialect).body
    assert isinstance(body, bytes)
    return json.loads(body)


@ROWS
def test_each_class_has_its_shape_in_each_dialect(row: tuple[AduanaError, int, str, str, str, str]) -> None:
    """The same status everywhere, and the words that each API has for it."""
    error, status, kind, code, anthropic, llamacpp = row
    for dialect in Dialect:
        assert error_answer(error, "req_1", dialect).status == status
    assert body_of(error, Dialect.OPENAI) == {
        "error": {"message": "No.", "type": kind, "param": None, "code": code},
    }
    said = body_of(error, Dialect.ANTHROPIC)
    assert (said["type"], said["error"]["type"], said["request_id"]) == ("error", anthropic, "req_1")
    assert body_of(error, Dialect.OLLAMA) == {"error": "No."}
    assert body_of(error, Dialect.LLAMACPP) == {"error": {"code": status, "message": "No.", "type": llamacpp}}


@ROWS
@pytest.mark.parametrize("dialect", Dialect)
def test_headers_say_whether_to_try_again(row: tuple[AduanaError, int, str, str, str, str], dialect: Dialect) -> None:
    """Where waiting helps, for how long, never rounded down; where it doesn't, that it doesn't."""
    error = row[0]
    headers = error_answer(error, "req_1", dialect).headers
    assert headers["x-request-id"] == "req_1"
    assert ("request-id" in headers) is (dialect is Dialect.ANTHROPIC)
    if error.retry_after is None:
        assert "retry-after" not in headers
        assert headers["x-should-retry"] == "false"
    else:
        assert float(headers["retry-after"]) >= error.retry_after
        assert float(headers["retry-after-ms"]) == error.retry_after * 1000
        assert ("x-should-retry" in headers) is isinstance(error, BudgetSpent)


@pytest.mark.parametrize(("wait", "futile"), [(60.0, False), (61.0, True), (None, True)])
def test_a_limit_without_room_for_long_is_not_asked_again(wait: float | None, futile: bool) -> None:
    """Clients wait for up to a minute; what is longer, or never, they need not try."""
    headers = error_answer(RateLimited("No.", retry_after=wait), "req_1", Dialect.OPENAI).headers
    assert (headers.get("x-should-retry") == "false") is futile


@pytest.mark.parametrize(
    ("dialect", "names"),
    [
        (
            Dialect.OPENAI,
            ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ),
        (
            Dialect.ANTHROPIC,
            (
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ),
        ),
    ],
)
def test_the_places_left_are_told_in_the_dialects_words(dialect: Dialect, names: tuple[str, ...]) -> None:
    """A client reads how many requests its key may send, and when; where nothing was measured, no time is made up."""
    route = Route(request_id="r", label=Label.PUBLIC, rule="-", dialect=dialect, room=Room(limit=20, left=7, wait=2.2))
    told = route_headers(route)
    assert (told[names[0]], told[names[1]]) == ("20", "7")
    if dialect is Dialect.OPENAI:
        assert told[names[2]] == "3s"
    else:
        assert datetime.fromisoformat(told[names[2]]).tzinfo is not None
    unmeasured = msgspec.structs.replace(route, room=Room(limit=20, left=7))
    assert names[2] not in route_headers(unmeasured)


@pytest.mark.parametrize("dialect", Dialect)
def test_where_nothing_is_limited_no_limit_is_told(dialect: Dialect) -> None:
    """An answer from a cloud, or a dialect without such words, has none of these headers."""
    free = Route(request_id="r", label=Label.PUBLIC, rule="-", dialect=dialect)
    assert not [name for name in route_headers(free) if "ratelimit" in name]
    room = msgspec.structs.replace(free, room=Room(limit=1, left=1, wait=0.0))
    told = [name for name in route_headers(room) if "ratelimit" in name]
    assert bool(told) is (dialect in (Dialect.OPENAI, Dialect.ANTHROPIC))


@pytest.mark.parametrize("dialect", Dialect)
def test_an_error_tells_what_was_decided_in_header_and_body(dialect: Dialect) -> None:
    """An app learns what kind of thing kept its request at home; where nothing was decided, nothing is told."""
    error = PolicyRefused("No.")
    error.route = Route(
        request_id="req_1",
        label=Label.SENSITIVE,
        rule="por si acaso: \u00f1",
        refused=True,
        reasons=("id.national=2", "doubt.image", "tag.health"),
        dialect=dialect,
    )
    answer = error_answer(error, "req_1", dialect)
    assert answer.headers["x-aduana-decision"] == "refused"
    body = body_of(error, dialect)
    told = body["aduana"] if "aduana" in body else body["error"]["aduana"]
    assert told == {
        "decision": "refused",
        "label": "sensitive",
        "rule": "por si acaso: \u00f1",
        "categories": ["id.national"],
        "reasons": ["id.national=2", "doubt.image", "tag.health"],
    }
    failed = TargetBusy("No.")
    failed.route = msgspec.structs.replace(error.route, refused=False)
    assert error_answer(failed, "req_1", dialect).headers["x-aduana-decision"] == "permitted"
    assert "x-aduana-decision" not in error_answer(PolicyRefused("No."), "req_1", dialect).headers
    assert "aduana" not in json.dumps(body_of(PolicyRefused("No."), dialect))
