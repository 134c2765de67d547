"""How much memory a model takes, said before it is loaded."""

from pathlib import Path

import pytest

from gateway.engine.llama.footprint import footprint_of, shortage
from gateway.engine.llama.gguf import Header
from gateway.engine.settings import EngineSettings


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
        {"llama.block_count": 2, "llama.embedding_length": 64, "llama.attention.head_count": 4,
         "llama.feed_forward_length": 2**60},
        {"llama.block_count": 2, "llama.embedding_length": 64, "llama.attention.head_count": (4, 4),
         "llama.feed_forward_length": (64, 2**60)},
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
    assert footprint.total < 10**9
    assert isinstance(shortage(header, settings, 10**6), str)
