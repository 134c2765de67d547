"""A request's head and body together: who asks, with which tags, and tools that nobody here can run."""

import json
from functools import partial

import pytest

from gateway.core.errors import BadRequest
from gateway.core.request import Caller
from gateway.core.target import Catalog
from gateway.server.inbound import InboundBuilder
from gateway.wire import responses


@pytest.mark.parametrize(("refuse", "kind"), [(False, "web_search"), (True, "web_search"), (True, "function")])
def test_built_in_tools_are_left_out_or_refused_by_a_setting(refuse: bool, kind: str) -> None:
    """With `server.built_in_tools: refuse` a request that offers a tool of its provider's is refused by its name."""
    body = {"model": "m", "input": "hi", "tools": [{"type": kind, "name": "f"}]}
    request = responses.parse_response(json.dumps(body).encode()).chat
    builder = InboundBuilder(Catalog(targets={}, aliases={}), (), refuse_built_in_tools=refuse)
    given = partial(builder.built, "req_1", Caller(), request, size=10, tags=frozenset(), headers=())
    if refuse and kind == "web_search":
        with pytest.raises(BadRequest, match="web_search") as caught:
            given()
        assert caught.value.code == "built_in_tools"
    else:
        assert given().request is request
