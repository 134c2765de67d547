"""Filling in: what stands between a beginning and an end is asked for in the model's own tokens."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.core.delta import Finish, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import BadRequest, ContextLengthExceeded
from gateway.core.labels import Label, Zone
from gateway.core.request import CompletionRequest, Dialect, ResponseFormat, Sampling, Snippet
from gateway.core.target import TargetInfo
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from gateway.local.embedded.text.prompts import Prompts
from tests.engine.tiny import write_generator
from tests.standins.machine import repack_works

BOS, FIRST_BYTE, ADDED = 1, 3, 259  # ids of the written model
QWEN = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
PRE, SUF, MID, REPO, SEP = range(ADDED, ADDED + 5)


def fill(before: str | tuple[int, ...] = "ab", behind: str = "yz", **fields: Any) -> CompletionRequest:
    """A text with a hole."""
    return CompletionRequest(
        dialect=Dialect.OPENAI,
        model="m",
        document=freeze_object({}),
        prompts=(before,),
        suffix=behind,
        sampling=Sampling(max_tokens=4, temperature=0.0, **fields.pop("sampling", {})),
        **fields,
    )


def ids(text: str) -> tuple[int, ...]:
    """A token for each byte."""
    return tuple(FIRST_BYTE + byte for byte in text.encode())


async def prompt_of(path: Path, added: tuple[str, ...], request: CompletionRequest) -> tuple[int, ...]:
    """What a model with these added tokens is given."""
    prompts = Prompts(write_generator(path / "tiny.gguf", added=added), 256, "coder")
    await prompts.open(256)
    try:
        return (await prompts.prepare(request)).prompts[0]
    finally:
        prompts.close()


CASES = {
    "beginning, end, then the middle": (QWEN, fill(), (BOS, PRE, *ids("ab"), SUF, *ids("yz"), MID)),
    "at the start of a file": (QWEN, fill(""), (BOS, PRE, SUF, *ids("yz"), MID)),
    "a beginning in tokens": (QWEN, fill((5, 6)), (BOS, PRE, 5, 6, SUF, *ids("yz"), MID)),
    "no token for the middle: the end comes first": (QWEN[:2], fill(), (BOS, SUF, *ids("yz"), PRE, *ids("ab"))),
    "the tokens' names in a text are text": (
        QWEN,
        fill("<|fim_suffix|>"),
        (BOS, PRE, *ids("<|fim_suffix|>"), SUF, *ids("yz"), MID),
    ),
    "an empty end is no end": (QWEN, fill(behind=""), (BOS, *ids("ab"))),
    "an empty end where a hole is asked for": (QWEN, fill(behind="", insert=True), (BOS, PRE, *ids("ab"), SUF, MID)),
    "other files come before": (
        (*QWEN, "<|repo_name|>", "<|file_sep|>"),
        fill(snippets=(Snippet(name="x.py", text="cd"),)),
        (BOS, REPO, *ids("project\n"), SEP, *ids("x.py\ncd"), SEP, *ids("file\n"),
         PRE, *ids("ab"), SUF, *ids("yz"), MID),
    ),
    "other files in a model without tokens for them": (
        QWEN,
        fill(snippets=(Snippet(name="x.py", text="cd"),)),
        (BOS, *ids("\n\n---\u2581snippet\u2581---\n\ncd"), PRE, *ids("ab"), SUF, *ids("yz"), MID),
    ),
    "a form holds here too": (QWEN, fill(response_format=ResponseFormat(kind="json_object")),
                              (BOS, PRE, *ids("ab"), SUF, *ids("yz"), MID)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_what_the_model_is_given(case: str, tmp_path: Path) -> None:
    """Beginning and end in the order and between the tokens that the model was trained with."""
    added, request, expected = CASES[case]
    assert await prompt_of(tmp_path, added, request) == expected


BAD: dict[str, tuple[tuple[str, ...], CompletionRequest, str]] = {
    "a model that can't": ((), fill(), "'coder' can't insert text"),
    "a model that knows beginnings only": (QWEN[:1], fill(), "'coder' can't insert text"),
    "tokens that there are not": (QWEN, fill((999_999,)), "Token ids must be between 0 and 261"),
    "scores of a prompt that is none": (QWEN, fill(echo=True, sampling={"logprobs": True}), "'echo'"),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_refused(case: str, tmp_path: Path) -> None:
    """Refused with a reason that says what to do, and never answered as if there were no end."""
    added, request, message = BAD[case]
    with pytest.raises(BadRequest, match=message):
        await prompt_of(tmp_path, added, request)


async def test_a_huge_end_is_refused_before_it_is_tokenised(tmp_path: Path) -> None:
    """The end counts like the beginning."""
    with pytest.raises(ContextLengthExceeded):
        await prompt_of(tmp_path, QWEN, fill(behind="x" * 100_000))


async def test_other_files_give_way_to_the_text_itself(tmp_path: Path) -> None:
    """Of what has no room beside the hole and its answer, the end stays; a flood of it is refused unread."""
    request = fill(snippets=(Snippet(name="old", text="o" * 500), Snippet(name="new", text="n" * 100)))
    prompt = await prompt_of(tmp_path, QWEN, request)
    assert len(prompt) + 4 <= 256
    assert prompt[1:101] != ids("n" * 100)
    assert prompt[-107:] == (*ids("n" * 100), PRE, *ids("ab"), SUF, *ids("yz"), MID)
    with pytest.raises(ContextLengthExceeded):
        await prompt_of(tmp_path, QWEN, fill(snippets=(Snippet(name="x", text="x" * 1_000_000),)))


@pytest.mark.model
async def test_an_answer(tmp_path: Path) -> None:
    """A whole target fills in: the prompt is counted with its frame, and the answer ends."""
    info = TargetInfo(name="t", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="coder", context=256)
    path = write_generator(tmp_path / "tiny.gguf", added=QWEN)
    settings = EmbeddedSettings(model=str(path), context=256, slots=1, threads=1, batch=64, repack=repack_works())
    target = EmbeddedTarget(info, settings)
    await target.start()
    try:
        deadline = asyncio.get_running_loop().time() + 60
        deltas = [delta async for delta in target.generate(fill(), deadline=deadline, isolation="")]
    finally:
        await target.close()
    assert any(isinstance(delta, Finish) for delta in deltas)
    assert isinstance(deltas[-1], UsageReport)
    assert deltas[-1].usage.input == len((BOS, PRE, *ids("ab"), SUF, *ids("yz"), MID))
