"""The rate limiter: whom it refuses, what it says, and that nothing is taken twice or lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import RateLimited, TargetBusy
from gateway.core.events import Event, LimitReached
from gateway.core.limits import Limits, Scope
from gateway.core.request import Caller
from gateway.pipeline.rate_limits import LimitTable, Need, RateLimiter

NIGHT = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)  # an hour before the next day
ANA = Caller(key="chat", user="ana")
ONE = Need(prompt=1)


class World:
    """A clock that the test moves, and what observers heard."""

    def __init__(self, table: LimitTable, earlier: dict[tuple[Scope, str], int] | None = None) -> None:
        self.seconds = 0.0
        self.heard: list[tuple[str, str]] = []
        self.limiter = RateLimiter(
            table,
            observer=self,
            now=lambda: NIGHT + timedelta(seconds=self.seconds),
            clock=lambda: self.seconds,
            tokens_today=earlier,
        )
        self.number = 0

    def on(self, event: Event) -> None:
        assert isinstance(event, LimitReached)
        self.heard.append((event.scope.value, event.limit))

    def ask(self, caller: Caller = ANA, *tags: str, need: Need = ONE) -> str:
        """Return the id of a request that was admitted, else raise."""
        self.number += 1
        name = f"r{self.number}"
        refused = self.limiter.admit(name, caller, tags, need)
        if refused is not None:
            raise refused
        return name


@pytest.mark.parametrize(
    ("table", "caller", "scope", "said"),
    [
        (LimitTable(keys={"chat": Limits(requests_per_minute=2)}), ANA, "key", "This API key may take 2 requests"),
        (LimitTable(any_key=Limits(requests_per_minute=2)), ANA, "key", "This API key"),
        (LimitTable(users={"ana": Limits(requests_per_minute=2)}), ANA, "user", "You may take 2 requests a minute"),
        (LimitTable(any_user=Limits(requests_per_minute=2)), ANA, "user", "You"),
        (LimitTable(tags={"slow": Limits(requests_per_minute=2)}), ANA, "tag", "Requests with the tag 'slow'"),
        (LimitTable(), Caller(key="made", limits=Limits(requests_per_minute=2)), "key", "This API key"),
        (LimitTable(), Caller(user="ana", user_limits=Limits(requests_per_minute=2)), "user", "You"),
    ],
    ids=["key", "any key", "user", "any user", "tag", "the key's own", "the user's own"],
)
def test_each_scope_is_limited(table: LimitTable, caller: Caller, scope: str, said: str) -> None:
    """The third request of a minute waits until the first is a minute old, and the refusal says whose limit it is."""
    world = World(table)
    world.ask(caller, "slow")
    world.seconds = 20.0
    world.ask(caller, "slow")
    world.seconds = 50.0
    with pytest.raises(RateLimited, match=f"{said}.* in 10 seconds") as caught:
        world.ask(caller, "slow")
    assert caught.value.retry_after == pytest.approx(10.0)
    assert world.heard == [(scope, "requests_per_minute")]
    world.seconds = 60.0
    world.ask(caller, "slow")
    with pytest.raises(RateLimited):
        world.ask(caller, "slow")


def test_others_are_not_touched() -> None:
    """Each key and each user has a count of its own, also where one entry stands for all."""
    world = World(LimitTable(any_key=Limits(requests_per_minute=1), any_user=Limits(requests_per_minute=1)))
    world.ask(Caller(key="a", user="ana"))
    world.ask(Caller(key="b", user="berta"))
    with pytest.raises(RateLimited):
        world.ask(Caller(key="c", user="ana"))
    world.ask(Caller(key="c"))


def test_an_own_entry_goes_before_the_default_kind_by_kind() -> None:
    """What an entry does not set, the default still limits; a key's own limits go before both, a group's between."""
    table = LimitTable(
        keys={"chat": Limits(requests_per_minute=5)}, any_key=Limits(requests_per_minute=1, tokens_per_minute=3)
    )
    assert table.key(ANA).limits == Limits(requests_per_minute=5, tokens_per_minute=3)
    users = LimitTable(users={"ana": Limits(parallel=1)}, any_user=Limits(parallel=2, usd_month=1.0))
    member = Caller(user="ana", user_limits=Limits(parallel=3, requests_per_minute=7))
    found = users.user(member)
    assert found is not None
    assert found.limits == Limits(parallel=1, requests_per_minute=7, usd_month=1.0)
    own = Caller(key="chat", limits=Limits(tokens_per_minute=9))
    assert table.key(own).limits == Limits(requests_per_minute=5, tokens_per_minute=9)


def test_a_user_is_counted_by_the_name_of_the_ledger_and_limited_by_the_own() -> None:
    """So that what a pseudonym spent is theirs after a restart too; where no name is recorded, their own is counted."""
    users = {"ana": Limits(usd_month=1.0)}
    hidden = LimitTable(users=users, recorded=lambda user: f"user-{len(user or '')}")
    assert [(one.name, one.told, one.limit) for one in hidden.accounts(ANA, (), "big")][2:] == [
        ("user:user-3", "user", 1_000_000),
        ("user_day:user-3", "user_day", None),
    ]
    unnamed = LimitTable(users=users, recorded=lambda _: None)
    assert unnamed.user(ANA) == LimitTable(users=users).user(ANA)


def test_tokens_are_set_aside_and_corrected() -> None:
    """The longest answer counts until the request has ended; then what it used. The wait is the window's."""
    world = World(LimitTable(any_key=Limits(tokens_per_minute=1000)))
    first = world.ask(need=Need(prompt=100, answer=700))
    world.seconds = 15.0
    with pytest.raises(RateLimited, match=r"200 are left, and this request may take up to 300\. It fits in 45 sec"):
        world.ask(need=Need(prompt=100, answer=200))
    world.limiter.end(first, 150)
    world.ask(need=Need(prompt=100, answer=200))
    world.limiter.end(first, 900)  # a second time changes nothing
    world.ask(need=Need(prompt=100, answer=200))


