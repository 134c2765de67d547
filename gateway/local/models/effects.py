"""What the scheduler of models wants done, in order. Pure data."""

from typing import TypeAlias

import msgspec


class LoadModel(msgspec.Struct, frozen=True):
    """Start loading a model. Its memory counts as taken from now on; `load_finished` or `unloaded` must follow."""

    model: str


class EvictModel(msgspec.Struct, frozen=True):
    """Unload a model. Its memory is free once `unloaded` follows."""

    model: str


class WakeRequest(msgspec.Struct, frozen=True):
    """Let a request work: its model is in memory, or is loading, and stays there until `released` follows."""

    request: int


class RefuseRequest(msgspec.Struct, frozen=True):
    """Refuse a request for a reason that a client may read. `retry_after` in seconds; None: waiting does not help."""

    request: int
    reason: str
    retry_after: float | None = None


class SetTimer(msgspec.Struct, frozen=True):
    """Call `tick` at this time, in seconds of the clock that `now` is read from. None: no timer any more."""

    at: float | None


ModelEffect: TypeAlias = LoadModel | EvictModel | WakeRequest | RefuseRequest | SetTimer
