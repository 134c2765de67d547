"""What ends a process inside llama.cpp, and that no road here leads to it.

Some calls are guarded (`test_model.py`: too large a step, unknown sequences and tokens, use after close, absurd thread
counts), some are not made at all (below), and what only the file can bring about ends a worker, never the gateway
(`tests/local/embedded/process/test_supervisor.py`).
"""

import re
from pathlib import Path

import pytest

import gateway.engine

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
    """The gateway never makes the llama.cpp calls that can end the process, for there are other ways."""
    assert not [name for name, source in SOURCES.items() if re.search(rf"\bC\.{call}", source)]
