"""Log-probabilities of prompts (`echo` with `logprobs`), as evaluation tools ask for them; the starter model."""

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.core.delta import Delta, Finish, FinishReason, Text, TokenLogprob
from gateway.local.embedded.target import EmbeddedTarget
from tests.standins.embedded import answer_of, completion, embedded, text_of, usage_of

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]
FACT = "The capital of France is Paris, and the capital of Spain is Madrid."
LONG = " ".join(f"Day {day} was much like the day before it." for day in range(20))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target() -> AsyncIterator[EmbeddedTarget]:
    """A running target."""
    target = embedded()
    await target.start()
    yield target
    await target.close()


def logs_of(deltas: list[Delta], index: int = 0) -> list[TokenLogprob]:
    """Of one choice."""
    texts = [delta for delta in deltas if isinstance(delta, Text) and delta.index == index]
    return [log for text in texts for log in text.logprobs]


async def test_a_prompt_and_nothing_else(target: EmbeddedTarget) -> None:
    """With `max_tokens: 0` nothing is generated, and each token of the prompt but the first has a log-probability."""
    deltas = await answer_of(target, completion(FACT, echo=True, logprobs=True, top_logprobs=2, max_tokens=0))
    logs = logs_of(deltas)
    assert text_of(deltas) == FACT == "".join(log.token for log in logs)
    assert math.isnan(logs[0].logprob)
    assert all(log.logprob < 0 and len(log.top) == 2 for log in logs[1:])
    assert [delta.reason for delta in deltas if isinstance(delta, Finish)] == [FinishReason.LENGTH]
    usage = usage_of(deltas)
    assert (usage.prompt_tokens, usage.completion_tokens) == (len(logs), 0)


async def test_what_was_generated_has_the_same_log_probability_as_a_prompt(target: EmbeddedTarget) -> None:
    """Generated and read tokens have equal log-probabilities, up to rounding, also where the prompt is in the cache."""
    asked = completion("The capital of France is", logprobs=True, top_logprobs=1, max_tokens=6)
    generated = await answer_of(target, asked)
    said = "The capital of France is" + text_of(generated)
    scored = await answer_of(target, completion(said, echo=True, logprobs=True, top_logprobs=1, max_tokens=0))
    assert usage_of(scored).input_cached == 0
    told = [log.logprob for log in logs_of(scored)][-6:]
    assert told == pytest.approx([log.logprob for log in logs_of(generated)], abs=0.2)


async def test_long_prompts_and_several_at_once(target: EmbeddedTarget) -> None:
    """Long prompts are scored in parts beside an answer that runs, and the sum does not depend on the parts."""
    running = asyncio.ensure_future(answer_of(target, completion("Once", max_tokens=60, ignore_eos=True)))
    asked = completion(LONG, FACT, echo=True, logprobs=True, max_tokens=2, n=2)
    deltas = await answer_of(target, asked)
    alone = logs_of(await answer_of(target, completion(LONG, echo=True, logprobs=True, max_tokens=0)))
    assert len(alone) > 128, "more than one step"
    for index in (0, 1):
        logs = logs_of(deltas, index)
        assert text_of(deltas, index).startswith(LONG)
        assert len(logs) == len(alone) + 2
        total = sum(log.logprob for log in logs[1 : len(alone)])
        assert total == pytest.approx(sum(log.logprob for log in alone[1:]), rel=0.02)
    assert text_of(deltas, 3).startswith(FACT)
    await running


async def test_a_prompt_of_one_token(target: EmbeddedTarget) -> None:
    """A prompt of one token has no log-probability at all."""
    (log, *rest) = logs_of(await answer_of(target, completion((504,), echo=True, logprobs=True, max_tokens=1)))
    assert math.isnan(log.logprob)
    assert len(rest) == 1
