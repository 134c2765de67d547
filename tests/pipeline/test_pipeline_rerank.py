"""Ranking takes the road of everything else, and that road has no cloud."""

from types import MappingProxyType

import pytest

from gateway.core.delta import Ranking
from gateway.core.errors import LedgerUnavailable
from gateway.core.request import Caller, Dialect, Inbound, RerankRequest
from gateway.core.usage import Usage
from tests.pipeline.house import House

pytestmark = pytest.mark.asyncio


def ranking(query: str, *texts: str) -> tuple[Inbound, RerankRequest]:
    """Return a request that the policy would rather send out."""
    document = MappingProxyType({"model": "auto", "query": query, "documents": texts})
    request = RerankRequest(dialect=Dialect.OPENAI, model="auto", document=document, query=query, texts=texts)
    return Inbound(id="req_r", request=request, caller=Caller(), tags=frozenset({"public"})), request


@pytest.fixture
def house() -> House:
    """Return a house whose local target ranks."""
    made = House()

    async def rerank(request: RerankRequest, *, deadline: float, **_: object) -> Ranking:
        made.home.asked.append(request)
        return Ranking(scores=tuple(0.5 for _ in request.texts), usage=Usage(input=7))

    made.home.rerank = rerank  # type: ignore[attr-defined]
    return made


async def test_a_public_request_that_prefers_the_cloud_is_ranked_at_home(house: House) -> None:
    """A ranking has a receipt, a settlement and its usage; the cloud is never called, with or without a clearance."""
    inbound, request = ranking("Hello", "a", "b")
    ranked = await house.pipeline.rerank(inbound, request)
    await house.settled()
    assert (ranked.route.target, len(ranked.ranking.scores)) == ("home", 2)
    assert not house.big.asked
    assert house.outcomes == ["ok"]
    assert house.ledger.settlements[0].usage.input == 7


async def test_what_is_sensitive_is_found_in_query_and_texts(house: House) -> None:
    """A secret makes a ranking sensitive, whether it stands in the query or in a text."""
    for query, text in (("a SECRET", "b"), ("a", "the SECRET")):
        ranked = await house.pipeline.rerank(*ranking(query, text))
        assert ranked.route.label.word == "sensitive"
    await house.settled()
    assert not house.big.asked


async def test_without_a_receipt_nothing_is_ranked(house: House) -> None:
    """When the ledger can't write, the request is refused and no target is asked."""
    house.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.pipeline.rerank(*ranking("Hello", "a"))
    assert not house.home.asked
