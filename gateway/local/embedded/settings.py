"""Settings of an embedded target: those of the engine, and how the gateway treats its worker."""

from typing import Literal

from gateway.engine.settings import EngineSettings


class EmbeddedSettings(EngineSettings, frozen=True, kw_only=True):
    """Settings of one embedded target: `EngineSettings` (model, context, slots, GPU …) and these. Times in seconds."""

    fit_context: bool = False
    """`context` is chosen for the memory that there is, when the models are planned (`embedded.models.fit`)."""
    fit_slots: bool = False
    """The same for `slots`."""
    queue: int = 64
    """Sequences that may wait for a slot, two thirds of them of one key; a request beyond that is answered with 429."""
    queue_wait: float = 120.0
    """A request that would have to wait longer for a slot, as far as can be foreseen, is answered with 429 at once."""
    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    """Sampling where a client does not say (llama.cpp's defaults); top_k 0, top_p 1, min_p 0 turn a filter off."""
    answer_tokens: int | None = None
    """Length of an answer where a client does not say. None: until the window is full."""
    load: Literal["start", "on_demand"] = "start"
    """When the model is loaded: with the gateway, or for the first request that wants it."""
    unload_after: float | None = None
    """It gives its memory back after being idle for so long. None: only when another model needs the room."""
    load_wait: float = 300.0
    """A request that wants a model loaded waits this long for room and load together, then gets 503."""
    ready_wait: float = 15.0
    """A request that comes while the gateway starts, or a worker after a crash, waits this long, then gets 503."""
    restart_first: float = 0.0
    """Pause before the first restart of a worker that died; then 1 s, doubling."""
    restart_longest: float = 60.0
    """Longest pause between two restarts."""
    stable_after: float = 60.0
    """A worker that served this long starts the pauses, and the count of failures, anew; a part of it, in part."""
    restart_limit: int = 6
    """Failures in a row after which the worker counts as failed."""
    retry_failed: float = 300.0
    """A worker that counts as failed is tried again so often."""
    compatibility_file: str = ""
    """Where it is kept that a model runs here without repacked weights only; empty: nowhere."""

    def for_worker(self) -> EngineSettings:
        """Return the part that the worker gets."""
        return EngineSettings(**{name: getattr(self, name) for name in EngineSettings.__struct_fields__})
