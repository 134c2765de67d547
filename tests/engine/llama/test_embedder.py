"""Vectors and ranks: pooled as the model says, the same alone and together with others. Encoders that tests write."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gateway.engine.llama.embedder import Embedder
from gateway.engine.llama.faults import EngineFault
from gateway.engine.llama.footprint import footprint_of
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.model import Model
from gateway.engine.messages import Embed, Vectors, pack_tokens
from gateway.engine.settings import EngineSettings
from gateway.engine.worker.pooling import EmbeddingJobs
from tests.engine.tiny import WINDOW, write_encoder
from tests.standins.machine import repack_works

INPUTS = [[2, 5, 6, 3], [2, 7, 8, 9, 3], [2, 5, 3], list(range(2, 18)) * 7]
MEAN, FIRST, LAST, RANK = 1, 2, 3, 4


def loaded(path: Path, pooling: int) -> Model:
    """An encoder; its window is 128 tokens although 256 were asked for."""
    settings = EngineSettings(
        model=str(write_encoder(path / "encoder.gguf", pooling)), repack=repack_works(), context=256, slots=2, batch=64
    )
    return Model(settings, threads=1)


def numbers(raw: list[bytes]) -> list["np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    """The vectors."""
    return [np.frombuffer(one, "<f4") for one in raw]


@pytest.fixture
def ranker(tmp_path: Path) -> Iterator[Model]:
    """A model with a classification head."""
    model = loaded(tmp_path, RANK)
    yield model
    model.close()


@pytest.mark.parametrize("pooling", [MEAN, FIRST, LAST])
def test_together_is_as_alone(pooling: int, tmp_path: Path) -> None:
    """A vector does not depend on what else was computed in the same batch, and its length is one."""
    model = loaded(tmp_path, pooling)
    embedder = Embedder(model, 1)
    together = numbers(embedder.embed(INPUTS))
    for vector, tokens in zip(together, INPUTS, strict=True):
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=2e-3)
        assert np.allclose(vector, numbers(embedder.embed([tokens]))[0], atol=2e-3)
    embedder.close()
    model.close()


def test_poolings_differ(tmp_path: Path) -> None:
    """Pooling by first token, last token and mean gives three different vectors."""
    vectors = []
    for pooling in (MEAN, FIRST, LAST):
        model = loaded(tmp_path, pooling)
        embedder = Embedder(model, 1)
        vectors.append(numbers(embedder.embed(INPUTS[:1]))[0])
        embedder.close()
        model.close()
    assert all(np.abs(vectors[one] - vectors[other]).max() > 0.05 for one, other in ((0, 1), (1, 2), (0, 2)))


def test_ranks(ranker: Model) -> None:
    """Each text gets a rank from 0 to 1, the same alone and together with others; many texts take several batches."""
    assert (ranker.ranks, ranker.generates, ranker.encodes) == (True, False, True)
    embedder = Embedder(ranker, 1)
    many = [[2, 5 + place % 12, 6 + place % 7, 3] for place in range(70)]
    together = numbers(embedder.embed(many))
    assert all(score.shape == (1,) and 0.0 <= score[0] <= 1.0 for score in together)
    assert len({round(float(score[0]), 4) for score in together}) > 10
    for place in (0, 33, 69):
        assert together[place][0] == pytest.approx(numbers(embedder.embed([many[place]]))[0][0], abs=2e-3)
    embedder.close()


@pytest.mark.parametrize("tokens", [[], [-1], [18], [5] * (WINDOW + 1)], ids=["none", "negative", "unknown", "long"])
def test_what_would_abort_is_refused(tokens: list[int], ranker: Model) -> None:
    """A position behind the encoder's table ends the process in llama.cpp; here it is an error, and the model lives."""
    assert ranker.context == WINDOW
    embedder = Embedder(ranker, 1)
    with pytest.raises(EngineFault):
        embedder.embed([tokens])
    assert len(embedder.embed([[5] * WINDOW])) == 1
    embedder.close()


def test_a_batch_at_a_time(ranker: Model) -> None:
    """Between two batches others get their turn; what was cancelled is not computed; an error ends one job only."""
    jobs = EmbeddingJobs(ranker, 1)
    assert not jobs
    for number in (1, 2):
        jobs.add(Embed(id=number, inputs=tuple(pack_tokens([2, 5, 3]) for _ in range(40))))
    jobs.add(Embed(id=3, inputs=(pack_tokens([99]),)))
    jobs.cancel((2,))
    assert jobs.work() is None
    first = jobs.work()
    assert isinstance(first, Vectors)
    assert (first.id, len(first.vectors), first.error) == (1, 40, None)
    failed = jobs.work()
    assert isinstance(failed, Vectors)
    assert (failed.id, failed.vectors) == (3, ())
    assert failed.error
    assert not jobs


def test_models_that_do_not_generate_need_no_cache_for_slots(ranker: Model) -> None:
    """The memory estimate of an encoder does not grow with the number of slots."""
    header = read_header(Path(ranker.settings.model))
    few, many = (footprint_of(header, EngineSettings(model="m", slots=slots)) for slots in (1, 64))
    assert few.cache == many.cache
