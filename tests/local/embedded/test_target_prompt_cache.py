"""More conversations than slots and RAM: they come back from disk, with the starter model."""

import os
import signal
from pathlib import Path

import pytest

from gateway.core.errors import TargetError
from tests.standins.embedded import answer_of, completion, embedded, text_of, until, usage_of

pytestmark = [pytest.mark.model, pytest.mark.asyncio]
SUBJECTS = ("a miller", "two sisters", "an old dog")


def story(subject: str) -> str:
    """About 150 tokens that nobody shares."""
    return f"This is a story of {subject}. " + " ".join(f"On day {day} {subject} went out." for day in range(1, 14))


async def test_a_conversation_that_left_ram_costs_only_its_new_tokens(tmp_path: Path) -> None:
    """A conversation that left RAM reads only what is new in its next turn, and is answered as a fresh prompt is."""
    spill = tmp_path / "spill"
    target = embedded(slots=1, spill_memory=0, spill_disk=256, spill_directory=str(spill))
    await target.start()
    prompts = {}
    for subject in SUBJECTS:
        first = await answer_of(target, completion(story(subject), max_tokens=4))
        prompts[subject] = f"{story(subject)}{text_of(first)} And then"
    await until(lambda: len(list(spill.iterdir())) == 2)
    for subject in SUBJECTS:
        again = usage_of(await answer_of(target, completion(prompts[subject], max_tokens=4)))
        assert again.input_cached > 100
        assert again.input <= 8
    fresh = await answer_of(target, completion(prompts[SUBJECTS[0]], max_tokens=4), isolation="another key")
    assert usage_of(fresh).input_cached == 0
    await target.close()
    assert list(spill.iterdir()) == []


async def test_a_killed_worker_leaves_nothing_that_is_used(tmp_path: Path) -> None:
    """The successor of a killed worker erases its files and computes anew."""
    target = embedded(slots=1, spill_memory=0, spill_disk=256, spill_directory=str(tmp_path))
    await target.start()
    for subject in SUBJECTS:
        await answer_of(target, completion(story(subject), max_tokens=2))
    await until(lambda: len(list(tmp_path.iterdir())) == 2)
    stream = target.generate(completion("Once", max_tokens=300, ignore_eos=True), deadline=float("inf"), isolation="a")
    await anext(stream)
    assert target._worker.pid is not None
    os.kill(target._worker.pid, signal.SIGKILL)
    with pytest.raises(TargetError):
        _ = [delta async for delta in stream]
    again = await answer_of(target, completion(story(SUBJECTS[0]), max_tokens=2))
    assert usage_of(again).input_cached == 0
    assert list(tmp_path.iterdir()) == []
    await target.close()
