"""Which day it is by the clock on the wall, asked many times a second. Pure but for the machine's own zone."""

from datetime import date, datetime, timedelta, tzinfo


class Days:
    """Days of a time zone (None: the machine's own). The zone is asked again only when a day has passed."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._day = date.min
        self._begins = self._ends = 0.0  # of that day, in Unix seconds

    def at(self, now: float) -> date:
        """Return the day of a moment, given in Unix seconds; the clock may go back."""
        if not self._begins <= now < self._ends:
            self._day = datetime.fromtimestamp(now, self._zone).date()
            self._begins, self._ends = self._midnight(self._day), self._midnight(self._day + timedelta(days=1))
        return self._day

    def _midnight(self, day: date) -> float:
        return datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()
