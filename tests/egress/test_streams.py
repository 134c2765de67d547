"""Frames between gateway and egress process."""

import random

from gateway.egress.messages import Kind, head
from gateway.egress.streams import Watched


async def test_frames_come_out_as_they_went_in_however_their_bytes_are_cut() -> None:
    """Several at once, one in many pieces, and whatever a reader leaves for later."""
    chance = random.Random(1)
    frames = [(int(Kind.PART), chance.randbytes(size)) for size in (0, 1, 300, 4, 70_000, 5, 0, 900, 12)]
    sent = b"".join(head(Kind(kind), len(body)) + body for kind, body in frames)
    for _ in range(50):
        reader = Watched()
        found: list[tuple[int, bytes]] = []
        at = 0
        while at < len(sent):
            end = at + chance.choice((1, 5, 17, 300, 5_000, 100_000))
            reader.data_received(sent[at:end])
            at = end
            while chance.random() < 0.7 and (frame := reader.taken()) is not None:
                found.append(frame)
        while (frame := reader.taken()) is not None:
            found.append(frame)
        assert found == frames
