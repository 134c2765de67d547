"""A retry of what found no place is the same request again: its own key's, for a minute, and never another body."""

from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.core.request import Caller
from gateway.core.target import Catalog
from gateway.server.auth import HostGuard, KeyRing
from gateway.server.bodies import BodyReader
from gateway.server.endpoint import HttpEndpoint
from gateway.server.retried_bodies import RetriedBodies

GIVEN = web.RequestKey("given", bytes)
SECRETS = {"ana": ("ana-0123456789abcdef", Caller(key="ana")), "ben": ("ben-0123456789abcdef", Caller(key="ben"))}


class GivenBodies:
    """Reader of the body that the test has put into a request."""

    async def read(self, http: web.Request) -> bytes:
        """Return it."""
        return http[GIVEN]


@pytest.fixture
def endpoint() -> HttpEndpoint:
    """Return an endpoint that knows two keys."""
    unused = cast(Any, None)
    return HttpEndpoint(
        pipeline=unused,
        catalog=Catalog(targets={}, aliases={}),
        host_guard=HostGuard(host="127.0.0.1", allowed_hosts=(), allowed_origins=()),
        keys=KeyRing(SECRETS, anonymous=None),
        bodies=cast(BodyReader, GivenBodies()),
        inbound_builder=unused,
    )


def post(body: bytes, key: str = "ana", path: str = "/v1/messages", version: str = "2023-06-01") -> web.Request:
    """Return a request of a key."""
    headers = {"Host": "127.0.0.1", "x-api-key": SECRETS[key][0], "anthropic-version": version}
    http = make_mocked_request("POST", path, headers=headers)
    http[GIVEN] = body
    return http


class Parsed:
    """What a body becomes."""

    def __init__(self, body: bytes, unnamed: str) -> None:
        self.body = body
        self.unnamed = unnamed


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"body": b"hullo"}, False),
        ({"key": "ben"}, False),
        ({"path": "/v1/chat/completions"}, False),
        ({"version": "2024-01-01"}, False),
    ],
    ids=["a retry", "another body", "another key's", "another endpoint", "another version of the dialect"],
)
async def test_a_retry_is_the_same_request(endpoint: HttpEndpoint, changed: dict[str, Any], same: bool) -> None:
    """Only what was turned away under the same key, path and version is known, and it is the very same object."""
    retry = post(**{"body": b"hello"} | changed)
    first = post(b"hello")
    _, parsed, _ = await endpoint.parsed(first, Parsed)
    endpoint.turned_away(first)
    caller, again, size = await endpoint.parsed(retry, Parsed)
    assert (again is parsed) is same
    assert (again.body, size) == (retry[GIVEN], 5)
    assert caller.key == ("ben" if retry.headers["x-api-key"] == SECRETS["ben"][0] else "ana")


async def test_what_was_not_turned_away_is_not_kept(endpoint: HttpEndpoint) -> None:
    """An answered request leaves nothing behind."""
    _, parsed, _ = await endpoint.parsed(post(b"hello"), Parsed)
    _, again, _ = await endpoint.parsed(post(b"hello"), Parsed)
    assert again is not parsed


def test_memory_is_short_and_small() -> None:
    """What is kept goes after a minute; long bodies are not kept, nor more than a few."""
    now = [0.0]
    bodies = RetriedBodies(clock=lambda: now[0])
    names = [("ana", "/v1/messages", "", b"%d" % number) for number in range(1_000)]
    for name in names:
        bodies.keep(name, object())
    assert 0 < sum(bodies.parsed(name) is not None for name in names) < 100
    long = ("ana", "/v1/messages", "", b"x" * 100_000)
    bodies.keep(long, object())
    assert bodies.parsed(long) is None
    now[0] = 61.0
    assert all(bodies.parsed(name) is None for name in names)
