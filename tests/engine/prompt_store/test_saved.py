"""A state and its checkpoints in one array."""

import numpy as np
import pytest

from gateway.engine.prompt_store.saved import SavedState, pack, unpack


@pytest.mark.parametrize("lengths", [(), (7,), (7, 300, 5)])
def test_what_was_packed_comes_back(lengths: tuple[int, ...]) -> None:
    """State and checkpoints come back as they were, whatever their sizes."""
    draw = np.random.default_rng(1)
    parts = {length: draw.integers(0, 256, length * 3, np.uint8) for length in lengths}
    saved = SavedState(draw.integers(0, 256, 1001, np.uint8), parts)
    back = unpack(pack(saved))
    assert back.state.tobytes() == saved.state.tobytes()
    assert {length: part.tobytes() for length, part in back.checkpoints.items()} == {
        length: part.tobytes() for length, part in parts.items()
    }
