"""Made-up requests, by which policies are checked and their expectations tried."""

import pytest

from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint, endpoint_of
from gateway.core.target import Alias, Catalog, TargetInfo
from gateway.policy.situations.synthetic import Given, evidence_of


@pytest.mark.parametrize(
    ("served", "expected"),
    [
        ({Endpoint.CHAT, Endpoint.EMBEDDINGS}, Endpoint.CHAT),
        ({Endpoint.EMBEDDINGS}, Endpoint.EMBEDDINGS),
        ({Endpoint.RERANK}, Endpoint.RERANK),
        ({Endpoint.DECISIONS}, Endpoint.DECISIONS),
        (set(), Endpoint.CHAT),
    ],
)
def test_a_request_of_no_named_kind_is_one_that_is_served(served: set[Endpoint], expected: Endpoint) -> None:
    """Where nothing serves chat, an expectation that names no endpoint is about what is served, so that it can hold."""
    home = TargetInfo(
        name="home", kind="x", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="m", endpoints=frozenset(served)
    )
    catalog = Catalog(targets={"home": home}, aliases={"auto": Alias(name="auto")})
    assert endpoint_of(evidence_of(Given(), catalog).inbound.request) is expected
