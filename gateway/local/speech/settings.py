"""Settings of a target that hears. Times in seconds."""

import msgspec

from gateway.speech.messages import SpeechSettings


class SpeechTargetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One target's model, its queue, and the life of its worker."""

    worker: SpeechSettings
    language: str = ""  # of recordings, where a request does not say; empty: found out
    queue: int = 64  # recordings that may wait for a slot
    queue_wait: float = 600.0  # one that would have to wait longer, as far as can be foreseen, is refused at once
    load: str = "on_demand"  # or start
    unload_after: float | None = None
    load_wait: float = 120.0
    restart_first: float = 0.25  # pause before a worker that died is started again; it doubles
    restart_longest: float = 30.0
    stable_after: float = 60.0  # of service, behind which a death counts as the first one
    stop_within: float = 60.0  # a recording that nobody waits for any more is given up in this time, or the worker is

    @property
    def slots(self) -> int:
        """Recordings at once."""
        return self.worker.slots
