"""Where checkpoints are taken, and which of them are kept: driven without a model."""

from array import array

import pytest

from gateway.engine.scheduler.checkpoints import CheckpointIndex, marks, thinned
from gateway.engine.scheduler.slots import Slot
from gateway.engine.scheduler.step import Forget, Keep
from gateway.engine.sequence_memory import ATTENTION, Extent, SequenceMemory

STATE = SequenceMemory(kind="recurrent", window=0, slack=0)
FULL_WINDOW = SequenceMemory(kind="sliding_window", window=8)
WINDOW = SequenceMemory(kind="sliding_window", window=8, slack=10)
END = 9


def prompt(length: int, *ends: int) -> "array[int]":
    """A prompt whose messages end before these lengths."""
    tokens = array("i", [1] * length)
    for end in ends:
        tokens[end - 1] = END
    return tokens


@pytest.mark.parametrize(
    ("tokens", "start", "memory", "expected"),
    [
        (prompt(100), 0, STATE, [96]),
        (prompt(3), 0, STATE, []),
        (prompt(100, 30, 60, 80), 0, STATE, [30, 60, 80, 96]),  # the first message, the last two, the end
        (prompt(100, 30, 60, 93), 0, STATE, [30, 60, 96]),  # the last message ends where the prompt does
        (prompt(100, 30, 60, 80), 50, STATE, [60, 80, 96]),
        (prompt(100, 30, 60, 80), 54, STATE, [54, 80, 96]),  # as good as 60, and needs no step of its own
        (prompt(100, 30, 60, 80), 97, STATE, []),
        (prompt(1000), 0, STATE, [300, 600, 996]),
        (prompt(1000, 10, 500, 510, 900, 950), 0, STATE, [10, 500, 900, 950, 996]),
        (prompt(1000, 10, 500, 900), 0, FULL_WINDOW, [10, 996]),
    ],
)
def test_where_a_prompt_is_interrupted(
    tokens: "array[int]", start: int, memory: SequenceMemory, expected: list[int]
) -> None:
    """Texts part at the ends of messages and of prompts; in long messages there is one now and then."""
    assert marks(tokens, start, {END}, 300, memory) == expected


@pytest.mark.parametrize(
    ("lengths", "most", "expected"),
    [
        ([5, 10, 200, 210, 220], 5, [5, 10, 200, 210, 220]),
        ([5, 10, 200, 210, 220], 4, [5, 200, 210, 220]),
        ([5, 100, 105, 200, 210, 220], 5, [5, 105, 200, 210, 220]),
        ([5, 100, 200], 2, [5, 200]),
        ([5, 200], 1, [200]),
        ([200], 0, []),
    ],
)
def test_which_go_first(lengths: list[int], most: int, expected: list[int]) -> None:
    """Those close to others go first; the first one and the last ones stay."""
    assert thinned(lengths, most) == expected


def test_room_is_shared() -> None:
    """Where there is no room for more, the slot that was idle for longest gives one of its own."""
    slots = [Slot(used=2), Slot(used=1), Slot(request=7)]
    index = CheckpointIndex(3)
    for number, length in ((0, 10), (1, 10), (1, 20)):
        assert index.take(number, length, slots) == [Keep(number, len(index))]
    assert index.take(2, 30, slots) == [Keep(2, 4), Forget(2)]
    assert [list(slot.checkpoints) for slot in slots] == [[10], [20], [30]]
    assert index.take(2, 30, slots) == []


def test_copies_share_their_checkpoints() -> None:
    """A checkpoint that two slots hold is forgotten with the second one."""
    slots = [Slot(), Slot()]
    index = CheckpointIndex(9)
    for length in (10, 20, 30):
        index.take(0, length, slots)
    assert index.share(slots[0], slots[1], 20) == []
    assert index.cut(slots[0], 0) == [Forget(3)]
    assert slots[1].checkpoints == {10: 1, 20: 2}
    assert index.cut(slots[1], 10) == [Forget(2)]
    assert len(index) == 1


@pytest.mark.parametrize(
    ("memory", "to", "extent", "cuts"),
    [
        (ATTENTION, 5, (90, 90, 90), True),
        (STATE, 5, (90, 0, 90), False),
        (STATE, 90, (90, 0, 90), True),
        (STATE, 0, (90, 0, 90), True),
        (FULL_WINDOW, 5, (90, 0, 90), True),
        (FULL_WINDOW, 5, (90, 8, 90), True),
        (FULL_WINDOW, 5, (90, 9, 90), False),
        (FULL_WINDOW, 9, (90, 9, 90), True),
        (WINDOW, 5, (90, 0, 90), False),
        (WINDOW, 79, (90, 0, 90), False),
        (WINDOW, 80, (90, 0, 90), True),
        (WINDOW, 80, (90, 0, 95), False),  # it was longer once, and forgot what it passed
        (WINDOW, 80, (90, 85, 90), False),
        (WINDOW, 5, (8, 8, 8), True),
    ],
)
def test_what_can_be_cut_back(memory: SequenceMemory, to: int, extent: tuple[int, int, int], cuts: bool) -> None:
    """Attention over everything can be cut anywhere, a running state nowhere, a window as long as it holds all."""
    length, moved, written = extent
    assert memory.cuts(to, Extent(length=length, moved=moved, written=written)) is cuts