def test_a_request_that_allows_for_a_long_answer_takes_all_of_a_limit_and_not_more() -> None:
    """Clients allow for more than they mean to get: such a request is not refused for ever; a prompt that never fits is
    told so, without a time.
    """
    world = World(LimitTable(any_key=Limits(tokens_per_minute=1000)))
    name = world.ask(need=Need(prompt=10, answer=64_000))
    with pytest.raises(RateLimited):
        world.ask()
    world.limiter.end(name, 30)
    world.ask()
    with pytest.raises(RateLimited, match="the prompt alone has more") as caught:
        world.ask(need=Need(prompt=1001))
    assert caught.value.retry_after is None


def test_tokens_of_the_day_begin_anew_at_midnight_and_know_what_was_before_a_start() -> None:
    """The ledger's tokens of today count; the wait is the time to midnight, however long that is."""
    table = LimitTable(users={"ana": Limits(tokens_per_day=1000)})
    world = World(table, {(Scope.USER, "ana"): 900})
    world.limiter.end(world.ask(need=Need(prompt=90)), 90)
    with pytest.raises(RateLimited, match="10 are left, and this request may take up to 20") as caught:
        world.ask(need=Need(prompt=20))
    assert caught.value.retry_after == pytest.approx(3600)
    world.seconds = 3600.0
    world.ask(need=Need(prompt=20))


def test_running_requests_are_limited_and_the_wait_is_what_they_usually_take() -> None:
    """A place is free as soon as one ends; until then the wait is learnt from those that ended."""
    world = World(LimitTable(any_key=Limits(parallel=1)))
    first = world.ask()
    with pytest.raises(RateLimited, match="may have 1 request running at once"):
        world.ask()
    world.seconds = 8.0
    world.limiter.end(first, 5)
    second = world.ask()
    world.seconds = 11.0
    with pytest.raises(RateLimited) as caught:
        world.ask()
    assert caught.value.retry_after == pytest.approx(5.0)
    world.limiter.end(second, 5)
    world.ask()


def test_of_several_limits_the_longest_wait_is_told() -> None:
    """Who comes back at that time is not turned away by another limit."""
    world = World(LimitTable(any_key=Limits(parallel=1), any_user=Limits(requests_per_minute=1)))
    world.ask()
    with pytest.raises(RateLimited, match="You may take 1 request a minute") as caught:
        world.ask()
    assert caught.value.retry_after == pytest.approx(60)


