"""Compute at load what requests will compute, so that a build that crashes or computes nonsense shows at once.

A batch of prompt tokens and single tokens take different kernels, and so does each type of KV cache; all run with the
context that requests will use. It also reads a mapped file, so that the first request need not wait for that.
"""

import numpy as np

from gateway.engine.llama.embedder import Embedder
from gateway.engine.llama.faults import EngineFault, LoadFault
from gateway.engine.llama.model import Model, can_use_gpu
from gateway.engine.scheduler.step import Row

_PROMPT_ON_CPU = 33  # tokens: enough for the kernels of large batches, and half a second or so for a large model
_PUBLIC = "Its model was loaded, but computing with it fails; the gateway's log says how."


def warm_up(model: Model, threads: int) -> None:
    """Compute a prompt and two single tokens, or a vector. Leaves all sequences empty.

    Raises:
        LoadFault: llama.cpp refuses, or gives NaN.
    """
    try:
        if model.generates:
            _generate(model)
        else:
            _embed(model, threads)
    except LoadFault:
        raise
    except EngineFault as error:
        raise LoadFault(
            f"{model.settings.model} was loaded, but computing with it fails: {error}.", public=_PUBLIC
        ) from error


def _generate(model: Model) -> None:
    on_gpu = can_use_gpu() and model.settings.gpu_layers != 0
    most = model.settings.batch if on_gpu else min(_PROMPT_ON_CPU, model.settings.batch)
    length = max(1, min(most, model.context - 2))
    tokens = tuple(number % model.vocabulary.size for number in range(length))
    logits = model.decode((Row(slot=0, position=0, tokens=tokens, outputs=1),))
    _check(model, logits)
    for position in (length, length + 1):
        if position < model.context:
            logits = model.decode((Row(slot=0, position=position, tokens=(0,), outputs=1),))
            _check(model, logits)
    if model.head is not None and length + 4 < model.context and not model.head.draft({0: (0, 2)})[0]:
        model.close_head()
    model.probe_memory(0, min(length + 2, model.context))


def _embed(model: Model, threads: int) -> None:
    embedder = Embedder(model, threads)
    try:
        length = max(1, min(_PROMPT_ON_CPU, model.context))
        embedder.embed([[number % model.vocabulary.size for number in range(length)], [0]])
    finally:
        embedder.close()


def _check(model: Model, logits: np.ndarray) -> None:
    if np.isnan(logits).any():
        raise LoadFault(
            f"{model.settings.model} was loaded, but what llama.cpp computes with it are no numbers (NaN). The file "
            "may be damaged, or this build does not fit the machine's CPU, GPU or driver.",
            public=_PUBLIC,
        )
