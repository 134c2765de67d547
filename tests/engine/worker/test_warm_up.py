"""What a model must be able to do at load, before anybody's request reaches it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from gateway.engine.llama.faults import EngineFault, LoadFault
from gateway.engine.llama.model import Model
from gateway.engine.scheduler.step import Row
from gateway.engine.settings import EngineSettings
from gateway.engine.worker.warm_up import warm_up
from tests.engine.tiny import write_encoder
from tests.standins.machine import repack_works


class Chatty:
    """A model that generates text, and notes what it is asked."""

    generates = True
    vocabulary = SimpleNamespace(size=10)

    def __init__(self, context: int = 256, logit: float = 0.0, fault: str = "", head: Any = None) -> None:
        self.settings = EngineSettings(model="/models/m.gguf", batch=128)
        self.context = context
        self.rows: list[Row] = []
        self.probed: list[tuple[int, int]] = []
        self.head = head
        self._logit = logit
        self._fault = fault

    def decode(self, rows: tuple[Row, ...]) -> Any:
        """One line of logits for each output."""
        if self._fault:
            raise EngineFault(self._fault)
        self.rows += rows
        return np.full((sum(row.outputs for row in rows), 10), self._logit, np.float32)

    def close_head(self) -> None:
        """Go on without it."""
        self.head = None

    def probe_memory(self, slot: int, length: int) -> None:
        """Look at a sequence, and forget it."""
        self.probed.append((slot, length))


def test_a_prompt_and_single_tokens_are_computed_and_forgotten() -> None:
    """They take other kernels, so both run; the first request finds its slot empty."""
    model = Chatty()
    warm_up(cast(Model, model), 1)
    prompt, *single = model.rows
    assert len(prompt.tokens) > 32
    assert all(0 <= token < 10 for token in prompt.tokens)
    assert [(len(row.tokens), row.position) for row in single] == [(1, len(prompt.tokens)), (1, len(prompt.tokens) + 1)]
    assert model.probed == [(0, len(prompt.tokens) + 2)]


class Head:
    """Draft head that drafts so many tokens."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens

    def draft(self, wanted: dict[int, tuple[int, int]]) -> dict[int, list[int]]:
        """Drafts."""
        return {slot: [1] * self.tokens for slot in wanted}


@pytest.mark.parametrize(("tokens", "kept"), [(2, True), (0, False)])
def test_a_draft_head_that_can_not_compute_is_left(tokens: int, kept: bool) -> None:
    """The model answers without it, for it is only a help."""
    model = Chatty(head=Head(tokens))
    warm_up(cast(Model, model), 1)
    assert (model.head is not None) is kept


@pytest.mark.parametrize("context", [2, 3, 16])
def test_a_small_window_is_not_overrun(context: int) -> None:
    """llama.cpp would refuse a position beyond it."""
    model = Chatty(context=context)
    warm_up(cast(Model, model), 1)
    assert max(row.position + len(row.tokens) for row in model.rows) <= context


def test_a_build_that_computes_no_numbers_is_told_at_load() -> None:
    """The operator reads the file's name, a client does not."""
    with pytest.raises(LoadFault, match="NaN") as caught:
        warm_up(cast(Model, Chatty(logit=float("nan"))), 1)
    assert "/models/m.gguf" in str(caught.value)
    assert "/models" not in caught.value.public


def test_what_llama_cpp_refuses_is_told_at_load() -> None:
    """A model that loads but can't compute is no model."""
    with pytest.raises(LoadFault, match="the KV cache has no room"):
        warm_up(cast(Model, Chatty(fault="the KV cache has no room for this step")), 1)


@pytest.mark.model
@pytest.mark.parametrize("pooling", [1, 4])
def test_models_of_vectors_and_ranks_are_tried_too(pooling: int, tmp_path: Path) -> None:
    """Their kernels are those of the second context, which is closed again."""
    file = write_encoder(tmp_path / "m.gguf", pooling)
    settings = EngineSettings(model=str(file), context=128, slots=1, batch=64, repack=repack_works())
    model = Model(settings, threads=1)
    warm_up(model, 1)
    model.close()
