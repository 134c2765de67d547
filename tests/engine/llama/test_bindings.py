"""What ends a process inside llama.cpp, and that no road here leads to it.

Some calls are guarded (`test_model.py`: too large a step, unknown sequences and tokens, use after close, absurd thread
counts), some are not made at all (below), and what only the file can bring about ends a worker, never the gateway
(`tests/local/embedded/process/test_supervisor.py`).
"""

import re
from pathlib import Path

import pytest

import gateway.engine
from gateway.engine.llama.footprint import footprint_of, shortage
from gateway.engine.llama.gguf import Header
from gateway.engine.settings import EngineSettings

SOURCES = {path.name: path.read_text() for path in Path(gateway.engine.__file__).parent.rglob("*.py")}


@pytest.mark.parametrize(
    "call",
    [
        "llama_memory_seq_cp",  # a partial copy between streams
        "llama_get_logits_ith",  # a row for which no logits were asked
        "llama_sampler",  # a chain without a selector; a grammar told of a token that it does not accept
        "llama_batch_get_one",  # leaves positions to llama.cpp, so a gap shows too late
        "llama_set_abort_callback",  # a callback into Python from threads that are not Python's
    ],
)
def test_calls_that_are_not_made(call: str) -> None:
    """There are other ways, so these are left alone."""
    assert not [name for name, source in SOURCES.items() if re.search(rf"\bC\.{call}", source)]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"llama.block_count": 2**62, "llama.embedding_length": 64, "llama.attention.head_count": 1},
        {"llama.block_count": -5, "llama.embedding_length": 64, "llama.attention.head_count": 1},
        {"llama.block_count": 2, "llama.embedding_length": 64, "llama.attention.head_count": 0},
        {"llama.block_count": 2, "llama.embedding_length": -64, "llama.attention.head_count": 4},
        {"llama.block_count": "two", "llama.embedding_length": 6.4, "llama.attention.head_count": True},
        {"llama.block_count": 2, "llama.embedding_length": 64, "llama.attention.head_count": ("x", 4)},
        {"llama.block_count": 2, "llama.embedding_length": 64, "llama.attention.head_count": (0, 0)},
        {"llama.block_count": 2, "llama.embedding_length": 64, "llama.attention.head_count": 4,
         "llama.attention.key_length": -(2**40), "llama.feed_forward_length": -1, "llama.vocab_size": -1},
    ],
)  # fmt: skip
def test_a_header_that_lies_costs_the_gateway_nothing(metadata: dict[str, object], tmp_path: Path) -> None:
    """The estimate is made in the gateway's own process: it neither fails nor takes memory, and is never negative."""
    path = tmp_path / "m.gguf"
    path.write_bytes(b"x" * 1000)
    header = Header(metadata={"general.architecture": "llama"} | metadata, tensors=1, size=1000, parts=(path,))
    settings = EngineSettings(model=str(path))
    footprint = footprint_of(header, settings, gpu=True)
    assert footprint.weights == 1000
    assert min(footprint.cache, footprint.compute, footprint.gpu) >= 0
    assert isinstance(shortage(header, settings, 10**6), str)
