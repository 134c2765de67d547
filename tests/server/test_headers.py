"""Headers that look like the gateway's own: a typing error is told, never left out in silence."""

import tracemalloc

import pytest

from gateway.core.errors import BadRequest
from gateway.server.headers import REQUEST_HEADERS, refuse_unknown_headers


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("x-aduana-tag", "x-aduana-tags"),
        ("X-Aduana-Tag", "x-aduana-tags"),
        ("x-aduana-tagss", "x-aduana-tags"),
        ("x_aduana_tags", "x-aduana-tags"),
        ("aduana-tags", "x-aduana-tags"),
        ("x-adauna-tags", "x-aduana-tags"),
        ("x-aduna-tags", "x-aduana-tags"),
        ("x-aduana-explian", "x-aduana-explain"),
        ("aduana-explain", "x-aduana-explain"),
        ("x-aduana-label", None),
        ("x-aduana-\udcff", None),
    ],
)
def test_a_mistyped_header_is_refused_with_the_right_name(name, meant):
    """A header that looks like one of the gateway's own and is none gets 400 with the nearest name."""
    with pytest.raises(BadRequest) as caught:
        refuse_unknown_headers(["Host", name])
    assert caught.value.code == "unknown_header"
    assert any(f"Did you mean {name!r}" in caught.value.message for name in ([meant] if meant else REQUEST_HEADERS))
    caught.value.message.encode()  # may be sent, whatever bytes came


@pytest.mark.parametrize(
    "name",
    [*REQUEST_HEADERS, "X-Aduana-Tags", "authorization", "x-api-key", "x-stainless-lang", "x-amz-tags", "x-tags",
     "x-request-id", "traceparent", "anthropic-version", "x-forwarded-for", "x-organization-tags", "x-\udcff"],
)  # fmt: skip
def test_other_headers_pass(name):
    """The gateway's own headers, and those of everybody else, are no typing errors."""
    refuse_unknown_headers([name])


def test_names_of_any_length_are_looked_at_and_long_ones_leave_nothing_behind():
    """Ours is refused wherever it stands in a long name; and whoever sends many long names fills no memory."""
    with pytest.raises(BadRequest):
        refuse_unknown_headers(["host", "x-" + "a" * 200 + "-aduana-tags"])
    refuse_unknown_headers(["x" * 8_000])  # what is there once for all
    tracemalloc.start()
    try:
        for number in range(50):
            refuse_unknown_headers([f"x-{number}-{place}-" + "a" * 8_000 for place in range(10)])
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
