"""The gate in front of llama.cpp: whatever would abort the process is refused as an error. Real model."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gateway.engine.llama.embedder import Embedder
from gateway.engine.llama.faults import EngineFault, LoadFault
from gateway.engine.llama.footprint import footprint_of, shortage
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.model import Model
from gateway.engine.llama.zero_pages import release_zero_pages
from gateway.engine.scheduler.step import Row
from gateway.engine.settings import EngineSettings
from gateway.engine.tuning.threads import default_threads, usable_cores, wait_environment
from tests.standins.machine import repack_works

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def model(starter: Path) -> Iterator[Model]:
    """A small context on the starter model."""
    model = Model(EngineSettings(model=str(starter), repack=repack_works(), context=256, slots=3, batch=64), threads=1)
    yield model
    model.close()


@pytest.fixture(autouse=True)
def _empty(model: Model) -> None:
    for slot in range(3):
        model.trim(slot, 0)


def test_greedy_text(model: Model) -> None:
    """At temperature 0 the starter model continues a prompt with its known answer."""
    tokens = model.vocabulary.tokenize("The capital of France is", add_special=True, parse_special=False)
    logits = model.decode([Row(slot=0, position=0, tokens=tokens, outputs=1)])
    assert model.vocabulary.piece(int(logits[0].argmax())) == b" Paris"


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Row(slot=0, position=0, tokens=(1,) * 65)],
        [Row(slot=0, position=0, tokens=(1,) * 40), Row(slot=1, position=0, tokens=(1,) * 40)],
        [Row(slot=3, position=0, tokens=(1,))],
        [Row(slot=-1, position=0, tokens=(1,))],
        [Row(slot=0, position=0, tokens=(49152,))],
        [Row(slot=0, position=0, tokens=(-1,))],
        [Row(slot=0, position=0, tokens=(1, 49152))],
        [Row(slot=0, position=0, tokens=())],
        [Row(slot=0, position=-1, tokens=(1,))],
        [Row(slot=0, position=256, tokens=(1,))],
        [Row(slot=0, position=250, tokens=(1,) * 10)],
        [Row(slot=0, position=0, tokens=(1,), outputs=2)],
        [Row(slot=0, position=0, tokens=(1,) * 36, outputs=36)],
        [Row(slot=0, position=0, tokens=(1,)), Row(slot=0, position=5, tokens=(1,))],
    ],
)
def test_what_llama_cpp_can_not_do(rows: list[Row], model: Model) -> None:
    """A step that is too large, or has an unknown slot or token, or a gap, is an error and the model lives."""
    with pytest.raises(EngineFault):
        model.decode(rows)
    model.trim(0, 0)
    assert model.decode([Row(slot=0, position=0, tokens=(1,), outputs=1)]).shape == (1, 49152)


@pytest.mark.parametrize(
    "action",
    [
        lambda model: model.trim(9, 0),
        lambda model: model.save(-1),
        lambda model: model.copy(0, 7),
        lambda model: model.swap(0, 7),
        lambda model: model.restore(0, np.zeros(100, np.uint8)),
        lambda model: model.set_threads(100_000),
        lambda model: model.set_threads(0),
    ],
)
def test_memory_of_unknown_sequences(action, model: Model) -> None:
    """Slots that don't exist, states that are none and absurd numbers of threads are errors."""
    with pytest.raises(EngineFault):
        action(model)


def test_after_close_nothing_runs(starter: Path) -> None:
    """A closed model refuses to decode, which would crash the process."""
    model = Model(EngineSettings(model=str(starter), repack=repack_works(), context=64, slots=1, batch=32), threads=1)
    model.close()
    model.close()
    for action in (lambda: model.decode([Row(slot=0, position=0, tokens=(1,))]), lambda: model.trim(0, 0)):
        with pytest.raises(EngineFault, match="closed"):
            action()


