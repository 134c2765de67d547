"""How a worker that hears ended, and when the next one is started. Pure."""

import msgspec

from gateway.local.speech.settings import SpeechTargetSettings
from gateway.speech.messages import Unusable


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """How one process ended. `detail` is for the log; `problem` and `public` say why the model can't be loaded."""

    cause: str
    detail: str
    problem: str = ""
    public: str = ""


def death_of(code: int, last_line: str, unusable: Unusable | None) -> Death:
    """Return how a process ended.

    Args:
        code: Its exit code, negative for a signal.
        last_line: What it wrote last; empty: nothing.
        unusable: What it said of its model, if that can't be loaded.
    """
    if unusable is not None:
        return Death(cause="load", detail="the model", problem=unusable.message, public=unusable.public)
    if code < 0:
        return Death(cause=f"signal_{-code}", detail=f"signal {-code}")
    last = f": {last_line}" if last_line else ""
    return Death(cause=f"exit_{code}", detail=f"exit code {code}{last}")


def pause_after(failures: int, settings: SpeechTargetSettings) -> float:
    """Return the seconds until the next start, after so many failures in a row."""
    return min(settings.restart_longest, settings.restart_first * 2.0 ** (failures - 1))
