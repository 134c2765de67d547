"""Budgets as limits: what they leave out of a decision, and what the sender of a request is told."""

from datetime import UTC, datetime

import pytest

from gateway.core.errors import BudgetSpent
from gateway.core.labels import Label
from gateway.core.snapshot import Budget, Snapshot
from gateway.core.target import TargetState
from gateway.policy import Decision, Why, decide, evidence_from_facts, explain, facts_json, refusal_error
from tests.policy.house import evidence_for, inbound, policy_of

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
FIRST = datetime(2026, 12, 1, tzinfo=UTC)
CLOUD_FIRST = policy_of("labels: {default: public}\notherwise: {prefer: [big, home]}")
CLOUD_ONLY = policy_of("labels: {default: public}\notherwise: {prefer: [big]}")


def world(price: float | None = 0.02, **budgets: Budget) -> Snapshot:
    """A moment with these budgets; `key` is the one of the key `laptop`."""
    named = {"key:laptop" if name == "key" else name: budget for name, budget in budgets.items()}
    prices = {"home": 0.0} if price is None else {"home": 0.0, "big": price}
    return Snapshot(now=NOW, budgets=named, prices=prices)


def day(spent: float, limit: float | None = 1.0, *, unpriced: bool = False) -> Budget:
    """Today's budget."""
    return Budget(spent=spent, limit=limit, resets=MIDNIGHT, unpriced=unpriced)


def month(spent: float, limit: float = 9.0) -> Budget:
    """This month's budget."""
    return Budget(spent=spent, limit=limit, resets=FIRST)


def decision(snapshot: Snapshot, *, only_cloud: bool = False, key: str = "laptop") -> Decision:
    """Decide about a public request."""
    return decide(evidence_for(inbound(key=key), snapshot=snapshot), CLOUD_ONLY if only_cloud else CLOUD_FIRST)


@pytest.mark.parametrize(
    ("snapshot", "first", "budget"),
    [
        (world(), "big", None),
        (world(day=day(5.0, None)), "big", None),
        (world(day=day(0.97)), "big", None),
        (world(day=day(0.98)), "big", None),
        (world(day=day(0.9801)), "home", "day"),
        (world(day=day(1.5)), "home", "day"),
        (world(day=day(0.1), month=month(9.0)), "home", "month"),
        (world(day=day(1.0), month=month(9.0)), "home", "month"),
        (world(key=month(8.99)), "home", "key:laptop"),
        (world(0.0, day=day(1.0)), "big", None),
        (world(None, day=day(0.0)), "home", "day"),
        (world(None, day=day(0.0, None)), "big", None),
        (world(None, key=month(0.0)), "home", "key:laptop"),
        (world(None, day=day(0.999, unpriced=True)), "big", None),
        (world(None, day=day(1.0, unpriced=True)), "home", "day"),
    ],
    ids=str,
)
def test_what_a_budget_does_not_allow_for_is_left_out(snapshot: Snapshot, first: str, budget: str | None) -> None:
    """A target whose estimate is above what is left is left out, and an unpriced one wherever a budget has a limit;
    where the owner permits unknown prices, it may go while anything is left.
    """
    made = decision(snapshot)
    assert made.candidates[0].target == first
    assert made.budget == budget
    assert {item.target: item.reason for item in made.removed} == ({"big": Why.BUDGET} if budget else {})


@pytest.mark.parametrize(
    ("name", "closed", "said"),
    [
        ("user", True, "your budget for clouds of this month"),
        ("user_day", True, "your budget for clouds of today"),
        ("key_day:laptop", True, "this API key's budget for clouds of today"),
        ("key_day:phone", False, ""),
        ("tag:slow", True, "the budget for clouds of the tag 'slow' of this month"),
        ("tag:other", False, ""),
        ("target:big", True, "the budget of 'big' of this month"),
        ("target:home", False, ""),
    ],
)
def test_limits_of_users_tags_and_targets_close_clouds_too(name: str, closed: bool, said: str) -> None:
    """Each counts for the requests that it is about, and is named; home still answers."""
    snapshot = world(**{name: day(0.99)})
    evidence = evidence_for(inbound(tags=("slow",), key="laptop"), snapshot=snapshot)
    policy = "labels: {default: public, tags: {slow: public}}\notherwise: {prefer: [%s]}"
    made = decide(evidence, policy_of(policy % "big, home"))
    assert made.candidates[0].target == ("home" if closed else "big")
    assert made.budget == (name if closed else None)
    refused = decide(evidence, policy_of(policy % "big"))
    assert (refused.refusal is not None) is closed
    if refused.refusal is not None:
        assert said in refused.refusal.message
        assert refused.refusal.retry_after == 6 * 3600


