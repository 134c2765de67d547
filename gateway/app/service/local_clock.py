"""The time in the machine's own zone, asked with each request; its offset is asked of the system now and then."""

import time
from collections.abc import Callable
from datetime import datetime, tzinfo

_QUARTER = 900.0  # seconds: every zone's clocks are changed at one of an hour's quarters


class LocalClock:
    """Clock of the machine's own zone."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall  # Unix seconds
        self._quarter: float | None = None
        self._zone: tzinfo | None = None

    def now(self) -> datetime:
        """Return the time, with the offset that the zone has now."""
        at = self._wall()
        quarter = at // _QUARTER
        if quarter != self._quarter:
            self._quarter, self._zone = quarter, datetime.fromtimestamp(at).astimezone().tzinfo
        return datetime.fromtimestamp(at, self._zone)
