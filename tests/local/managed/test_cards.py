"""The memory of cards is waited for: drivers give it back a moment after a process has ended."""

from collections.abc import Callable

import pytest

from gateway.local.managed import cards
from gateway.local.managed.cards import CardMemory

pytestmark = pytest.mark.asyncio


def measuring(*free: int | None) -> Callable[[], int | None]:
    """Each look sees the next number; the last one for ever."""
    left = list(free)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("free", "back"),
    [
        ((10_000, 4_000, 4_000, 6_000, 9_900), True),  # it comes back bit by bit
        ((10_000, 4_000, 9_500), True),  # somebody else took a little
        ((10_000, 4_000, 5_000), False),  # somebody else took it
        ((10_000, 10_000, 2_000), True),  # it never took anything
        ((None, None), False),  # nobody can say
        ((10_000, 4_000, None), False),
    ],
)
async def test_memory_is_back_when_what_was_taken_is_free(
    monkeypatch: pytest.MonkeyPatch, free: tuple[int | None, ...], back: bool
) -> None:
    """Measured before the start, when it was ready, and after the end."""
    monkeypatch.setattr(cards, "_LONGEST", 0.2)
    monkeypatch.setattr(cards, "_LOOK", 0.001)
    memory = CardMemory(measuring(*free))
    await memory.starts()
    await memory.ready()
    assert await memory.given_back() is back