def test_another_keys_budget_does_not_count() -> None:
    """A request draws on the budget of its own key only."""
    assert decision(world(key=month(9.0)), key="phone").candidates[0].target == "big"


def test_a_budget_that_changed_nothing_is_not_named() -> None:
    """A decision names no budget where home would have been asked first anyway."""
    home_first = policy_of("labels: {default: public}\notherwise: {prefer: [home, big]}")
    made = decide(evidence_for(inbound(key="laptop"), snapshot=world(day=day(1.0))), home_first)
    assert [candidate.target for candidate in made.candidates] == ["home"]
    assert made.budget is None


@pytest.mark.parametrize(
    ("snapshot", "message", "wait"),
    [
        (
            world(day=day(0.99)),
            "$0.0100 of $1.00 are left of today's budget for clouds, and this request could cost up to $0.0200. "
            "It begins anew on 2026-11-24 at 00:00 UTC. A lower max_tokens costs less.",
            6 * 3600,
        ),
        (
            world(day=day(1.0), key=month(9.0)),
            "$0.00 of $9.00 are left of this API key's budget for clouds of this month, and this request could cost up "
            "to $0.0200. It begins anew on 2026-12-01 at 00:00 UTC.",
            (7 * 24 + 6) * 3600,
        ),
        (
            world(None, month=month(9.5)),
            "$0.00 of $9.00 are left of this month's budget for clouds. It begins anew on 2026-12-01 at 00:00 UTC.",
            (7 * 24 + 6) * 3600,
        ),
    ],
)
def test_the_refusal_names_the_budget_and_when_it_begins_anew(snapshot: Snapshot, message: str, wait: float) -> None:
    """A request without money gets 429 with the time to wait, for the budget that is renewed last."""
    error = refusal_error(decision(snapshot, only_cloud=True))
    assert isinstance(error, BudgetSpent)
    assert (error.status, error.code, error.message, error.retry_after) == (429, "budget_spent", message, wait)


def test_the_refusal_of_an_unknown_price_says_what_helps() -> None:
    """No waiting helps, so none is named; the owner finds the two settings in the sentence."""
    error = refusal_error(decision(world(None, day=day(0.0)), only_cloud=True))
    assert isinstance(error, BudgetSpent)
    assert error.retry_after is None
    assert "What this request would cost is not known" in error.message
    assert "prices.overrides" in error.message
    assert "budgets.unpriced" in error.message


def test_what_may_pass_sooner_is_said_first() -> None:
    """Where home is only down for a moment, the client is told to try again, not to wait for tomorrow's money."""
    snapshot = Snapshot(
        now=NOW, budgets={"day": day(1.0)}, prices={"big": 0.02}, targets={"home": TargetState(open_until=1.0)}
    )
    refusal = decision(snapshot).refusal
    assert refusal is not None
    assert refusal.status == 503


def test_it_is_explained_and_recorded() -> None:
    """`explain` gives the reason; a recorded decision comes out the same again."""
    evidence = evidence_for(inbound(key="laptop"), snapshot=world(day=day(1.0)))
    lines = {line.name: line.reason for line in explain(evidence, CLOUD_FIRST).targets}
    assert lines["big"] == "it costs money, and a budget does not allow for it"
    again = decide(evidence_from_facts(facts_json(evidence)), CLOUD_FIRST)
    assert (again.budget, again.label) == ("day", Label.PUBLIC)
