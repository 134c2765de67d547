"""Faults of loading and computing, and what they say: what happened and what to do."""

from gateway.engine.llama.bindings import log_tail
from gateway.engine.settings import EngineSettings

_TURN_DOWN = (
    "If memory is short, turn down, in this order: 'slots', 'context', 'kv_type' to q8_0, 'gpu_layers' "
    "(layers that don't fit the GPU stay in RAM), or take a smaller quantisation of the model."
)


class EngineFault(Exception):
    """Fault of a computation: llama.cpp failed, or was asked for something it can't do. Its message holds no prompt."""


class LoadFault(EngineFault):
    """Fault of a load; the message says what to do.

    `public` is the same for clients: it names no path.
    """

    def __init__(self, message: str, *, public: str = "") -> None:
        super().__init__(message)
        self.public = public or f"Its model can't be loaded. {_TURN_DOWN}"


def load_problem(settings: EngineSettings) -> str:
    """Explain why llama.cpp did not load a model's file."""
    return f"llama.cpp can't load {settings.model}: {' '.join(log_tail()[-3:]) or 'it gave no reason.'} {_TURN_DOWN}"


def context_problem(settings: EngineSettings) -> str:
    """Explain why a model's context could not be made."""
    return (
        f"There is not enough memory for {settings.slots} sequences of {settings.context} tokens of {settings.model}, "
        f"or they can't be set up: {' '.join(log_tail()[-3:])} {_TURN_DOWN}"
    )


def decode_problem(status: int) -> str:
    """Explain what llama_decode returned."""
    match status:
        case 1:
            return "the KV cache has no room for this step"
        case 2:
            return "the step was aborted"
        case -1:
            return "llama.cpp refused the step as invalid"
        case _:
            return f"llama.cpp failed with status {status}: {' '.join(log_tail()[-2:])}"
