"""Errors as clients of each dialect get them: status, shape, and the headers that say whether to try again."""

import json
from typing import Any

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
from gateway.core.request import Dialect
from gateway.server.answers import error_answer

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
