"""What a kilowatt-hour costs at a moment: fixed, by the hour of the day, or from a file of intervals."""

import csv
import math
from bisect import bisect_right
from datetime import datetime, tzinfo
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.core.errors import ConfigurationError
from gateway.observe.settings import Tariff

JOULES_PER_KWH = 3_600_000.0
_LOOK_SECONDS = 60.0


class Tariffs:
    """Price of a kilowatt-hour by time. The file is read again when it changes; a bad one leaves the last good one."""

    def __init__(self, settings: Tariff) -> None:
        """Check the prices, and read the tariff's file if it has one.

        Raises:
            ConfigurationError: The time zone, the prices or the file can't be used.
        """
        self._settings = settings
        self._zone = _zone(settings.timezone)
        self._starts: list[float] = []
        self._intervals: list[tuple[float, float, float]] = []
        self._changed: float | None = None
        self._looked = -math.inf
        self.problem: str | None = None  # why the file's last change was not taken over
        if settings.hours and len(settings.hours) != 24:
            raise ConfigurationError((f"The tariff has {len(settings.hours)} hours; a day has 24 prices.",))
        for value in (*settings.hours, settings.fixed or 0.0, settings.rate, settings.tax):
            if not math.isfinite(value):
                raise ConfigurationError((f"The tariff has {value}, which is not a number.",))
        if settings.file is not None:
            self._load(settings.file)

    def price(self, now: float) -> float | None:
        """Return US dollars per kWh at that moment, tax included. None: not known. May be negative, as markets are."""
        settings = self._settings
        raw: float | None
        if settings.file is not None:
            self._reload(settings.file, now)
            raw = self._interval(now)
        elif settings.hours:
            raw = settings.hours[datetime.fromtimestamp(now, self._zone).hour]
        else:
            raw = settings.fixed
        return None if raw is None else raw * settings.rate * (1 + settings.tax)

    def micros(self, joules: float, now: float) -> float:
        """Return what that much energy costs at that moment, in micro-dollars; 0 while no price is known.

        A negative market price counts as 0: costs are counters, and counters only grow.
        """
        return joules / JOULES_PER_KWH * max(self.price(now) or 0.0, 0.0) * 1e6

    def _interval(self, now: float) -> float | None:
        index = bisect_right(self._starts, now) - 1
        if index >= 0:
            _, end, price = self._intervals[index]
            if now < end:
                return price
        return None

    def _reload(self, file: Path, now: float) -> None:
        if abs(now - self._looked) < _LOOK_SECONDS:
            return
        self._looked = now
        try:
            if file.stat().st_mtime != self._changed:
                self._load(file)
                self.problem = None
        except OSError as error:
            self.problem = f"{file}: can't be read: {error.strerror}."
        except ConfigurationError as error:
            self.problem = error.problems[0]

    def _load(self, file: Path) -> None:
        try:
            self._changed = file.stat().st_mtime
            with file.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.reader(lines))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError((f"{file}: the tariff can't be read: {error}.",)) from error
        intervals = []
        for number, row in enumerate(rows, 1):
            if not row or (number == 1 and row[0].strip().lower() == "start"):
                continue
            intervals.append(_interval(file, number, row))
        intervals.sort()
        for (_, end, _), (start, _, _) in pairwise(intervals):
            if start < end:
                moment = datetime.fromtimestamp(start, self._zone).isoformat()
                raise ConfigurationError((f"{file}: two intervals overlap at {moment}.",))
        self._intervals = intervals
        self._starts = [start for start, _, _ in intervals]


def _interval(file: Path, number: int, row: list[str]) -> tuple[float, float, float]:
    try:
        start, end = (datetime.fromisoformat(text.strip()) for text in row[:2])
        price = float(row[2])
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("a time has no offset")
        if not math.isfinite(price) or end <= start:
            raise ValueError("the interval or its price can't be")
    except (ValueError, IndexError) as error:
        example = "2026-11-23T20:00+01:00,2026-11-23T21:00+01:00,0.183"
        raise ConfigurationError((f"{file}:{number}: this is not an interval ({error}). Write {example}",)) from error
    return start.timestamp(), end.timestamp(), price


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError((f"{name!r} is not a time zone. Write one like 'Europe/Madrid'.",)) from error
