"""Work on texts takes the road of everything else, and that road has no cloud."""

from types import MappingProxyType

import pytest

from gateway.core.delta import Tokenized
from gateway.core.errors import LedgerUnavailable
from gateway.core.request import Caller, Dialect, Endpoint, Inbound, TextWork, TokenizeRequest
from tests.pipeline.house import House

pytestmark = pytest.mark.asyncio


def tokenizing(text: str) -> tuple[Inbound, TokenizeRequest]:
    """Return a request that the policy would rather send out."""
    document = MappingProxyType({"model": "auto", "content": text})
    request = TokenizeRequest(
        dialect=Dialect.LLAMACPP, model="auto", document=document, work=TextWork.TOKENIZE, text=text
    )
    return Inbound(id="req_t", request=request, caller=Caller(), tags=frozenset({"public"})), request


@pytest.fixture
def house() -> House:
    """Return a house whose local target tokenises."""
    made = House()

    async def tokenize(request: TokenizeRequest, *, deadline: float, **_: object) -> Tokenized:
        made.home.asked.append(request)
        return Tokenized(text=request.text, ids=(1, 2))

    made.home.tokenize = tokenize  # type: ignore[attr-defined]
    return made


async def test_a_public_text_that_prefers_the_cloud_is_tokenised_at_home(house: House) -> None:
    """It has a receipt and a settlement without tokens; the cloud is never called, with or without a clearance."""
    inbound, request = tokenizing("Hello")
    found = await house.pipeline.tokenize(inbound, request)
    await house.settled()
    assert (found.route.target, found.tokenized.ids) == ("home", (1, 2))
    assert not house.big.asked
    assert house.outcomes == ["ok"]
    assert house.ledger.receipts[0].endpoint is Endpoint.TOKENIZE
    assert house.ledger.settlements[0].usage.prompt_tokens == 0


async def test_what_is_sensitive_is_found_in_the_text(house: House) -> None:
    """A secret makes the request sensitive, and its text is remembered like any other."""
    found = await house.pipeline.tokenize(*tokenizing("a SECRET"))
    assert found.route.label.word == "sensitive"
    await house.settled()
    assert not house.big.asked


async def test_without_a_receipt_nothing_is_tokenised(house: House) -> None:
    """When the ledger can't write, the request is refused and no target is asked."""
    house.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.pipeline.tokenize(*tokenizing("Hello"))
    assert not house.home.asked
