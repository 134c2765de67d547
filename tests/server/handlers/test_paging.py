"""Which page of a list a client wants, and what of it is refused."""

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.core.errors import BadRequest
from gateway.server.handlers.paging import wanted_page


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ("desc", 20, None)),
        ("?order=asc&limit=100&after=msg_1", ("asc", 100, "msg_1")),
        ("?limit=007", ("desc", 7, None)),
    ],
)
def test_a_page_is_told_by_the_query(query: str, expected: tuple[str, int, str | None]) -> None:
    """What is left out has OpenAI's defaults."""
    assert wanted_page(make_mocked_request("GET", f"/v1/conversations/conv_1/items{query}")) == expected


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "²", "0000000010001", "0" * 8 + "1" + "9" * 5_000])
def test_a_limit_beyond_the_most_is_refused(limit: str) -> None:
    """A client is told so, however it writes the number."""
    with pytest.raises(BadRequest, match="limit"):
        wanted_page(make_mocked_request("GET", f"/v1/conversations/conv_1/items?limit={limit}"))
