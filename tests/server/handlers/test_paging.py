"""Which page of a list a client wants, and what of it is refused."""

import json

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.core.errors import BadRequest
from gateway.server.handlers.paging import anthropic_page, wanted_page


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


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ("", "abcd", False),
        ("?limit=2", "ab", True),
        ("?after_id=b", "cd", False),
        ("?limit=1&after_id=b", "c", True),
        ("?after_id=z", "", False),
        ("?limit=2&before_id=d", "bc", True),
        ("?before_id=a", "", False),
        ("?before_id=z", "", False),
    ],
)
def test_anthropics_page_lies_behind_or_before_an_id(query: str, ids: str, more: bool) -> None:
    """A page has what its client asked for, in the list's order, and says whether there is more on that side."""
    page = json.loads(anthropic_page(make_mocked_request("GET", f"/v1/files{query}"), [{"id": one} for one in "abcd"]))
    assert [one["id"] for one in page["data"]] == list(ids)
    assert page["has_more"] is more
    assert (page["first_id"], page["last_id"]) == (ids[:1] or None, ids[-1:] or None)
