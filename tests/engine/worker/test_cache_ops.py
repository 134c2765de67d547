"""Operations on cached sequences, where a memory can't do one of them: what stands on it is lost too, and only it."""

from array import array

import numpy as np
import pytest

from gateway.engine.llama.faults import EngineFault
from gateway.engine.prompt_store.saved import SavedState
from gateway.engine.prompt_store.store import PromptCacheStore
from gateway.engine.scheduler.step import CacheOp, Copy, Keep, Restore, Save, Swap, Trim
from gateway.engine.worker.cache_ops import CacheOperator


class Memory:
    """What each slot holds. A state that is empty can't be put back."""

    def __init__(self) -> None:
        self.slots = [array("i", [slot] * 9) for slot in range(4)]

    def trim(self, slot: int, position: int) -> bool:
        """Cut a sequence; one that is shorter can't be cut there."""
        if len(self.slots[slot]) < position:
            return False
        del self.slots[slot][position:]
        return True

    def save(self, slot: int) -> np.ndarray:
        """The state of a sequence."""
        return np.frombuffer(self.slots[slot].tobytes(), np.uint8)

    checkpoint = save

    def restore(self, slot: int, state: np.ndarray) -> None:
        """Put a state back."""
        if not len(state):
            del self.slots[slot][:]
            raise EngineFault("the state does not fit")
        self.slots[slot] = array("i", state.tobytes())

    def copy(self, source: int, destination: int) -> None:
        """Copy a sequence."""
        self.slots[destination] = self.slots[source][:]

    def swap(self, one: int, other: int) -> None:
        """Exchange two."""
        self.slots[one], self.slots[other] = self.slots[other], self.slots[one]


FAILS = Restore(7, 1, 6, 6)


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        ([], {1}),
        ([Copy(1, 2, 5, 5)], {1, 2}),
        ([Copy(1, 2, 0, 0), Copy(2, 3, 0, 0)], {1, 2, 3}),
        ([Copy(1, 2, 5, 5), Swap(2, 3)], {1, 2, 3}),
        ([Copy(0, 2, 5, 5), Trim(3, 4, 4)], {1}),
    ],
    ids=["alone", "copied", "copied twice", "copied and swapped", "others"],
)
def test_what_was_made_of_a_lost_sequence_is_lost_too(behind: list[CacheOp], expected: set[int]) -> None:
    """A copy of a sequence that could not be put back holds nothing, so it is to be computed again."""
    store = PromptCacheStore()
    store.put(7, SavedState(np.empty(0, np.uint8), {}))
    operator, lost = CacheOperator(Memory(), store), list[int]()  # type: ignore[arg-type]
    for op in [FAILS, *behind]:
        lost += operator.apply(op, lost)
    assert set(lost) == expected


def test_a_lost_sequence_is_not_kept_as_if_it_were_whole() -> None:
    """Neither a state nor a checkpoint is made of it; who wants them later finds none."""
    memory, store = Memory(), PromptCacheStore()
    operator = CacheOperator(memory, store)  # type: ignore[arg-type]
    assert operator.apply(Save(1, 8), [1]) == operator.apply(Keep(1, 9), [1]) == ()
    assert (store.get(8), store.checkpoint(9)) == (None, None)
    assert operator.apply(Restore(8, 1, 4, 4)) == (1,)