@pytest.mark.parametrize(
    "changes",
    [
        {"context": 0},
        {"context": 10**9},
        {"slots": 0},
        {"slots": 300},
        {"batch": 1},
        {"batch": 10**6},
        {"gpu_layers": -5},
        {"threads_batch": 100_000},
        {"model": "/nowhere/model.gguf"},
    ],
)
def test_absurd_settings(changes: dict[str, object], starter: Path) -> None:
    """An absurd setting is refused by name before anything is loaded."""
    settings = msgspec.structs.replace(EngineSettings(model=str(starter), repack=repack_works()), **changes)
    with pytest.raises(LoadFault):
        Model(settings, threads=1)


def test_memory_that_is_not_there_says_what_to_turn_down(starter: Path) -> None:
    """A KV cache that is too large is refused with the settings that would fit (23,040 bytes a token)."""
    settings = EngineSettings(model=str(starter), repack=repack_works(), context=8192, slots=8)
    header = read_header(starter)
    assert footprint_of(header, settings).cache == pytest.approx(8192 * 8 * 23_040, rel=0.01)
    assert shortage(header, settings, 2 * 10**9) == ""
    assert shortage(header, settings, None) == ""
    said = shortage(header, settings, 800 * 10**6)
    assert "'context: 4096'" in said
    assert "'slots: 4'" in said
    halved = msgspec.structs.replace(settings, kv_type_k="q8_0", kv_type_v="q8_0")
    assert footprint_of(header, halved).cache < 0.6 * footprint_of(header, settings).cache


def test_a_copied_and_swapped_prefix_continues_as_the_original(model: Model) -> None:
    """Logits after copy, swap and trim are those of the sequence itself, up to rounding."""
    tokens = model.vocabulary.tokenize("One two three four five six seven", add_special=True, parse_special=False)
    model.decode([Row(slot=0, position=0, tokens=tokens)])
    model.copy(0, 2)
    model.trim(2, len(tokens) - 2)
    model.swap(2, 1)
    expected = model.decode([Row(slot=0, position=len(tokens), tokens=(10,), outputs=1)])[0].copy()
    rest = (*tokens[-2:], 10)
    actual = model.decode([Row(slot=1, position=len(tokens) - 2, tokens=rest, outputs=1)])[0]
    assert np.abs(actual - expected).max() < 1.0
    assert actual.argmax() == expected.argmax()


def test_vectors_have_length_one_and_long_inputs_work(model: Model) -> None:
    """Texts of one token, and longer than a batch, get vectors of length one; equal texts get equal vectors."""
    embedder = Embedder(model, 1)
    long = list(range(100, 400))[:250]
    vectors = [np.frombuffer(raw, "<f4") for raw in embedder.embed([long, [5], [5]])]
    assert [float(np.linalg.norm(vector)) for vector in vectors] == pytest.approx([1.0] * 3, abs=1e-5)
    assert np.allclose(vectors[1], vectors[2])
    for bad in ([], [10**6], [1] * 257):
        with pytest.raises(EngineFault):
            embedder.embed([bad])
    embedder.close()


def test_threads_default_leaves_a_core_free() -> None:
    """At least one thread computes, never more than there are cores; threads on every core soon wait asleep."""
    assert 1 <= default_threads() <= usable_cores()
    assert 0 < int(wait_environment("auto")["GOMP_SPINCOUNT"]) < 300_000  # GNU OpenMP's own
    assert wait_environment("spin") == {"OMP_WAIT_POLICY": "active"}


def test_unused_cache_memory_is_given_back(starter: Path) -> None:
    """What llama.cpp cleared but nobody used is no longer resident, and the model still works."""
    model = Model(EngineSettings(model=str(starter), repack=repack_works(), context=4096, slots=2), threads=1)
    tokens = model.vocabulary.tokenize("The capital of France is", add_special=True, parse_special=False)
    model.decode([Row(slot=0, position=0, tokens=tokens[:-1])])
    assert release_zero_pages() > 100 * 2**20
    logits = model.decode([Row(slot=0, position=len(tokens) - 1, tokens=tokens[-1:], outputs=1)])
    assert model.vocabulary.piece(int(logits[0].argmax())) == b" Paris"
    model.close()
