"""The day of a moment, as the zone has it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.ledger.days import Days


@pytest.mark.parametrize("name", ["Europe/Madrid", "America/Sao_Paulo", "Pacific/Auckland", "UTC"])
def test_the_day_is_the_zones_own_all_year_and_back(name: str) -> None:
    """Hour by hour through changes of the clock, forwards and then backwards."""
    zone = ZoneInfo(name)
    days = Days(zone)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    moments = [begin + timedelta(minutes=30 * step) for step in range(2 * 24 * 366)]
    for moment in (*moments, *reversed(moments)):
        assert days.at(moment.timestamp()) == moment.astimezone(zone).date()
