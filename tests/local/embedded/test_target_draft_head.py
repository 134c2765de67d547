"""Models whose file brings a draft head: it is used by itself, or it is said why not."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.core.delta import Text
from gateway.core.errors import TargetUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.engine.messages import Ready
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from gateway.wire import openai
from tests.engine.architectures.writers import write_glm4moe, write_llama, write_qwen35

pytestmark = [pytest.mark.model, pytest.mark.asyncio]
ASKED = b'{"model":"m","prompt":"What is the tallest hill","max_tokens":40,"temperature":0}'


async def answered(path: Path, **changes: Any) -> tuple[Ready, str]:
    """What the worker says of the model, and an answer."""
    info = TargetInfo(name="home", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="m", context=256)
    settings = {"context": 256, "slots": 2, "threads": 1, "batch": 64, "repack": False, "kv_type_k": "f32", **changes}
    target = EmbeddedTarget(info, EmbeddedSettings(model=str(path), **settings))
    await target.start()
    try:
        deadline = asyncio.get_running_loop().time() + 60
        stream = target.generate(openai.parse_completion(ASKED), deadline=deadline, isolation="")
        text = "".join([delta.text async for delta in stream if isinstance(delta, Text)])
        assert target.ready is not None
        return target.ready, text
    finally:
        await target.close()


async def problem(path: Path, **changes: Any) -> str:
    """Why the model can't be loaded."""
    info = TargetInfo(name="home", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="m", context=256)
    target = EmbeddedTarget(info, EmbeddedSettings(model=str(path), context=256, slots=1, repack=False, **changes))
    try:
        with pytest.raises(TargetUnavailable):
            await target.load(asyncio.get_running_loop().time() + 60)
        return target.problem
    finally:
        await target.close()


@pytest.mark.parametrize("write", [write_qwen35, write_glm4moe])
async def test_a_head_is_used_by_itself_and_changes_no_answer(write: Any, tmp_path: Path) -> None:
    """What administrators are told, and the same text with it, whatever it costs, and without it."""
    path = write(tmp_path / "m.gguf", head=True)
    ready, text = await answered(path, draft_always=True, draft_lookup=False)
    assert (ready.draft_head, ready.drafts) == ("used", True)
    off, expected = await answered(path, draft_head=False, draft_lookup=False)
    assert ("draft: {head: off}" in off.draft_head, off.drafts) == (True, False)
    assert text == expected


async def test_a_head_that_does_not_fit_and_a_head_without_a_model_are_refused(tmp_path: Path) -> None:
    """Both end in a message that says what to do, not in a crash."""
    file, alone = write_qwen35(tmp_path / "m.gguf"), write_glm4moe(tmp_path / "h.gguf", alone=True)
    assert "Take the head of this model" in await problem(file, draft_model=str(alone))
    assert "name the model's own file" in await problem(alone)


async def test_a_file_without_a_head_says_nothing_of_one(tmp_path: Path) -> None:
    """Draft tokens come from the text itself then."""
    ready, _ = await answered(write_llama(tmp_path / "m.gguf"))
    assert (ready.draft_head, ready.drafts) == ("", True)
