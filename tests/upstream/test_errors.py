"""A target's failure becomes one of our errors, and only harmless words of it are passed on."""

import json
from datetime import UTC, datetime

import pytest

from gateway.core.errors import (
    ContextLengthExceeded,
    TargetBusy,
    TargetError,
    TargetMisconfigured,
    TargetProtocolError,
    TargetRejected,
    TargetUnavailable,
)
from gateway.upstream import errors as faults

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": " 30s "}, 30.0),
        ({"retry-after": "soon", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:00 GMT"}, 60.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "999999999"}, 3600.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "NaN"}, None),
        ({"retry-after": "9" * 400}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """The time to wait is read in seconds, milliseconds or as a date, within an hour; nonsense counts as absent."""
    assert faults.retry_after_seconds(headers, NOW) == seconds


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghij",
        "Bearer abcdefghijkl",
        "AIza-xxxxxxxxxxxxxx",
        "key_live_0123456789abcdef",
        "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    ],
)
def test_credentials_are_cut_out_of_messages(secret: str) -> None:
    """Whatever looks like a key in a provider's message does not reach the client."""
    said = faults.complaint({"message": f"No access with '{secret}' here", "param": secret})
    assert secret not in said.message
    assert secret not in str(said.param)
    assert said.message.startswith("No access with")


def test_messages_are_short_and_printable() -> None:
    """A provider's message is passed on short, in one line and without control characters."""
    said = faults.complaint({"message": "a\r\nSet-Cookie: x\x1b[31m" + " word" * 1000})
    assert said.message.isprintable()
    assert len(said.message) <= 300


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"error":[]}', b'{"error":5}', b"[" * 100_000])
def test_any_error_body_can_be_read(body: bytes) -> None:
    """An error body that is no JSON, such as a proxy's page, causes no further error."""
    assert faults.complaint_in(body).message == ""


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"m","code":5,"type":"t"}}',
        b'{"error":"m"}',
        b'{"message":"m"}',
        b'{"detail":"m"}',
    ],
)
def test_the_usual_shapes_of_errors(body: bytes) -> None:
    """Error objects are read in the shapes of OpenAI, vLLM and FastAPI, and as plain text."""
    assert faults.complaint_in(body).message == "m"


@pytest.mark.parametrize("status", [*range(201, 209), *range(300, 309), *range(400, 452), *range(500, 530)])
def test_every_status_has_an_answer_for_the_client(status: int) -> None:
    """Every status gives the client a 4xx or 5xx, not one about its own key, and only a 4xx can be its own fault."""
    error = faults.fault_of_status("big", status, faults.Complaint(message="no", kind="x"))
    assert 400 <= error.status <= 599
    assert error.status not in (401, 403)
    assert "'big'" in error.message
    assert isinstance(error, TargetError) or 400 <= status < 500


def test_an_address_that_a_server_lacks_names_the_settings() -> None:
    """A server without `/v1/completions` answers 404: its owner is told that `endpoints` may say so."""
    with pytest.raises(TargetMisconfigured, match="'model', 'base_url' and 'endpoints'"):
        raise faults.fault_of_status("lan", 404, faults.Complaint())


def test_only_passing_faults_are_tried_again() -> None:
    """Only faults that may pass at once are tried again, and not where the target names a time to wait."""
    quick = [
        status
        for status in range(201, 600)
        if faults.is_passing(faults.fault_of_status("t", status, faults.Complaint()))
    ]
    assert quick == [500, 502, 503, 529]
    assert not faults.is_passing(faults.fault_of_status("t", 503, faults.Complaint(), retry_after=5.0))
    assert not faults.is_passing(faults.untrusted("t"))
    assert not faults.is_passing(faults.unreachable("t"))
    assert not faults.is_passing(ValueError())


GOOGLE = [{"@type": "type.googleapis.com/google.rpc.Help"}, {"@type": "…RetryInfo", "retryDelay": "38.5s"}]


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_time_to_wait_in_the_body(wrapped: bool) -> None:
    """Google names the time in the error itself, which may stand in a list; a header comes before it."""
    error = {"error": {"code": 429, "message": "Quota exceeded", "details": GOOGLE}}
    said = faults.complaint_in(json.dumps([error] if wrapped else error).encode())
    assert said.message == "Quota exceeded"
    assert faults.fault_of_status("t", 429, said).retry_after == 38.5
    assert faults.fault_of_status("t", 429, said, retry_after=3.0).retry_after == 3.0
    assert faults.fault_in_stream("t", said).retry_after == 38.5


@pytest.mark.parametrize(
    "details", [None, "x", [], [None], [{"retryDelay": 5}], [{"retryDelay": "-1s"}], [{"retryDelay": "soon"}]]
)
def test_details_that_name_no_time(details: object) -> None:
    """Anything else in an error's details names no time."""
    assert faults.complaint({"message": "m", "details": details}).retry_after is None


def test_an_overload_inside_an_answer() -> None:
    """An error event that tells of an overload counts against the target; one about the request's content does not."""
    assert isinstance(faults.fault_in_stream("t", faults.Complaint(kind="overloaded_error")), TargetUnavailable)
    assert isinstance(faults.fault_in_stream("t", faults.Complaint(code="503")), TargetUnavailable)
    assert isinstance(faults.fault_in_stream("t", faults.Complaint(message="can't parse")), TargetProtocolError)


@pytest.mark.parametrize("message", ["Your input was flagged", "Blocked by content policy", "moderation_blocked"])
def test_a_refusal_for_content_is_not_about_the_credentials(message: str) -> None:
    """A 403 that speaks of the request's content is the request's own affair."""
    assert isinstance(faults.fault_of_status("t", 403, faults.Complaint(message=message)), TargetRejected)
    assert isinstance(faults.fault_of_status("t", 403, faults.Complaint(message="no access")), TargetMisconfigured)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Request too large for gpt-x on tokens per min (TPM): Limit 10000, Requested 20000.", ContextLengthExceeded),
        ("Rate limit reached for gpt-x on tokens per min (TPM). Please try again in 2s.", TargetBusy),
    ],
)
def test_a_request_above_the_limit_of_a_minute_is_too_long(message: str, kind: type[Exception]) -> None:
    """A 429 for a single request's size is that request's affair; one for the rate holds the target."""
    assert isinstance(faults.fault_of_status("t", 429, faults.Complaint(message=message)), kind)
