"""The choice between several servers: conversations stay where their beginning is, and nobody waits for no reason."""

import math
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.http.servers.choice import Standing, in_order

STANDINGS = st.lists(
    st.builds(
        Standing,
        name=st.text("abcdefgh:8", min_size=1, max_size=6),
        weight=st.floats(0.05, 100),
        slots=st.integers(1, 300),
        load=st.integers(0, 500),
        waiting=st.integers(0, 50),
        seconds=st.none() | st.floats(0, 600),
        available=st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.name,
)
BEGINNINGS = st.binary(min_size=1, max_size=16)


def idle(*names: str, **given: float) -> list[Standing]:
    """Servers with nothing to do."""
    return [Standing(name=name, **given) for name in names]


def loaded(servers: list[Standing], name: str, **given: object) -> list[Standing]:
    """The same servers, of which one is doing otherwise."""
    return [msgspec.structs.replace(one, **given) if one.name == name else one for one in servers]


@given(STANDINGS, st.none() | BEGINNINGS)
def test_each_server_has_one_place_and_those_that_are_there_come_first(servers: list[Standing], beginning) -> None:
    """Whatever is known of them, all are tried before a request fails, and the ones that are down last."""
    order = in_order(servers, beginning)
    assert sorted(order) == sorted(server.name for server in servers)
    there = [next(one for one in servers if one.name == name).available for name in order]
    assert there == sorted(there, reverse=True)


@given(STANDINGS, BEGINNINGS, st.randoms(use_true_random=False))
def test_the_order_of_the_configuration_does_not_matter(servers: list[Standing], beginning: bytes, chance) -> None:
    """Two gateways whose files list the same servers in another order send a conversation to the same one."""
    mixed = list(servers)
    chance.shuffle(mixed)
    assert in_order(servers, beginning)[0] == in_order(mixed, beginning)[0]


@given(STANDINGS, BEGINNINGS)
def test_a_server_that_leaves_takes_only_its_own_conversations_along(servers: list[Standing], beginning: bytes) -> None:
    """A conversation whose home is still there stays there, whoever else comes or goes."""
    quiet = [msgspec.structs.replace(one, load=0, waiting=0, available=True) for one in servers]
    home = in_order(quiet, beginning)[0]
    for gone in quiet:
        if gone.name != home:
            assert in_order([one for one in quiet if one is not gone], beginning)[0] == home
            assert in_order(loaded(quiet, gone.name, available=False), beginning)[0] == home


@given(STANDINGS, BEGINNINGS)
def test_a_home_with_a_free_place_keeps_its_conversation(servers: list[Standing], beginning: bytes) -> None:
    """However much quicker another one is: it would have to read the whole conversation first."""
    there = [msgspec.structs.replace(one, available=True) for one in servers]
    quiet = [msgspec.structs.replace(one, load=0, waiting=0) for one in there]
    home = in_order(quiet, beginning)[0]
    free = loaded(there, home, load=0, waiting=0)
    assert in_order(free, beginning)[0] == home


@given(st.lists(BEGINNINGS, min_size=1, max_size=150), st.integers(2, 6), st.integers(1, 8))
def test_no_server_gets_much_more_than_its_share(beginnings: list[bytes], count: int, slots: int) -> None:
    """Beyond its places a server has at most a quarter more than its share, even if all conversations are its own."""
    servers = idle(*(f"gpu-{number}" for number in range(count)), slots=slots)
    for number, beginning in enumerate(beginnings, 1):
        first = in_order(servers, beginning)[0]
        servers = loaded(servers, first, load=next(one.load for one in servers if one.name == first) + 1)
        assert max(one.load for one in servers) <= max(slots, math.ceil(1.25 * number / count))


def test_an_overloaded_home_spills_over_to_the_shortest_wait() -> None:
    """Where a conversation can't stay, it goes where least is to do; and comes home when that is over."""
    servers = idle("a", "b", "c", slots=4)
    home = in_order(servers, b"one")[0]
    busy, free = [name for name in ("a", "b", "c") if name != home]
    crowd = loaded(loaded(loaded(servers, home, load=12), busy, load=3), free, load=1)
    assert in_order(crowd, b"one") == (free, busy, home)
    assert in_order(loaded(crowd, home, load=3), b"one")[0] == home


def test_a_home_whose_own_queue_is_not_empty_has_no_free_place() -> None:
    """A server may be full below the slots that were configured: where it says that requests wait, that counts."""
    servers = idle("a", "b", slots=16)
    home = in_order(servers, b"one")[0]
    assert in_order(loaded(servers, home, load=10, waiting=4), b"one")[0] != home
    assert in_order(loaded(servers, home, load=10), b"one")[0] == home


def test_weights_share_out_conversations() -> None:
    """A server of weight 3 is home to three times as many conversations as one of weight 1."""
    servers = [Standing(name="big", weight=3), Standing(name="small", weight=1)]
    homes = Counter(in_order(servers, number.to_bytes(4, "big"))[0] for number in range(4000))
    assert 2800 < homes["big"] < 3200


def test_what_continues_nothing_goes_to_the_shortest_expected_wait() -> None:
    """It has no home: what counts is how much each server has to do, how fast it is and how much it does at once."""
    table = [
        ({"load": 5}, {"load": 2}, "b"),
        ({"load": 5, "slots": 32}, {"load": 3, "slots": 4}, "a"),
        ({"load": 3, "seconds": 2.0}, {"load": 3, "seconds": 8.0}, "a"),
        ({"load": 6, "seconds": 2.0}, {"load": 1, "seconds": 4.0}, "b"),
        ({"load": 0, "available": False}, {"load": 90}, "b"),
    ]
    for a, b, first in table:
        assert in_order([Standing(name="a", **a), Standing(name="b", **b)])[0] == first


def test_one_slow_answer_does_not_close_a_server() -> None:
    """However slow a server's first request was, it gets work again long before the other one is full."""
    servers = [Standing(name="quick", seconds=0.05), Standing(name="once-slow", seconds=90.0)]
    got = Counter[str]()
    for _ in range(16):
        first = in_order(servers)[0]
        got[first] += 1
        servers = loaded(servers, first, load=got[first])
    assert got["once-slow"] >= 2
