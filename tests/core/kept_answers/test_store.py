"""Answers for a retry with the same `Idempotency-Key`: the same, never somebody else's, and never too many of them."""

import pytest

from gateway.core.errors import BadRequest
from gateway.core.kept_answers import IdempotencyStore, Identity, KeptAnswer

ANA, BEN = Identity(("ana",), "k1"), Identity(("ben",), "k1")


def kept(body: bytes = b"hello") -> KeptAnswer:
    """Return an answer."""
    return KeptAnswer(status=200, headers=(), body=body)


async def test_the_same_request_gets_the_same_answer_and_another_one_is_refused() -> None:
    """The same caller, key and request get the answer; another request under the key 422, a running one 409."""
    store = IdempotencyStore()
    assert await store.begin(ANA, b"request") is None
    with pytest.raises(BadRequest) as running:
        await store.begin(ANA, b"request")
    assert (running.value.status, running.value.retry_after) == (409, 1.0)
    store.keep(ANA, kept())
    assert await store.begin(ANA, b"request") == kept()
    for again in (b"another", b""):
        with pytest.raises(BadRequest) as other:
            await store.begin(ANA, again)
        assert (other.value.status, other.value.code) == (422, "idempotency_key_reused")
    assert await store.begin(BEN, b"another") is None  # nobody else's key


async def test_what_failed_runs_again() -> None:
    """A request that failed leaves nothing behind, so that a retry is a new one."""
    store = IdempotencyStore()
    await store.begin(ANA, b"request")
    store.drop(ANA)
    assert await store.begin(ANA, b"request") is None


async def test_memory_is_bounded() -> None:
    """The oldest answers go first when there are too many, too many bytes, or they are too old."""
    now = [0.0]
    store = IdempotencyStore(seconds=10, most_bytes=10, most_answers=3, clock=lambda: now[0])

    async def put(name: str, body: bytes) -> None:
        await store.begin(Identity((name,), "k"), b"r")
        store.keep(Identity((name,), "k"), kept(body))

    async def has(name: str) -> bool:
        found = await store.begin(Identity((name,), "k"), b"r") is not None
        if not found:
            store.drop(Identity((name,), "k"))
        return found

    for name in "abcd":
        await put(name, b"x")
    assert [await has(name) for name in "abcd"] == [False, True, True, True]
    await put("e", b"x" * 9)
    assert [await has(name) for name in "bcde"] == [False, False, True, True]
    now[0] = 10.0
    assert not await has("e")