def test_a_targets_limit_closes_that_target_only() -> None:
    """It is busy until there is room; what a request that moved on had there is free again."""
    world = World(LimitTable(targets={"big": Limits(parallel=1, requests_per_minute=2)}))
    assert world.limiter.full("home", ONE) is None
    assert world.limiter.enter("a", "big", ONE) is None
    assert world.limiter.full("big", ONE) is not None
    busy = world.limiter.enter("b", "big", ONE)
    assert isinstance(busy, TargetBusy)
    assert busy.code == "rate_limit_exceeded"
    assert world.limiter.enter("a", "home", ONE) is None
    assert world.limiter.enter("b", "big", ONE) is None
    world.limiter.end("b", 5)
    full = world.limiter.full("big", ONE)
    assert full is not None
    assert full.retry_after == pytest.approx(60)


def test_what_is_left_is_told() -> None:
    """Of the tightest limit: its size, what is left, and when all of it is free."""
    table = LimitTable(
        any_key=Limits(requests_per_minute=9, tokens_per_minute=100), any_user=Limits(requests_per_minute=2)
    )
    world = World(table)
    assert world.limiter.rooms(Caller(key="other"), ())[0].left == 9  # type: ignore[union-attr]
    world.ask(need=Need(prompt=30))
    world.seconds = 20.0
    requests, tokens = world.limiter.rooms(ANA, ())
    assert requests is not None
    assert tokens is not None
    assert (requests.limit, requests.left, requests.wait) == (2, 1, 40.0)
    assert (tokens.limit, tokens.left, tokens.wait) == (100, 70, 40.0)
    assert World(LimitTable()).limiter.rooms(ANA, ()) == (None, None)


def test_what_is_used_is_shown_for_whoever_is_named_or_has_asked() -> None:
    """The console's table: every limit of the configuration, and those of callers without an entry."""
    world = World(LimitTable(keys={"n8n": Limits(parallel=3)}, any_user=Limits(tokens_per_day=50)), None)
    world.limiter.end(world.ask(need=Need(prompt=7)), 7)
    shown = {(one.scope.value, one.name, one.kind.value): (one.used, one.limit) for one in world.limiter.used()}
    assert shown == {("key", "n8n", "parallel"): (0, 3), ("user", "ana", "tokens_per_day"): (7, 50)}


def test_who_has_not_asked_for_long_takes_no_memory() -> None:
    """Thousands of users who came once are forgotten."""
    world = World(LimitTable(any_user=Limits(requests_per_minute=5)))
    for number in range(5_000):
        world.seconds = float(number)
        world.limiter.end(world.ask(Caller(user=f"u{number}")), 1)
    assert len(world.limiter._meters) <= 1_001


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "enter", "end", "wait"]),
        st.integers(0, 5),
        st.integers(0, 40),
        st.floats(0, 45),
    ),
    max_size=80,
)


@settings(max_examples=150)
@given(steps=STEPS)
def test_no_order_of_events_passes_a_limit_or_loses_a_place(steps: list[tuple[str, int, int, float]]) -> None:
    """However requests come, move between targets, end or are cancelled: no limit is passed while nothing uses more
    than was set aside, and when all have ended, everything is free.
    """
    limits = Limits(requests_per_minute=4, tokens_per_minute=100, tokens_per_day=300, parallel=3)
    world = World(LimitTable(any_key=limits, any_user=limits, targets={"big": limits, "den": limits}))
    open_requests: dict[str, Need] = {}
    for what, number, tokens, seconds in steps:
        name, caller = f"r{number}", Caller(key=f"k{number % 2}", user=f"u{number % 3}")
        need = Need(prompt=tokens // 2, answer=tokens - tokens // 2)
        match what:
            case "admit" if name not in open_requests:
                if world.limiter.admit(name, caller, (), need) is None:
                    open_requests[name] = need
            case "enter" if name in open_requests:
                world.limiter.enter(name, "big" if tokens % 2 else "den", open_requests[name])
            case "end":
                used = open_requests.pop(name, None)
                world.limiter.end(name, 0 if used is None else min(tokens, used.prompt + used.answer))
            case "wait":
                world.seconds += seconds
        for one in world.limiter.used():
            assert 0 <= one.used <= one.limit
    for name in list(open_requests):
        world.limiter.end(name, 0)
    world.seconds += 86_400
    assert all(one.used == 0 for one in world.limiter.used())
    assert (world.limiter._held, world.limiter._asked) == ({}, {})
