"""A budget that another request emptied between this one's decision and its reservation."""

import asyncio
import contextlib

import pytest

from gateway.core.errors import (
    AduanaError,
    BudgetSpent,
    TargetBusy,
    TargetProtocolError,
    TargetTimeout,
    TargetUnavailable,
    Unavailable,
)
from gateway.core.events import BudgetDenied, FellBack
from gateway.core.request import ChatRequest, Inbound
from gateway.core.target import TargetState
from gateway.policy import load_policy
from tests.pipeline.house import House, chat

SHADOW = """
version: 1
labels: {default: internal, tags: {public: public}}
rules:
  - {name: compare, when: {stream: {is: false}}, shadow: big}
otherwise: {prefer: [home]}
"""


@pytest.fixture
def house() -> House:
    return House()


async def test_the_next_candidate_answers_and_the_refused_one_is_not_asked(house: House) -> None:
    """Nothing is sent to a target whose money could not be set aside; the attempt says why."""
    house.ledger.left = {"big": 99}
    assert await house.ask("Hello", "public") == "Hello you"
    assert house.big.asked == []
    assert len(house.spare.asked) == 1
    assert house.ledger.settlements[0].attempts == (("big", "budget_spent"),)
    assert [event.budget for event in house.heard.events if isinstance(event, BudgetDenied)] == ["day"]
    moves = [(event.source, event.target, event.reason) for event in house.heard.events if isinstance(event, FellBack)]
    assert moves == [("big", "spare", "budget_spent")]


async def test_when_nothing_else_may_answer_the_client_is_told_of_the_budget(house: House) -> None:
    """The client gets the refusal that names the budget, and the receipt that was written is settled."""
    house.ledger.left = {"big": 99, "spare": 0}
    house.home.script = (TargetUnavailable("down"),)
    with pytest.raises(TargetUnavailable):
        await house.ask("Hello", "public")
    assert house.ledger.settlements[0].attempts == (
        ("big", "budget_spent"),
        ("spare", "budget_spent"),
        ("home", "target_unavailable"),
    )
    house.ledger.left |= {"home": 0}
    with pytest.raises(BudgetSpent, match="today's budget for clouds") as caught:
        await house.ask("Hello", "public")
    assert caught.value.status == 429
    assert house.outcomes == ["error", "error"]
    assert (house.big.asked, house.spare.asked) == ([], [])


async def test_a_shadow_without_money_is_not_asked(house: House) -> None:
    """A shadow whose money can't be set aside is left out, and the answer beside it is not touched."""
    house.policies.current = load_policy([("shadow.yaml", SHADOW)], house.catalog)
    house.ledger.left = {"big": 0}
    assert await house.ask("Hello", "public") == "Hello you"
    await house.settled()
    assert house.big.asked == []
    assert sorted(house.outcomes) == ["error", "ok"]
    assert [event.budget for event in house.heard.events if isinstance(event, BudgetDenied)] == ["day"]


async def test_what_was_sent_to_a_cloud_is_paid_although_nobody_waited(house: House) -> None:
    """A client that leaves before the first token costs its prompt; the same at home costs nothing."""
    for tags, cost in ((("public",), True), ((), False)):
        never, asked = asyncio.Event(), asyncio.Event()
        for target in (house.big, house.home):
            target.script = (never,)
            target.on_ask = asked.set
        inbound, request = chat("A rather long prompt, which a cloud counts from its first byte on.", *tags)

        async def client(inbound: Inbound = inbound, request: ChatRequest = request) -> None:
            async with house.pipeline.generate(inbound, request):
                pass

        task = asyncio.create_task(client())
        await asked.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await house.settled()
        settled = house.ledger.settlements[-1]
        assert settled.outcome.value == "cancelled"
        assert (settled.usage.input > 0, settled.cost_micros > 0, settled.usage.estimated) == (cost, cost, True)


@pytest.mark.parametrize(
    ("error", "paid"),
    [
        (TargetTimeout("late"), True),
        (TargetProtocolError("cut"), True),
        (TargetUnavailable("refused"), False),
        (TargetBusy("limited"), False),
    ],
)
async def test_a_cloud_that_took_the_prompt_and_gave_nothing_may_count_it(
    house: House, error: AduanaError, paid: bool
) -> None:
    """Where the answer was late or broken the prompt is paid, also when another target answers; a refusal is free."""
    house.big.script = (error,)
    assert await house.ask("Hello there, cloud", "public") == "Hello you"
    (settled,) = house.ledger.settlements
    free = settled.usage.prompt_tokens + settled.usage.completion_tokens
    assert settled.target == "spare"
    assert (settled.cost_micros > free) is paid


@pytest.mark.parametrize(
    ("said", "known", "told"),
    [(3.0, 40.0, 3.0), (None, 40.0, 40.0), (None, None, 5.0)],
    ids=["the target says when", "its breaker knows when", "nobody knows"],
)
async def test_a_sensitive_request_is_told_when_to_try_again(
    house: House, said: float | None, known: float | None, told: float
) -> None:
    """What stays at home may be served later: the client is told when, as far as anybody knows."""
    house.home.script = (TargetUnavailable("down", retry_after=said),)
    house.home.doing = TargetState(retry_in=known)
    with pytest.raises(Unavailable, match="goes nowhere else") as caught:
        await house.ask("Hello", "health")
    assert caught.value.retry_after == told
