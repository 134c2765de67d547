"""Decisions take the road of everything else, and that road has no cloud."""

from types import MappingProxyType

import pytest

from gateway.core.delta import Decisions
from gateway.core.errors import LedgerUnavailable
from gateway.core.request import Caller, DecisionForm, DecisionsRequest, Dialect, Inbound
from gateway.core.usage import Usage
from tests.pipeline.house import House

pytestmark = pytest.mark.asyncio


def asking(state: str) -> tuple[Inbound, DecisionsRequest]:
    """Return a request that the policy would rather send out."""
    document = MappingProxyType({"model": "auto", "state": state, "questions": MappingProxyType({})})
    request = DecisionsRequest(
        dialect=Dialect.OPENAI, model="auto", document=document, form=DecisionForm.SYSTEM_ONE, questions=1, text=state
    )
    return Inbound(id="req_d", request=request, caller=Caller(), tags=frozenset({"public"})), request


@pytest.fixture
def house() -> House:
    """Return a house whose local target decides."""
    made = House()

    async def decide(request: DecisionsRequest, *, deadline: float, **_: object) -> Decisions:
        made.home.asked.append(request)
        return Decisions(answers=MappingProxyType({"a": 1}), usage=Usage(input=7))

    made.home.decide = decide  # type: ignore[attr-defined]
    return made


async def test_a_public_request_that_prefers_the_cloud_is_decided_at_home(house: House) -> None:
    """Decisions have a receipt, a settlement and their usage; the cloud is never called."""
    inbound, request = asking("Hello")
    decided = await house.pipeline.decide(inbound, request)
    await house.settled()
    assert decided.route.target == "home"
    assert not house.big.asked
    assert house.outcomes == ["ok"]
    assert house.ledger.settlements[0].usage.input == 7


async def test_what_is_sensitive_is_found_in_the_state(house: House) -> None:
    """A secret in the state makes the request sensitive."""
    decided = await house.pipeline.decide(*asking("a SECRET"))
    await house.settled()
    assert decided.route.label.word == "sensitive"
    assert not house.big.asked


async def test_without_a_receipt_nothing_is_asked(house: House) -> None:
    """When the ledger can't write, the request is refused and no target is asked."""
    house.ledger.broken = True
    with pytest.raises(LedgerUnavailable):
        await house.pipeline.decide(*asking("Hello"))
    assert not house.home.asked
