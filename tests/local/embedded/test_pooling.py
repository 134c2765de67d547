"""Ranking by the embedded engine, with a small model that the test writes: the road from a request to scores."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.core.errors import BadRequest, ContextLengthExceeded
from gateway.core.labels import Label, Zone
from gateway.core.target import TargetInfo
from gateway.engine.llama.vocabulary import open_vocabulary
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from gateway.local.embedded.text.prompts import pairs
from gateway.wire import openai
from gateway.wire.openai.rerank import parse_rerank
from tests.engine.tiny import write_encoder
from tests.standins.machine import repack_works

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]
QUERY = b'{"model":"m","query":"what is the cat ?","documents":["a red cat","the bank","money is blue","a cat"]}'


def made(path: Path, pooling: int) -> EmbeddedTarget:
    """A target on a small encoder."""
    info = TargetInfo(
        name="encoder", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="tiny", context=128
    )
    file = write_encoder(path / f"pooling{pooling}.gguf", pooling)
    return EmbeddedTarget(
        info, EmbeddedSettings(model=str(file), context=128, slots=1, threads=1, batch=64, repack=repack_works())
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ranker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedTarget]:
    """A running target that ranks."""
    target = made(tmp_path_factory.mktemp("ranker"), 4)
    await target.start()
    yield target
    await target.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def encoder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedTarget]:
    """A running target that makes vectors only."""
    target = made(tmp_path_factory.mktemp("encoder"), 1)
    await target.start()
    yield target
    await target.close()


def soon() -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + 60


async def test_a_score_for_each_text(ranker: EmbeddedTarget) -> None:
    """Each text gets a score between 0 and 1, the same when it is asked about alone; tokens are counted exactly."""
    request = parse_rerank(QUERY)
    ranking = await ranker.rerank(request, deadline=soon())
    assert len(ranking.scores) == 4
    assert all(0.0 <= score <= 1.0 for score in ranking.scores)
    assert len(set(ranking.scores)) == 4
    alone = parse_rerank(b'{"model":"m","query":"what is the cat ?","documents":["money is blue"]}')
    assert (await ranker.rerank(alone, deadline=soon())).scores[0] == pytest.approx(ranking.scores[2], abs=2e-3)
    assert ranking.usage.input == sum(2 + 5 + words for words in (3, 2, 3, 2))
    assert await ranker.prompt_tokens(request) == 10


async def test_models_refuse_what_they_were_not_made_for(ranker: EmbeddedTarget, encoder: EmbeddedTarget) -> None:
    """A model that is asked for what it was not made for refuses with a sentence, not with meaningless numbers."""
    with pytest.raises(BadRequest, match="can't rank texts"):
        await encoder.rerank(parse_rerank(QUERY), deadline=soon())
    embeddings = openai.parse_embeddings(b'{"model":"m","input":["a cat","the bank"]}')
    assert len((await encoder.embed(embeddings, deadline=soon())).vectors) == 2
    with pytest.raises(BadRequest, match="makes no vectors"):
        await ranker.embed(embeddings, deadline=soon())
    chat = openai.parse_chat(b'{"model":"m","messages":[{"role":"user","content":"hi"}]}')
    for target in (ranker, encoder):
        with pytest.raises(BadRequest, match="writes none") as caught:
            await anext(target.generate(chat, deadline=soon(), isolation=""))
        assert caught.value.code == "not_supported"


@pytest.mark.parametrize("length", [140, 100_000])
async def test_a_text_that_is_too_long_is_refused(length: int, ranker: EmbeddedTarget) -> None:
    """A text that is too long is refused; nothing is cut off in silence."""
    text = "cat " * length
    request = parse_rerank(b'{"model":"m","query":"the cat","documents":["a","%s"]}' % text.encode())
    with pytest.raises(ContextLengthExceeded, match="128"):
        await ranker.rerank(request, deadline=soon())


async def test_the_files_own_template(tmp_path: Path) -> None:
    """Query and text stand where the file's template says; a query that looks like a placeholder is only text."""
    request = parse_rerank(b'{"model":"m","query":"{document} red","documents":["cat"]}')
    with open_vocabulary(write_encoder(tmp_path / "m.gguf", 4)) as vocabulary:
        (prompt,) = pairs(vocabulary, "the {query} is {document} ?", request)
        words = vocabulary.text(prompt)
    assert words.count("cat") == 1
    assert words.index("red") < words.index("is") < words.index("cat")
